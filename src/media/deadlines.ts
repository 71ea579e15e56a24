/**
 * When each of many items wants to be looked at: a wheel of slots of 1 ms, in which setting, moving and forgetting a
 * deadline take the same short time however many there are.
 *
 *   slots   … | 20  276 | 21 |  | 23 23 | 24 | …      deadlines by their whole milliseconds modulo 256
 *               ^ from: no deadline is before it; 276 waits for the next turn
 */

/** Power of two; deadlines are seldom further ahead than the longest pause within a digit. */
const SLOTS = 256;
const SLOT_MASK = SLOTS - 1;

/** An item with its deadline. */
export interface Deadline<Item> {
  readonly item: Item;
  readonly atMs: number;
}

interface Entry<Item> {
  readonly item: Item;
  atMs: number;
  /** Its place in its slot. */
  place: number;
}

export class Deadlines<Item> {
  readonly #slots: Entry<Item>[][] = Array.from({ length: SLOTS }, () => []);
  readonly #entries = new Map<Item, Entry<Item>>();
  /** The whole millisecond before which there is no deadline. */
  #fromMs = 0;

  /** Sets or moves the deadline of `item`. */
  set(item: Item, atMs: number): void {
    const known = this.#entries.get(item);
    if (known === undefined) {
      const entry = { item, atMs, place: 0 };
      if (this.#entries.size === 0) this.#fromMs = Math.floor(atMs);
      this.#entries.set(item, entry);
      this.#put(entry);
    } else if (known.atMs !== atMs) {
      this.#take(known);
      known.atMs = atMs;
      this.#put(known);
    }
  }

  /** Forgets `item`. */
  delete(item: Item): void {
    const entry = this.#entries.get(item);
    if (entry !== undefined) this.#remove(entry);
  }

  /** The deadline of `item`. */
  get(item: Item): number | undefined {
    return this.#entries.get(item)?.atMs;
  }

  /** The earliest deadline. */
  get nextAtMs(): number | undefined {
    return this.#earliestOf(this.#nextSlot())?.atMs;
  }

  /** Removes and returns an item whose deadline is at or before `nowMs`, in the order of whole milliseconds. */
  takeDue(nowMs: number): Deadline<Item> | undefined {
    const slot = this.#nextSlot();
    // In a millisecond that is over anyone will do.
    const isOver = this.#fromMs + 1 <= nowMs;
    const entry = isOver
      ? slot.findLast((candidate) => this.#isOfThisTurn(candidate))
      : this.#earliestOf(slot);
    if (entry === undefined || entry.atMs > nowMs) return undefined;
    this.#remove(entry);
    return { item: entry.item, atMs: entry.atMs };
  }

  /** The slot of the earliest deadline, to which `#fromMs` moves; an empty one if there is none. */
  #nextSlot(): Entry<Item>[] {
    if (this.#entries.size === 0) return [];
    const lastMs = this.#fromMs + SLOT_MASK;
    for (; this.#fromMs <= lastMs; this.#fromMs++) {
      const slot = this.#slotAt(this.#fromMs);
      if (slot.some((entry) => this.#isOfThisTurn(entry))) return slot;
    }
    // Nothing for a whole turn.
    let earliestMs = Infinity;
    for (const { atMs } of this.#entries.values()) earliestMs = Math.min(earliestMs, atMs);
    this.#fromMs = Math.floor(earliestMs);
    return this.#slotAt(this.#fromMs);
  }

  #isOfThisTurn(entry: Entry<Item>): boolean {
    return entry.atMs < this.#fromMs + 1;
  }

  #earliestOf(slot: readonly Entry<Item>[]): Entry<Item> | undefined {
    let earliest: Entry<Item> | undefined;
    for (const entry of slot) {
      if (earliest === undefined || entry.atMs < earliest.atMs) earliest = entry;
    }
    return earliest;
  }

  #slotAt(atMs: number): Entry<Item>[] {
    const slot = this.#slots[Math.floor(atMs) & SLOT_MASK];
    if (slot === undefined) throw new Error('a wheel has a slot for each millisecond');
    return slot;
  }

  #put(entry: Entry<Item>): void {
    const slot = this.#slotAt(entry.atMs);
    entry.place = slot.length;
    slot.push(entry);
    this.#fromMs = Math.min(this.#fromMs, Math.floor(entry.atMs));
  }

  #take(entry: Entry<Item>): void {
    const slot = this.#slotAt(entry.atMs);
    const last = slot.pop();
    if (last === undefined || last === entry) return;
    slot[entry.place] = last;
    last.place = entry.place;
  }

  #remove(entry: Entry<Item>): void {
    this.#entries.delete(entry.item);
    this.#take(entry);
  }
}
