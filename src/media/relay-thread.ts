/** One relay thread as the main thread sees it: commands out, events to the streams, its death noticed. */

import { Worker } from 'node:worker_threads';
import type { Side } from '../wire/side.ts';
import { closeLeft, type DescriptorMemory, wake } from './ffi/thread-descriptors.ts';
import type { FlowEvent } from './kernel/pool-flows.ts';
import type { LocalMedia, MediaListener, SentDigit } from './media-engine.ts';
import type { MediaCounters } from './relay-counters.ts';
import type {
  OpenFailure,
  RelayCommand,
  RelayEvent,
  RelayWorkerOptions,
} from './relay-protocol.ts';
import type { LearntSource } from './source-lock.ts';
import type { ResumedStream } from './stream-memory.ts';

/** The part of a worker thread that is used here. */
export interface RelayWorker {
  on(event: 'message', listener: (event: RelayEvent) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  postMessage(command: RelayCommand, transfer: []): void;
  terminate(): Promise<number>;
}

/** Starts a thread that speaks relay-protocol.ts. */
export type StartWorker = (options: RelayWorkerOptions) => RelayWorker;

/**
 * With `dgram` each packet makes a few objects, and V8 stops the thread the longer the more of them it has let come together:
 * with Node's own limit 2 ms, three times a second, at 500 calls. With `ffi` there are hardly any.
 */
const YOUNG_GENERATION_MB = 3;

/** Starts relay.worker.ts. */
export function startRelayWorker(options: RelayWorkerOptions): Worker {
  return new Worker(new URL('./relay.worker.ts', import.meta.url), {
    name: 'relay',
    workerData: options,
    resourceLimits: options.io === 'ffi' ? {} : { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
}

/** What Node says of a thread that cannot be started: of its own files, or of those it reads the program from. */
const NO_DESCRIPTORS = /\b(?:EMFILE|ENFILE)\b|too many open files/i;

/** How one attempt to bind the ports of a stream ended. */
export type OpenResult =
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly side: Side; readonly reason: OpenFailure }
  /** With the reason where it is known. */
  | { readonly type: 'lost'; readonly reason?: 'no-descriptors' | undefined };

/** What the thread tells the owner of a stream. */
export interface ThreadStream {
  readonly listener: MediaListener;
  /** A peer is not where SDP says. */
  learnt(side: Side, source: LearntSource): void;
  /** The first packet of a digit leaves. */
  digitStarted(to: Side, digitId: string): void;
  /** The first end packet of a digit leaves. */
  digitEnding(sent: SentDigit): void;
  /** The thread has closed the stream, or (`undefined`) died before it could. */
  closed(counters: MediaCounters | undefined): void;
  /** The thread died; its sockets are closed. */
  lost(): void;
}

/** Hears of the death of a thread, its last error and how many streams were on it. */
export type OnDeath = (error: Error | undefined, streams: number) => void;

/** What the owner of a thread hears of it. */
export interface ThreadListener {
  /** What the thread notes of the descriptors that Node knows nothing of. */
  readonly descriptors?: DescriptorMemory | undefined;
  readonly died: OnDeath;
  /** It moves packets by other means than it was told to. */
  fellBack(reason: string): void;
  /** A direction may go by the kernel, or may not any more; the answers go to `post`. */
  flow?(event: FlowEvent, post: (command: RelayCommand) => void): void;
}

export class RelayThread {
  readonly #worker: RelayWorker;
  readonly #opening = new Map<number, (result: OpenResult) => void>();
  readonly #streams = new Map<number, ThreadStream>();
  readonly #readers = new Map<number, (counters: MediaCounters | undefined) => void>();
  readonly #listener: ThreadListener;
  #lastRequestId = 0;
  /** What went wrong in the thread: it is on its way out. */
  #error: Error | undefined;
  #isAlive = true;

  constructor(worker: RelayWorker, listener: ThreadListener) {
    this.#worker = worker;
    this.#listener = listener;
    worker.on('message', (event: RelayEvent) => this.#receive(event));
    // 'exit' follows 'error' as well; only then the sockets are certainly closed.
    worker.on('error', (error: Error) => {
      this.#error = error;
    });
    worker.on('exit', () => this.#die());
  }

  /** Streams open or being opened. */
  get load(): number {
    return this.#opening.size + this.#streams.size;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Binds the ports of a stream, one that another thread had if `resumed`. */
  open(
    streamKey: number,
    legs: Readonly<Record<Side, LocalMedia>>,
    ...[nameKey, resumed]: [string, ResumedStream?]
  ): Promise<OpenResult> {
    if (!this.#isAlive) return Promise.resolve(this.#lostResult);
    return new Promise((resolve) => {
      this.#opening.set(streamKey, resolve);
      this.post({ type: 'openStream', streamKey, legs, nameKey, resumed });
    });
  }

  /** From now on the events of the stream go to `stream`. */
  attach(streamKey: number, stream: ThreadStream): void {
    // The thread may have died between opening the stream and this call.
    if (this.#isAlive) this.#streams.set(streamKey, stream);
    else queueMicrotask(() => stream.lost());
  }

  /** The counters now; `undefined` when the thread dies before it answers. */
  readCounters(streamKey: number): Promise<MediaCounters | undefined> {
    if (!this.#isAlive || !this.#streams.has(streamKey)) return Promise.resolve(undefined);
    this.#lastRequestId += 1;
    const requestId = this.#lastRequestId;
    return new Promise((resolve) => {
      this.#readers.set(requestId, resolve);
      this.post({ type: 'readCounters', streamKey, requestId });
    });
  }

  /** Sends a command; a dead thread takes none. */
  post(command: RelayCommand): void {
    if (!this.#isAlive) return;
    this.#worker.postMessage(command, []);
    this.#wake();
  }

  /** Ends the thread with everything on it. */
  async stop(): Promise<void> {
    await this.crash();
    this.#die();
  }

  /** Ends the thread as a crash would. */
  async crash(): Promise<void> {
    const end = this.#worker.terminate();
    // A thread that waits for packets notices when it goes on.
    this.#wake();
    await end;
  }

  #wake(): void {
    const { descriptors } = this.#listener;
    if (descriptors !== undefined) wake(descriptors);
  }

  #receive(event: RelayEvent): void {
    if (event.type === 'ioFallback') {
      this.#listener.fellBack(event.reason);
      return;
    }
    if (event.type === 'flowSteady' || event.type === 'flowBroken') {
      this.#listener.flow?.(event, (command) => this.post(command));
      return;
    }
    const { streamKey } = event;
    if (event.type === 'opened' || event.type === 'openFailed') {
      const resolve = this.#opening.get(streamKey);
      this.#opening.delete(streamKey);
      if (event.type === 'opened') resolve?.({ type: 'opened' });
      else resolve?.({ type: 'failed', side: event.side, reason: event.reason });
      return;
    }
    if (event.type === 'counters') {
      this.#readers.get(event.requestId)?.(event.counters);
      this.#readers.delete(event.requestId);
      return;
    }
    const stream = this.#streams.get(streamKey);
    if (stream !== undefined) this.#dispatch(stream, event);
  }

  #dispatch(
    stream: ThreadStream,
    event: Exclude<
      RelayEvent,
      FlowEvent | { type: 'ioFallback' | 'opened' | 'openFailed' | 'counters' }
    >,
  ): void {
    const { listener } = stream;
    switch (event.type) {
      case 'digitPressed':
        listener.digitPressed(event.digit);
        break;
      case 'digitReleased':
        listener.digitReleased(event.digit);
        break;
      case 'sourceLearnt':
        stream.learnt(event.side, event.learnt);
        break;
      case 'digitStarted':
        stream.digitStarted(event.to, event.digitId);
        break;
      case 'digitEnding':
        stream.digitEnding(event.sent);
        break;
      case 'digitSent':
        listener.digitSent(event.sent);
        break;
      case 'digitDropped':
        listener.digitDropped(event.dropped);
        break;
      case 'inactive':
        listener.inactive({ quietMs: event.quietMs });
        break;
      case 'observed':
        listener.observed?.(event.observation);
        break;
      case 'closed':
        this.#streams.delete(event.streamKey);
        stream.closed(event.counters);
        break;
    }
  }

  get #lostResult(): OpenResult {
    const isShort = this.#error !== undefined && NO_DESCRIPTORS.test(this.#error.message);
    return { type: 'lost', reason: isShort ? 'no-descriptors' : undefined };
  }

  #die(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    // Before anybody binds the ports again.
    if (this.#listener.descriptors !== undefined) closeLeft(this.#listener.descriptors);
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const resolve of this.#opening.values()) resolve(this.#lostResult);
    for (const resolve of this.#readers.values()) resolve(undefined);
    this.#opening.clear();
    this.#readers.clear();
    this.#listener.died(this.#error, streams.length);
    for (const stream of streams) stream.lost();
  }
}
