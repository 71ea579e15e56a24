/**
 * The descriptors that a relay thread opened behind Node's back, in memory it shares with the main thread.
 *
 *   | places in use | wake + 1 | descriptor + 1, or 0 | … |
 *
 * Node closes nothing of them when the thread dies; the main thread does, so that the thread that takes its place finds
 * the ports free. Only the thread itself closes them while it lives: a number never stands for another file.
 */

import { closeSync, writeSync } from 'node:fs';

/** Four sockets a stream and the two of the thread; memory is only taken for those in use. */
export const PLACES = 65_536;
const PLACES_AT = 0;
const WAKE_AT = 1;
const FIRST_AT = 2;

/** What `eventfd` takes: a number of eight bytes that is added to its own. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

export type DescriptorMemory = Int32Array<SharedArrayBuffer>;

export function newDescriptorMemory(): DescriptorMemory {
  const bytes = (FIRST_AT + PLACES) * Int32Array.BYTES_PER_ELEMENT;
  return new Int32Array(new SharedArrayBuffer(bytes));
}

/** The side of the thread: notes each descriptor before it is bound to anything. */
export class OwnDescriptors {
  readonly #memory: DescriptorMemory;
  readonly #free: number[] = [];

  constructor(memory: DescriptorMemory) {
    this.#memory = memory;
  }

  /** The place of the descriptor, counted from 0; `undefined`: there is none left. */
  add(descriptor: number): number | undefined {
    let place = this.#free.pop();
    if (place === undefined) {
      place = Atomics.load(this.#memory, PLACES_AT);
      if (place === PLACES) return undefined;
      Atomics.store(this.#memory, PLACES_AT, place + 1);
    }
    Atomics.store(this.#memory, FIRST_AT + place, descriptor + 1);
    return place;
  }

  /** To be called right before the descriptor is closed: behind it the number may be anybody's. */
  delete(place: number): void {
    Atomics.store(this.#memory, FIRST_AT + place, 0);
    this.#free.push(place);
  }

  /** The descriptor that ends the thread's waiting. */
  setWake(descriptor: number): void {
    Atomics.store(this.#memory, WAKE_AT, descriptor + 1);
  }
}

/** Lets the thread look at its messages now; without effect before it waits and behind its end. */
export function wake(memory: DescriptorMemory): void {
  const descriptor = Atomics.load(memory, WAKE_AT) - 1;
  if (descriptor < 0) return;
  try {
    writeSync(descriptor, ONE);
  } catch {
    // It counts higher than anybody could have woken it: it is awake.
  }
}

/** Closes what is left, by `close`; to be called when the thread has ended, or by itself at its end. */
export function closeLeft(memory: DescriptorMemory, close = closeQuietly): void {
  Atomics.store(memory, WAKE_AT, 0);
  const places = Atomics.load(memory, PLACES_AT);
  for (let place = 0; place < places; place++) {
    const descriptor = Atomics.exchange(memory, FIRST_AT + place, 0) - 1;
    if (descriptor >= 0) close(descriptor);
  }
}

function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // It was noted but not opened any more.
  }
}
