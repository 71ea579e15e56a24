/**
 * How many forwards are in set-up, by account and by who calls: the bound of a loop through somebody who takes off a call
 * every trace of the forwards that it has seen.
 */
export class ForwardsInSetUp {
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#counts.size;
  }

  /** @returns what to run once, when that call is answered or over; `undefined`: there are `most` already. */
  enter(account: string, callingNumber: string, most: number): (() => void) | undefined {
    const key = JSON.stringify([account, callingNumber]);
    const count = this.#counts.get(key) ?? 0;
    if (count >= most) return undefined;
    this.#counts.set(key, count + 1);
    return () => this.#leave(key);
  }

  #leave(key: string): void {
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}
