/** One timer for many items, set to the earliest of their deadlines; digits are paced by it. */

import { Deadlines } from './deadlines.ts';

/** Timers count whole milliseconds and so come early by up to half of one. */
const TIMER_SLACK_MS = 0.5;

/** Calls `run` once at `atMs` of `performance.now()`, instead of what was to be called before. */
export type SetTimer = (atMs: number, run: () => void) => void;

export class SharedTimer<Item> {
  readonly #deadlines = new Deadlines<Item>();
  readonly #onDue: (item: Item, nowMs: number) => void;
  readonly #setTimer: SetTimer;
  readonly #runDue = (): void => this.#run();
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  /** `setTimer`: default, a timer of Node. */
  constructor(onDue: (item: Item, nowMs: number) => void, setTimer?: SetTimer) {
    this.#onDue = onDue;
    this.#setTimer = setTimer ?? ((atMs, run) => this.#setNodeTimer(atMs, run));
  }

  /**
   * `item` is due at `atMs`, or earlier if that was said before: a deadline that has moved back is found out when it
   * comes, fewer moves than packets.
   */
  setBy(item: Item, atMs: number): void {
    if (atMs >= (this.#deadlines.get(item) ?? Infinity)) return;
    this.#deadlines.set(item, atMs);
    if (atMs < this.#timerAtMs) this.#arm(atMs);
  }

  delete(item: Item): void {
    this.#deadlines.delete(item);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(atMs: number): void {
    this.#timerAtMs = atMs;
    this.#setTimer(atMs, this.#runDue);
  }

  #setNodeTimer(atMs: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, Math.max(1, Math.round(atMs - performance.now())));
  }

  #run(): void {
    // What is set meanwhile is looked at below.
    this.#timerAtMs = -Infinity;
    for (;;) {
      const nowMs = performance.now();
      const due = this.#deadlines.takeDue(nowMs + TIMER_SLACK_MS);
      if (due === undefined) break;
      this.#onDue(due.item, Math.max(nowMs, due.atMs));
    }
    this.#timerAtMs = Infinity;
    const { nextAtMs } = this.#deadlines;
    if (nextAtMs !== undefined) this.#arm(nextAtMs);
  }
}
