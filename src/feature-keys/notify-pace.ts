/**
 * Spreads fan-out NOTIFYs of the whole server over time: a token bucket with one queue in front.
 *
 * Only names of dialogs wait here; what a dialog is told is read from its due marks when its turn comes,
 * so a long queue loses nothing and costs one entry per dialog.
 */

/** Tokens that an idle server has saved up, in seconds of its rate. */
const BURST_SECONDS = 0.1;

export class NotifyPace {
  #perSecond: number;
  #tokens: number;
  #refilledAtMs = 0;
  /** In order of asking; a set keeps the place of the first asking. */
  readonly #waiting = new Set<string>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = this.#burst();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** From now on; whoever waits keeps the place. */
  setRate(perSecond: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#perSecond = perSecond;
    this.#tokens = Math.min(this.#tokens, this.#burst());
  }

  /** Puts `dialog` at the end of the queue, unless it waits already. */
  ask(dialog: string): void {
    this.#waiting.add(dialog);
  }

  /** Takes `dialog` out of the queue: it ended, or was told on another occasion. */
  drop(dialog: string): void {
    this.#waiting.delete(dialog);
  }

  /** The dialogs whose turn has come, in order; each has left the queue and paid its token. */
  take(nowMs: number): string[] {
    this.#refill(nowMs);
    const turns: string[] = [];
    for (const dialog of this.#waiting) {
      if (this.#tokens < 1) break;
      this.#tokens -= 1;
      turns.push(dialog);
    }
    for (const dialog of turns) this.#waiting.delete(dialog);
    return turns;
  }

  /** When `take` will give somebody; `undefined` while nobody waits. */
  nextAtMs(nowMs: number): number | undefined {
    if (this.#waiting.size === 0) return undefined;
    this.#refill(nowMs);
    const missing = Math.max(0, 1 - this.#tokens);
    return nowMs + Math.ceil((missing * 1000) / this.#perSecond);
  }

  #refill(nowMs: number): void {
    // A clock that was set back gives nothing, and starts anew from where it is.
    const elapsedMs = Math.max(0, nowMs - this.#refilledAtMs);
    this.#refilledAtMs = nowMs;
    this.#tokens = Math.min(this.#burst(), this.#tokens + (elapsedMs * this.#perSecond) / 1000);
  }

  #burst(): number {
    return Math.max(1, Math.ceil(this.#perSecond * BURST_SECONDS));
  }
}
