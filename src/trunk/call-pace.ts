/** Lets calls through at a pace. Time is an argument; a step back counts as none. */
export class CallPace {
  #perSecond: number | undefined;
  #calls = 0;
  #filledAtMs = 0;

  /** So many from now on, `undefined`: all, 0: none. What was saved up before is kept within the new bound. */
  set(perSecond: number | undefined, nowMs: number): void {
    if (this.#perSecond === undefined) {
      this.#calls = 0;
      this.#filledAtMs = nowMs;
    } else this.#fill(nowMs);
    this.#perSecond = perSecond;
  }

  /** Whether one more may pass. */
  take(nowMs: number): boolean {
    if (this.#perSecond === undefined) return true;
    this.#fill(nowMs);
    if (this.#calls < 1) return false;
    this.#calls -= 1;
    return true;
  }

  #fill(nowMs: number): void {
    const perSecond = this.#perSecond ?? 0;
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = Math.max(nowMs, this.#filledAtMs);
    const most = perSecond === 0 ? 0 : Math.max(1, (perSecond * SAVED_MS) / MS_PER_SECOND);
    this.#calls = Math.min(most, this.#calls + (elapsedMs * perSecond) / MS_PER_SECOND);
  }
}

/** A longer pause makes no burst of more than this. */
const SAVED_MS = 100;
const MS_PER_SECOND = 1000;
