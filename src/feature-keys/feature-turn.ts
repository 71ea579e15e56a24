/** One request to an account on its way through the queue: its deadline, and what outlives it. */

/** How long the queue of an account waits for an operation that missed its deadline. */
const HOLD_MS = 10_000;

export type Settled<T> =
  | { readonly type: 'value'; readonly value: T }
  | { readonly type: 'error'; readonly error: unknown }
  | { readonly type: 'timeout' };

export class Turn {
  readonly #controller = new AbortController();
  readonly #deadline = Promise.withResolvers<{ readonly type: 'timeout' }>();
  readonly #timer: NodeJS.Timeout;
  readonly #startedAtMs = performance.now();
  readonly #deadlineMs: number;
  #held: Promise<void> | undefined;
  #isDetached = false;

  /** The time runs from now on, waiting in the queue included. */
  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    this.#timer = setTimeout(() => {
      this.#controller.abort();
      this.#deadline.resolve({ type: 'timeout' });
    }, deadlineMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Settles at the deadline, or never when the turn ends before. */
  get deadline(): Promise<{ readonly type: 'timeout' }> {
    return this.#deadline.promise;
  }

  get isOver(): boolean {
    return this.#controller.signal.aborted;
  }

  /** The queue has gone on without the operation that is held. */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  get remainingMs(): number {
    return Math.max(0, Math.round(this.#deadlineMs - (performance.now() - this.#startedAtMs)));
  }

  /** Waits for an operation, at most until the deadline. Never rejects. */
  async within<T>(operation: Promise<T>): Promise<Settled<T>> {
    try {
      const first = operation.then((value): Settled<T> => ({ type: 'value', value }));
      return await Promise.race([first, this.#deadline.promise]);
    } catch (error) {
      return { type: 'error', error };
    }
  }

  /** Keeps the queue of the account until `operation` is done, which must not reject. */
  hold(operation: Promise<void>): void {
    this.#held = operation;
  }

  /** Settles when the next one may have its turn. */
  async finished(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#held === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const remainingMs = HOLD_MS - (performance.now() - this.#startedAtMs);
    const timer = setTimeout(
      () => {
        this.#isDetached = true;
        resolve();
      },
      Math.max(0, remainingMs),
    );
    await Promise.race([this.#held, promise]);
    clearTimeout(timer);
  }
}
