/**
 * Finds the most calls that a relay carries: probes upwards from a guess until one fails, then halves the gap. Pure.
 *
 *   guess ok   -> * step -> * step ... until one fails or the limit is reached
 *   guess bad  -> / step -> / step ... until one is good
 *   then the middle of the largest good and the smallest bad one, until they are RESOLUTION apart
 */

/** Steps away from a guess that is not more than that. */
const WIDE_STEP = 1.25;
/** Steps away from what another round found. */
export const NEAR_STEP = 1.08;
/** Good enough: the difference of two runs on the same machine is larger. */
const RESOLUTION = 0.03;
const LEAST_CALLS = 10;

export class CapacitySearch {
  /** Most calls that were carried. */
  best = 0;
  readonly #limit: number;
  readonly #guess: number;
  readonly #step: number;
  #failed = Infinity;
  #lastProbe = 0;

  constructor(guess: number, limit: number, step = WIDE_STEP) {
    this.#limit = limit;
    this.#step = step;
    this.#guess = Math.min(guess, limit);
  }

  /** The limit was carried: there may be more to it. */
  get isAtLimit(): boolean {
    return this.best >= this.#limit;
  }

  /** Calls to try next; `undefined` when the answer is found. */
  next(): number | undefined {
    const calls = this.#candidate();
    if (calls === undefined) return undefined;
    this.#lastProbe = calls;
    return calls;
  }

  /** What became of the probe that `next` gave. */
  report(isCarried: boolean): void {
    if (isCarried) this.best = Math.max(this.best, this.#lastProbe);
    else this.#failed = Math.min(this.#failed, this.#lastProbe);
  }

  #candidate(): number | undefined {
    if (this.best === 0 && this.#failed === Infinity) return this.#guess;
    if (this.isAtLimit) return undefined;
    if (this.#failed === Infinity) {
      return Math.min(this.#limit, Math.round(this.best * this.#step));
    }
    if (this.best === 0) {
      const calls = Math.round(this.#failed / this.#step);
      return calls < LEAST_CALLS ? undefined : calls;
    }
    const isClose = this.#failed - this.best <= Math.max(1, this.best * RESOLUTION);
    return isClose ? undefined : Math.round((this.best + this.#failed) / 2);
  }
}
