/** Random numbers that are the same in every run: ids and ports of a simulated call can be compared. */

const GOLDEN = 0x6d2b79f5;

/** The generator known as mulberry32: enough for tags and ports, nothing for secrets. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 up to but not including 1. */
  next(): number {
    this.#state = (this.#state + GOLDEN) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let index = 0; index < count; index += 1) bytes[index] = Math.floor(this.next() * 256);
    return bytes;
  }

  reset(seed: number): void {
    this.#state = seed >>> 0;
  }
}
