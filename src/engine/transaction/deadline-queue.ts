/**
 * One queue of deadlines for all transactions: a binary heap, so that setting and finding the next is cheap with
 * tens of thousands of them. A deadline that was moved stays in the heap until it comes up and is then skipped.
 */
export class DeadlineQueue<Item> {
  readonly #heap: { readonly atMs: number; readonly item: Item }[] = [];
  readonly #deadlines = new Map<Item, number>();

  /** Number of items with a deadline. */
  get size(): number {
    return this.#deadlines.size;
  }

  /** The earliest deadline. */
  get nextAtMs(): number | undefined {
    this.#dropMoved();
    return this.#heap[0]?.atMs;
  }

  /** Sets the deadline of `item` in place of its old one; `undefined` and infinity: it has none. */
  set(item: Item, atMs: number | undefined): void {
    if (atMs === undefined || atMs === Number.POSITIVE_INFINITY) {
      this.#deadlines.delete(item);
      return;
    }
    if (this.#deadlines.get(item) === atMs) return;
    this.#deadlines.set(item, atMs);
    this.#heap.push({ atMs, item });
    this.#siftUp(this.#heap.length - 1);
  }

  /** Removes and returns the item with the earliest deadline if that has come. */
  takeDue(nowMs: number): Item | undefined {
    this.#dropMoved();
    const first = this.#heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    this.#deadlines.delete(first.item);
    this.#removeFirst();
    return first.item;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#deadlines.clear();
  }

  #dropMoved(): void {
    let first = this.#heap[0];
    while (first !== undefined && this.#deadlines.get(first.item) !== first.atMs) {
      this.#removeFirst();
      first = this.#heap[0];
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown();
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
      const smaller = this.#atMs(left + 1) < this.#atMs(left) ? left + 1 : left;
      if (this.#atMs(index) <= this.#atMs(smaller)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }

  #atMs(index: number): number {
    return this.#heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(left: number, right: number): void {
    const one = this.#heap[left];
    const other = this.#heap[right];
    if (one === undefined || other === undefined) throw new RangeError('index outside the heap');
    this.#heap[left] = other;
    this.#heap[right] = one;
  }
}
