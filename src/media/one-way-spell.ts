/** When to say that only one peer is heard, and when that it is over. Pure. */
import type { Side } from '../wire/side.ts';
import type { OneWay } from './one-way-watch.ts';

/** Shorter spells are silence suppression, or a key. */
const LEAST_MS = 3000;

export class OneWaySpell {
  #from: Side | undefined;
  #durationMs = 0;
  #isReported = false;

  /**
   * Takes the outcome of a look at the stream.
   *
   * @returns the side that alone is heard, or `over`, when either is news
   */
  look(found: OneWay | undefined): Side | 'over' | undefined {
    if (found === undefined || (this.#from !== undefined && found.from !== this.#from)) {
      const wasReported = this.#isReported;
      this.#from = undefined;
      this.#durationMs = 0;
      this.#isReported = false;
      return wasReported ? 'over' : undefined;
    }
    this.#from = found.from;
    this.#durationMs += found.durationMs;
    if (this.#isReported || this.#durationMs < LEAST_MS) return undefined;
    this.#isReported = true;
    return found.from;
  }
}
