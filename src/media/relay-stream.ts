/** One stream of the relay pool on the main thread; the packets are in its relay thread. */

import { SIDES, type Side } from '../wire/side.ts';
import { createLegCounters, type MediaCounters } from './relay-counters.ts';
import { withUsableRemote } from './remote-address.ts';
import type { RelayThread, ThreadStream } from './relay-thread.ts';
import type {
  LocalMedia,
  MediaListener,
  MediaStream,
  PlayedDigit,
  StreamUpdate,
} from './media-engine.ts';

/**
 *   open --close()--> closing --'closed' or death of the thread--> closed
 *     |                                                              ^
 *     +---------------- death of the thread (listener.lost) ---------+
 *
 * `onClosed` is called once, when the sockets are certainly gone.
 */
type StreamState = 'open' | 'closing' | 'closed';

export interface RelayStreamOptions {
  readonly streamId: string;
  readonly streamKey: number;
  readonly thread: RelayThread;
  readonly listener: MediaListener;
  /** Bound addresses and ports. */
  readonly bound: Readonly<Record<Side, LocalMedia>>;
  /** The same as written in SDP. */
  readonly local: Readonly<Record<Side, LocalMedia>>;
  readonly onClosed: () => void;
}

export class RelayStream implements MediaStream, ThreadStream {
  readonly type = 'stream';
  readonly streamId: string;
  readonly local: Readonly<Record<Side, LocalMedia>>;
  readonly listener: MediaListener;
  readonly #options: RelayStreamOptions;
  readonly #closed = Promise.withResolvers<MediaCounters>();
  #state: StreamState = 'open';
  #lastCounters: MediaCounters = { caller: createLegCounters(), callee: createLegCounters() };

  constructor(options: RelayStreamOptions) {
    const { streamId, local, listener, thread, streamKey } = options;
    this.streamId = streamId;
    this.local = local;
    this.listener = listener;
    this.#options = options;
    thread.attach(streamKey, this);
  }

  update(update: StreamUpdate): void {
    if (this.#state !== 'open') return;
    const { thread, streamKey, bound } = this.#options;
    const { caller, callee } = update.legs;
    const legs = {
      caller: withUsableRemote(caller, bound.caller.address),
      callee: withUsableRemote(callee, bound.callee.address),
    };
    thread.post({ type: 'updateStream', streamKey, update: { legs, events: update.events } });
  }

  playDigit(to: Side, digit: PlayedDigit): void {
    const { thread, streamKey, listener } = this.#options;
    if (this.#state === 'open') thread.post({ type: 'playDigit', streamKey, to, digit });
    else listener.digitDropped({ to, digitId: digit.digitId, reason: 'stream-closed' });
  }

  async counters(): Promise<MediaCounters> {
    const { thread, streamKey } = this.#options;
    if (this.#state === 'open') {
      this.#lastCounters = (await thread.readCounters(streamKey)) ?? this.#lastCounters;
    }
    return this.#lastCounters;
  }

  close(): Promise<MediaCounters> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      const { thread, streamKey } = this.#options;
      thread.post({ type: 'closeStream', streamKey });
    }
    return this.#closed.promise;
  }

  /** Called by the thread. */
  closed(counters: MediaCounters | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (counters !== undefined) this.#lastCounters = counters;
    this.#options.onClosed();
    this.#closed.resolve(this.#lastCounters);
  }

  /** Called by the thread. */
  lost(): void {
    const wasOpen = this.#state === 'open';
    this.closed(undefined);
    if (wasOpen) this.listener.lost('worker-lost');
  }
}

/** The addresses of `bound` as peers should see them. */
export function advertise(
  bound: Readonly<Record<Side, LocalMedia>>,
  advertised: Readonly<Record<Side, string | undefined>>,
): Record<Side, LocalMedia> {
  const local = { ...bound };
  for (const side of SIDES) {
    local[side] = { ...bound[side], address: advertised[side] ?? bound[side].address };
  }
  return local;
}
