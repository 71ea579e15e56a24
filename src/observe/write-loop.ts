/** Runs the writing of what collects in memory: one piece at a time, pauses between, longer ones after failures. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface WriteLoopOptions {
  /** How long is collected after a piece before the next one is written. */
  readonly pauseMs: number;
  /** Wait after a failure, doubled with each further one. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** Whether there is anything to write. */
  readonly hasWork: () => boolean;
  /** Writes some of it; `more`: the next piece should not wait. A rejection is a failure. */
  readonly write: () => Promise<'more' | 'collect'>;
  readonly onFailure: (error: unknown) => void;
}

type LoopState =
  | { readonly type: 'idle' }
  | { readonly type: 'writing'; readonly done: Promise<void> }
  /** The last piece failed; woken by the clock only. */
  | { readonly type: 'failed'; readonly timer: NodeJS.Timeout };

export class WriteLoop {
  readonly #options: WriteLoopOptions;
  /** Ends pauses, and allows no further one. */
  readonly #closing = new AbortController();
  #state: LoopState = { type: 'idle' };
  #retryMs: number;

  constructor(options: WriteLoopOptions) {
    this.#options = options;
    this.#retryMs = options.retryMs;
  }

  /** There is work; never throws and never waits. */
  wake(): void {
    if (this.#state.type !== 'idle' || !this.#options.hasWork()) return;
    this.#state = { type: 'writing', done: this.#run() };
  }

  /** Writes what is left, once, and waits no longer; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#state.type === 'writing') await this.#state.done;
    this.#leaveFailure();
    this.wake();
    if (this.#state.type === 'writing') await this.#state.done;
    this.#leaveFailure();
  }

  async #run(): Promise<void> {
    // The caller has to have noted this run before it can end.
    await Promise.resolve();
    const { hasWork, write, onFailure } = this.#options;
    try {
      while (hasWork()) {
        const next = await write();
        this.#retryMs = this.#options.retryMs;
        if (next === 'collect') await this.#pause();
      }
      this.#state = { type: 'idle' };
    } catch (error) {
      this.#state = { type: 'failed', timer: this.#retryLater() };
      onFailure(error);
    }
  }

  #retryLater(): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#state = { type: 'idle' };
      this.wake();
    }, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, this.#options.maxRetryMs);
    return timer.unref();
  }

  #leaveFailure(): void {
    if (this.#state.type !== 'failed') return;
    clearTimeout(this.#state.timer);
    this.#state = { type: 'idle' };
  }

  async #pause(): Promise<void> {
    const { signal } = this.#closing;
    await sleep(this.#options.pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
