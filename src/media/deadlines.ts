/**
 * When each of many items wants to be looked at: a binary heap with one entry per item that counts.
 * Moved and cancelled entries stay in the heap until their time and are skipped then.
 */

/** An item with its deadline. */
export interface Deadline<Item> {
  readonly item: Item;
  readonly atMs: number;
}

export class Deadlines<Item> {
  readonly #heap: Deadline<Item>[] = [];
  readonly #current = new Map<Item, number>();

  /** Sets or moves the deadline of `item`. */
  set(item: Item, atMs: number): void {
    if (this.#current.get(item) === atMs) return;
    this.#current.set(item, atMs);
    this.#heap.push({ item, atMs });
    this.#siftUp(this.#heap.length - 1);
  }

  /** Forgets `item`. */
  delete(item: Item): void {
    this.#current.delete(item);
  }

  /** The deadline of `item`. */
  get(item: Item): number | undefined {
    return this.#current.get(item);
  }

  /** The earliest deadline. */
  get nextAtMs(): number | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return undefined;
      if (this.#isCurrent(first)) return first.atMs;
      this.#pop();
    }
  }

  /** Removes and returns an item whose deadline is at or before `nowMs`. */
  takeDue(nowMs: number): Deadline<Item> | undefined {
    const dueMs = this.nextAtMs;
    if (dueMs === undefined || dueMs > nowMs) return undefined;
    const due = this.#pop();
    if (due !== undefined) this.#current.delete(due.item);
    return due;
  }

  #isCurrent(entry: Deadline<Item>): boolean {
    return this.#current.get(entry.item) === entry.atMs;
  }

  #pop(): Deadline<Item> | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#heap[0] = last;
      this.#siftDown();
    }
    return first;
  }

  #siftUp(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#atMs(parent) <= this.#atMs(index)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #siftDown(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = this.#atMs(left + 1) < this.#atMs(left) ? left + 1 : left;
      if (this.#atMs(index) <= this.#atMs(child)) return;
      this.#swap(index, child);
      index = child;
    }
  }

  /** Behind the end of the heap everything is later than anything. */
  #atMs(index: number): number {
    return this.#heap[index]?.atMs ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
