/** Time that passes from event to event, not by itself: what is due first happens next, ties in the order they were set. */

interface Due {
  readonly atMs: number;
  readonly number: number;
  readonly action: () => void;
}

export class VirtualClock {
  #nowMs = 0;
  #lastNumber = 0;
  /** What is due last comes first. */
  #due: Due[] = [];

  /** Since the start, milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Has `action` run after `delayMs`, less than 0 being 0; the number cancels it. */
  schedule(delayMs: number, action: () => void): number {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const atMs = this.#nowMs + Math.max(0, delayMs);
    // Most events are due later than all others or nearly so: the search begins at the end that is farther away.
    const index = this.#due.findIndex((other) => other.atMs <= atMs);
    this.#due.splice(index < 0 ? this.#due.length : index, 0, { atMs, number, action });
    return number;
  }

  /** What has happened or was never set is no matter. */
  cancel(number: number): void {
    const index = this.#due.findIndex((due) => due.number === number);
    if (index >= 0) this.#due.splice(index, 1);
  }

  /** Goes to the next event and runs it; false when there is none. */
  step(): boolean {
    const next = this.#due.pop();
    if (next === undefined) return false;
    this.#nowMs = next.atMs;
    next.action();
    return true;
  }

  /** Forgets every event and begins at 0 again. */
  reset(): void {
    this.#due = [];
    this.#nowMs = 0;
  }
}
