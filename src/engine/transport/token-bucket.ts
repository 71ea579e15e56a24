/** What a bucket holds and how fast it fills. */
export interface BucketSize {
  /** Sustained rate; 0 means unlimited. */
  readonly perSecond: number;
  /** Tokens of a full bucket: what may come at once. */
  readonly burst: number;
}

export const UNLIMITED: BucketSize = { perSecond: 0, burst: 0 };

/** A token bucket that begins full; time is an argument and may stand still, a step back counts as none. */
export class TokenBucket {
  #tokens: number;
  #filledAtMs: number;

  constructor(size: BucketSize, nowMs: number) {
    this.#tokens = size.burst;
    this.#filledAtMs = nowMs;
  }

  /** @returns whether a token was there; it is gone then. */
  take(size: BucketSize, nowMs: number): boolean {
    if (size.perSecond === 0) return true;
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(size.burst, this.#tokens + (elapsedMs * size.perSecond) / 1000);
    this.#filledAtMs = Math.max(nowMs, this.#filledAtMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
