/** A thread that answers requests: started, asked, replaced when it dies or hangs. */

import type { Worker } from 'node:worker_threads';
import type { FromThread, ToThread } from './thread-protocol.ts';

/** A thread that says nothing for this long after a request of it ran out of time is taken for hung. */
const PONG_TIMEOUT_MS = 5000;

/** Least time between two starts, so that a thread that dies at once does not keep the machine busy. */
const RESTART_PAUSE_MS = 1000;

export interface ThreadOptions {
  /** Of the thread, for errors. */
  readonly name: string;
  readonly start: () => Worker;
  readonly onEvent?: (event: unknown) => void;
  /** Hears why a thread died that was not told to. */
  readonly onDeath: (reason: string) => void;
  /** Another one has taken its place. */
  readonly onRestart?: () => void;
}

interface Waiting {
  /** Takes what the caller said it expects: the protocol between both threads is not checked at run time. */
  resolve(result: unknown): void;
  reject(error: Error): void;
}

type State =
  | { readonly type: 'starting'; readonly thread: Promise<RunningThread> }
  | { readonly type: 'running'; readonly thread: RunningThread }
  | { readonly type: 'dead'; readonly reason: string }
  | { readonly type: 'closed' };

export class ThreadCalls {
  readonly #options: ThreadOptions;
  #state: State = { type: 'closed' };
  #startedAtMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  private constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** @throws Error with the thread's own words when it cannot do its work. */
  static async start(options: ThreadOptions): Promise<ThreadCalls> {
    const calls = new ThreadCalls(options);
    await calls.#start();
    return calls;
  }

  /**
   * Asks the thread. An abort is passed on to it, and makes sure that it lives; the answer still comes when it comes.
   *
   * @throws Error when the thread says that it failed, or dies.
   */
  async call<Result>(request: unknown, signal?: AbortSignal): Promise<Result> {
    const thread = await this.#thread();
    return thread.call<Result>(request, signal);
  }

  /** Sends `last` as the last request and ends the thread after its answer, at the latest after `withinMs`. */
  async close(last: unknown, withinMs: number): Promise<void> {
    const state = this.#state;
    this.#state = { type: 'closed' };
    clearTimeout(this.#restartTimer);
    if (state.type === 'closed' || state.type === 'dead') return;
    // One that is just starting and fails is closed as well.
    const thread = await Promise.resolve(state.thread).catch(() => undefined);
    await thread?.close(last, withinMs);
  }

  #thread(): Promise<RunningThread> | RunningThread {
    const state = this.#state;
    if (state.type === 'running' || state.type === 'starting') return state.thread;
    if (state.type === 'closed') throw new Error(`${this.#options.name} is closed`);
    throw new Error(`${this.#options.name} died: ${state.reason}`);
  }

  async #start(): Promise<RunningThread> {
    this.#startedAtMs = performance.now();
    const thread = RunningThread.start(this.#options, (reason) => this.#died(reason));
    const starting: State = { type: 'starting', thread };
    this.#state = starting;
    try {
      const running = await thread;
      // Closed or dead in the meantime: then it stays so.
      if (this.#state === starting) this.#state = { type: 'running', thread: running };
      return running;
    } catch (error) {
      if (this.#state === starting) this.#state = { type: 'dead', reason: messageOf(error) };
      throw error;
    }
  }

  #died(reason: string): void {
    if (this.#state.type === 'closed') return;
    this.#state = { type: 'dead', reason };
    this.#options.onDeath(reason);
    this.#restartLater();
  }

  /** One start per pause, until one succeeds. */
  #restartLater(): void {
    const delayMs = Math.max(0, this.#startedAtMs + RESTART_PAUSE_MS - performance.now());
    this.#restartTimer = setTimeout(() => {
      this.#start().then(
        () => this.#options.onRestart?.(),
        () => {
          if (this.#state.type === 'dead') this.#restartLater();
        },
      );
    }, delayMs);
    this.#restartTimer.unref();
  }
}

class RunningThread {
  readonly #name: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #lastId = 0;
  #pongTimer: NodeJS.Timeout | undefined;
  #error: string | undefined;

  private constructor(options: ThreadOptions) {
    this.#name = options.name;
    this.#worker = options.start();
    this.#worker.on('error', (error: Error) => {
      this.#error = messageOf(error);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => resolve());
    });
  }

  static start(options: ThreadOptions, died: (reason: string) => void): Promise<RunningThread> {
    const thread = new RunningThread(options);
    return new Promise((resolve, reject) => {
      let isReady = false;
      thread.#worker.on('message', (message: FromThread) => {
        if (message.type === 'ready') {
          isReady = true;
          resolve(thread);
        } else {
          thread.#receive(message, options);
        }
      });
      thread.#worker.once('exit', () => {
        const reason = thread.#error ?? 'the thread ended';
        thread.#end(`${thread.#name} died: ${reason}`);
        if (isReady) died(reason);
        else reject(new Error(reason));
      });
    });
  }

  call<Result>(request: unknown, signal: AbortSignal | undefined): Promise<Result> {
    const id = ++this.#lastId;
    const onAbort = (): void => this.#abort(id);
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // A value that cannot be cloned throws here, which rejects.
      this.#post({ type: 'request', id, request });
      signal?.addEventListener('abort', onAbort, { once: true });
    }).finally(() => {
      this.#waiting.delete(id);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  async close(last: unknown, withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    // Whatever it answers, it ends; what waits in front of it is answered first.
    const answered = this.call<unknown>(last, undefined).catch(() => undefined);
    await Promise.race([answered, tooLate]);
    clearTimeout(timer);
    await this.#worker.terminate();
    await this.#exited;
  }

  #receive(message: Exclude<FromThread, { type: 'ready' }>, options: ThreadOptions): void {
    switch (message.type) {
      case 'done':
        this.#waiting.get(message.id)?.resolve(message.result);
        return;
      case 'failed':
        this.#waiting.get(message.id)?.reject(new Error(message.message));
        return;
      case 'event':
        options.onEvent?.(message.event);
        return;
      case 'unusable':
        this.#error = message.message;
        void this.#worker.terminate();
        return;
      case 'pong':
        clearTimeout(this.#pongTimer);
        this.#pongTimer = undefined;
    }
  }

  #abort(id: number): void {
    if (!this.#waiting.has(id)) return;
    this.#post({ type: 'abort', id });
    if (this.#pongTimer !== undefined) return;
    this.#post({ type: 'ping' });
    this.#pongTimer = setTimeout(() => {
      this.#error = 'it hangs';
      void this.#worker.terminate();
    }, PONG_TIMEOUT_MS);
  }

  #end(reason: string): void {
    clearTimeout(this.#pongTimer);
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(reason));
    this.#waiting.clear();
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message, []);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
