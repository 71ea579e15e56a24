/** As many forwards of an account may be in set-up at once, for each that a single call may have seen. */
const EACH_CALLER = 4;
const ALL_CALLERS = 16;
const NO_NUMBER = /^(?:anonymous)?$/i;

/**
 * How many forwards are in set-up, by account and by who calls: the bound of a loop through somebody who takes off a call
 * every trace of the forwards that it has seen. Callers without a number, and those that change it, count together only.
 */
export class ForwardsInSetUp {
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#counts.size;
  }

  /**
   * @param maxDiversions how many forwards a single call may have seen
   * @returns what to run once, when that call is answered or over; `undefined`: there are too many already.
   */
  enter(account: string, callingNumber: string, maxDiversions: number): (() => void) | undefined {
    const limits = new Map([[JSON.stringify([account]), ALL_CALLERS * maxDiversions]]);
    if (!NO_NUMBER.test(callingNumber)) {
      limits.set(JSON.stringify([account, callingNumber]), EACH_CALLER * maxDiversions);
    }
    for (const [key, most] of limits) if (this.#countOf(key) >= most) return undefined;
    for (const key of limits.keys()) this.#counts.set(key, this.#countOf(key) + 1);
    return () => {
      for (const key of limits.keys()) this.#leave(key);
    };
  }

  #countOf(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #leave(key: string): void {
    const count = this.#countOf(key);
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}
