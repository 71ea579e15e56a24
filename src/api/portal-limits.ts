/** Token buckets by name, so many at once at most. */

export interface AllowanceRate {
  /** Uses at once. */
  readonly burst: number;
  /** Time after which one more is there. */
  readonly refillMs: number;
}

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

const MOST_NAMES = 20_000;

export class Allowances {
  readonly #rate: AllowanceRate;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: AllowanceRate, nowMs: () => number) {
    this.#rate = rate;
    this.#nowMs = nowMs;
  }

  /** Seconds until `name` has a use left; 0: it has one now. */
  waitSeconds(name: string): number {
    const missing = 1 - this.#left(name);
    return missing <= 0 ? 0 : Math.max(1, Math.ceil((missing * this.#rate.refillMs) / 1000));
  }

  /** Takes a use away; there may be none left. */
  use(name: string): void {
    const left = Math.max(0, this.#left(name) - 1);
    // Names used last stand last, so that the first one may be forgotten.
    this.#buckets.delete(name);
    this.#buckets.set(name, { left, atMs: this.#nowMs() });
    if (this.#buckets.size <= MOST_NAMES) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }

  #left(name: string): number {
    const { burst, refillMs } = this.#rate;
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return burst;
    return Math.min(burst, bucket.left + (this.#nowMs() - bucket.atMs) / refillMs);
  }
}
