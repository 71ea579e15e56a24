/**
 * How many events fell into the last `windowMs`: a sliding window, exact to the millisecond.
 *
 *   now - windowMs          now
 *        |  x   xx     x    |         events of one millisecond share an entry,
 *        '---- counted -----'         so a window never holds more entries than milliseconds
 *
 * Pure: time is an argument; one that runs backwards counts as standing still.
 */
export class RateWindow {
  readonly windowMs: number;
  #entries: { readonly atMs: number; count: number }[] = [];
  /** Entries before this one have left the window. */
  #first = 0;
  #count = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** Events in the window that ends at `nowMs`. */
  count(nowMs: number): number {
    this.#advance(nowMs);
    return this.#count;
  }

  /** How long after `nowMs` fewer than `limit` events, which is at least 1, are left; 0 if that is so now. */
  freeAfterMs(limit: number, nowMs: number): number {
    const atMs = this.#advance(nowMs);
    let left = this.#count;
    for (const entry of this.#entries.slice(this.#first)) {
      if (left < limit) break;
      left -= entry.count;
      if (left < limit) return entry.atMs + this.windowMs - atMs;
    }
    return 0;
  }

  add(nowMs: number): void {
    const atMs = this.#advance(nowMs);
    const last = this.#entries.at(-1);
    if (last?.atMs === atMs) last.count += 1;
    else this.#entries.push({ atMs, count: 1 });
    this.#count += 1;
  }

  /** Lets the entries go that are `windowMs` old, and returns the time in whole milliseconds. */
  #advance(nowMs: number): number {
    this.#lastMs = Math.max(this.#lastMs, Math.floor(nowMs));
    let entry = this.#entries[this.#first];
    while (entry !== undefined && this.#lastMs - entry.atMs >= this.windowMs) {
      this.#count -= entry.count;
      this.#first += 1;
      entry = this.#entries[this.#first];
    }
    // Half of the list being dead, it is copied: a constant share of each event.
    if (this.#first > 0 && this.#first * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return this.#lastMs;
  }
}
