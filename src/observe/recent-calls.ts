/** What is kept of the calls that have ended: as many as fit, the oldest leaves first. */

export interface RecentCallsOptions {
  /** Default 1000, as many as there are ladders. */
  readonly capacity?: number;
  /** Hears of a call that has left. */
  readonly onLeft?: (callId: string) => void;
}

const DEFAULT_CAPACITY = 1_000;

export class RecentCalls<Ended> {
  readonly #capacity: number;
  readonly #onLeft: (callId: string) => void;
  /** The one that ended first comes first. */
  readonly #calls = new Map<string, Ended>();

  constructor(options: RecentCallsOptions = {}) {
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
    this.#onLeft = options.onLeft ?? (() => undefined);
  }

  get size(): number {
    return this.#calls.size;
  }

  add(callId: string, ended: Ended): void {
    this.#calls.delete(callId);
    this.#calls.set(callId, ended);
    for (const oldest of this.#calls.keys()) {
      if (this.#calls.size <= this.#capacity) break;
      this.#calls.delete(oldest);
      this.#onLeft(oldest);
    }
  }

  get(callId: string): Ended | undefined {
    return this.#calls.get(callId);
  }

  /** The one that ended last comes first. */
  list(): Ended[] {
    return [...this.#calls.values()].toReversed();
  }
}
