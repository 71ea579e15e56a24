/** How many new calls the application can take. */
export interface CallPacing {
  /** `undefined`: all; 0: none. */
  readonly callsPerSecond: number | undefined;
  /** No new call while the application has been silent for so long; `undefined`: never mind. */
  readonly lateMs: number | undefined;
}

const UNPACED: CallPacing = { callsPerSecond: undefined, lateMs: undefined };
/** A longer pause makes no burst of more than this. */
const SAVED_MS = 100;
const MS_PER_SECOND = 1000;
/** What strangers leave of the calls saved up: a known peer finds one as long as it wants no more than the pace. */
const LEFT_FOR_KNOWN = 0.5;

/**
 * Whether a new call may begin, for all engines of an application together. Time is an argument.
 *
 *   the application is asked for a sign of life; it says nothing for lateMs ─► no call
 *   a pace is set ─► as many calls as that; known peers come first
 */
export class CallGate {
  #pacing = UNPACED;
  #calls = 0;
  #filledAtMs = 0;
  #askedAtMs: number | undefined;

  /** Whether the application wants to be asked for signs of life. */
  get isWatching(): boolean {
    return this.#pacing.lateMs !== undefined;
  }

  set(pacing: CallPacing, nowMs: number): void {
    if (this.#pacing.callsPerSecond === undefined) {
      this.#calls = 0;
      this.#filledAtMs = nowMs;
    } else this.#fill(nowMs);
    this.#pacing = pacing;
    if (!this.isWatching) this.#askedAtMs = undefined;
  }

  /** @returns whether to ask for a sign of life; not while an earlier question is open. */
  ask(nowMs: number): boolean {
    if (!this.isWatching || this.#askedAtMs !== undefined) return false;
    this.#askedAtMs = nowMs;
    return true;
  }

  /** The application has answered. */
  answered(): void {
    this.#askedAtMs = undefined;
  }

  /** Whether one more call may begin; it is counted then. */
  take(isKnown: boolean, nowMs: number): boolean {
    const { callsPerSecond, lateMs = Number.POSITIVE_INFINITY } = this.#pacing;
    if (nowMs - (this.#askedAtMs ?? nowMs) >= lateMs) return false;
    if (callsPerSecond === undefined) return true;
    this.#fill(nowMs);
    const left = isKnown ? 0 : (this.#most - 1) * LEFT_FOR_KNOWN;
    if (this.#calls < 1 + left) return false;
    this.#calls -= 1;
    return true;
  }

  get #most(): number {
    const { callsPerSecond = 0 } = this.#pacing;
    return callsPerSecond === 0 ? 0 : Math.max(1, (callsPerSecond * SAVED_MS) / MS_PER_SECOND);
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = Math.max(nowMs, this.#filledAtMs);
    const { callsPerSecond = 0 } = this.#pacing;
    this.#calls = Math.min(this.#most, this.#calls + (elapsedMs * callsPerSecond) / MS_PER_SECOND);
  }
}
