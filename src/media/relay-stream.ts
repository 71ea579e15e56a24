/** One stream of the relay pool on the main thread; the packets are in its relay thread. */

import { setTimeout as sleep } from 'node:timers/promises';
import { SIDES, type Side } from '../wire/side.ts';
import type { JoinedStream, JoinedStreams } from './joined-streams.ts';
import { addCounters, createCounters, type MediaCounters } from './relay-counters.ts';
import { formatSource } from './relay-leg.ts';
import { withUsableRemote } from './remote-address.ts';
import { StreamMemory } from './stream-memory.ts';
import type { OpenResult, RelayThread, ThreadStream } from './relay-thread.ts';
import type { LearntSource, PacketSource } from './source-lock.ts';
import type {
  DetectedDigit,
  DroppedDigit,
  LegMedia,
  LocalMedia,
  MediaListener,
  MediaObservation,
  MediaStream,
  PlayedDigit,
  ReleasedDigit,
  RemoteMedia,
  SentDigit,
  StreamUpdate,
} from './media-engine.ts';

/**
 *                     +--------- another thread has it ---------+
 *                     v                                         |
 *   open --death of the thread (onThreadLost)--> resuming ------+
 *     |                                             |    '--giveUp (listener.lost)--> closed
 *     +--close()--> closing <--------close()--------+                                   ^
 *                     '---'closed', death of the thread, or giveUp----------------------+
 *
 * `onClosed` is called once, when the sockets are certainly gone.
 */
type StreamState = 'open' | 'resuming' | 'closing' | 'closed';

/** How long ports that somebody else has taken meanwhile are asked for. */
const RESUME_LIMIT_MS = 1000;
const RESUME_STEP_MS = 20;

/** A stream that loses more threads than this within the time may be what kills them. */
const MAX_LOSSES = 3;
const LOSS_WINDOW_MS = 60_000;

export interface RelayStreamOptions {
  readonly streamId: string;
  readonly streamKey: number;
  readonly thread: RelayThread;
  readonly listener: MediaListener;
  /** Bound addresses and ports. */
  readonly bound: Readonly<Record<Side, LocalMedia>>;
  /** The same as written in SDP. */
  readonly local: Readonly<Record<Side, LocalMedia>>;
  readonly nameKey: string;
  /** All streams of the pool. */
  readonly joined: JoinedStreams;
  /** Wall-clock time at 0 of `performance.now()`. */
  readonly clockOriginMs: number;
  /** Another thread should go on with the stream: `resumeOn` or `giveUp`. */
  readonly onThreadLost: () => void;
  readonly onClosed: () => void;
}

export class RelayStream implements MediaStream, ThreadStream, JoinedStream {
  readonly type = 'stream';
  readonly streamId: string;
  readonly local: Readonly<Record<Side, LocalMedia>>;
  /** What the thread reports passes here on its way to the owner. */
  readonly listener: MediaListener;
  readonly #options: RelayStreamOptions;
  readonly #memory = new StreamMemory();
  /** Of those who wait for the end. */
  #onClosed: ((counters: MediaCounters) => void)[] | undefined;
  #thread: RelayThread;
  #state: StreamState = 'open';
  /** What threads that died had counted when they were asked last. */
  #countedBefore: MediaCounters | undefined;
  /** As read last. */
  #lastCounters: MediaCounters | undefined;
  #lossesMs: number[] = [];

  constructor(options: RelayStreamOptions) {
    const { streamId, local, thread, streamKey, bound } = options;
    this.streamId = streamId;
    this.local = local;
    this.#options = options;
    this.listener = new RememberingListener(this.#memory, options.listener);
    this.#thread = thread;
    thread.attach(streamKey, this);
    options.joined.opened(this, bound, local);
  }

  update(update: StreamUpdate): void {
    const { caller, callee } = update.legs;
    const legs = { caller: this.#usable(caller, 'caller'), callee: this.#usable(callee, 'callee') };
    this.#agree({ legs, events: update.events });
  }

  /** Where RTP to the peer of `side` goes. */
  remoteOf(side: Side): RemoteMedia | undefined {
    const { update, learnt } = this.#memory.resumed;
    const remote = update?.legs[side].remote;
    const known = learnt[side];
    const isKnown =
      known?.remote.address === remote?.address && known?.remote.rtpPort === remote?.rtpPort;
    return isKnown && known !== undefined ? remoteAt(known.source) : remote;
  }

  playDigit(to: Side, digit: PlayedDigit): void {
    const { streamKey, listener } = this.#options;
    if (this.#state === 'closing' || this.#state === 'closed') {
      listener.digitDropped({ to, digitId: digit.digitId, reason: 'stream-closed' });
      return;
    }
    this.#memory.ordered(to, digit);
    if (this.#state === 'open') this.#thread.post({ type: 'playDigit', streamKey, to, digit });
  }

  async counters(): Promise<MediaCounters> {
    if (this.#state === 'open') {
      const before = this.#countedBefore;
      const counted = await this.#thread.readCounters(this.#options.streamKey);
      if (counted !== undefined) this.#lastCounters = addCounters(before, counted);
    }
    return this.#lastCounters ?? createCounters();
  }

  close(): Promise<MediaCounters> {
    const isResuming = this.#state === 'resuming';
    if (this.#state === 'open' || isResuming) {
      this.#state = 'closing';
      const { streamKey } = this.#options;
      if (!isResuming) this.#thread.post({ type: 'closeStream', streamKey });
    }
    if (this.#state === 'closed') return Promise.resolve(this.#lastCounters ?? createCounters());
    return new Promise((resolve) => {
      this.#onClosed = [...(this.#onClosed ?? []), resolve];
    });
  }

  /** Called by the thread. */
  closed(counters: MediaCounters | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (counters !== undefined) this.#lastCounters = addCounters(this.#countedBefore, counters);
    const { listener } = this.#options;
    const { sent, dropped } = this.#memory.clear();
    for (const digit of sent) listener.digitSent(digit);
    for (const digit of dropped) listener.digitDropped({ ...digit, reason: 'stream-closed' });
    const { joined, bound, local } = this.#options;
    joined.closed(this, bound, local);
    this.#options.onClosed();
    const last = this.#lastCounters ?? createCounters();
    for (const resolve of this.#onClosed ?? []) resolve(last);
  }

  /** Called by the thread. */
  learnt(side: Side, source: LearntSource): void {
    this.#memory.learnt(side, source);
    this.listener.observed?.({ type: 'learnt', side, source: formatSource(source.source) });
    if (this.#options.joined.isRing(this, remoteAt(source.source))) this.#leave(side);
  }

  /** Called by the thread. */
  digitStarted(to: Side, digitId: string): void {
    this.#memory.started(to, digitId);
  }

  /** Called by the thread. */
  digitEnding(sent: SentDigit): void {
    this.#memory.ending(sent);
  }

  /** Called by the thread. */
  lost(): void {
    if (this.#state === 'closing') this.closed(undefined);
    if (this.#state !== 'open') return;
    this.#state = 'resuming';
    this.#countedBefore = this.#lastCounters;
    const { listener, clockOriginMs, onThreadLost } = this.#options;
    const nowMs = this.countLoss();
    const { released, sent, dropped } = this.#memory.cutShort(clockOriginMs + nowMs);
    for (const digit of released) listener.digitReleased(digit);
    for (const digit of sent) listener.digitSent(digit);
    for (const digit of dropped) listener.digitDropped({ ...digit, reason: 'relay-restart' });
    onThreadLost();
  }

  /** Notes that a thread died; the time. */
  countLoss(): number {
    const nowMs = performance.now();
    this.#lossesMs = [...this.#lossesMs.filter((ms) => nowMs - ms < LOSS_WINDOW_MS), nowMs];
    return nowMs;
  }

  /** Whether threads die under this stream again and again. */
  get isSuspect(): boolean {
    return this.#lossesMs.length > MAX_LOSSES;
  }

  /** Opens the same ports on `thread`, with all that was agreed and learnt. */
  async resumeOn(thread: RelayThread): Promise<'resumed' | 'failed' | 'lost'> {
    const { streamKey, bound, nameKey } = this.#options;
    const { update, learnt } = this.#memory.resumed;
    const deadlineMs = performance.now() + RESUME_LIMIT_MS;
    let result: OpenResult;
    for (;;) {
      result = await thread.open(streamKey, bound, nameKey, { update, learnt });
      const isTaken = result.type === 'failed' && result.reason === 'port-taken';
      if (!isTaken || performance.now() > deadlineMs) break;
      await sleep(RESUME_STEP_MS);
    }
    if (result.type !== 'opened') return result.type;
    this.#thread = thread;
    const wasClosed = this.#state === 'closing';
    if (!wasClosed) this.#state = 'open';
    thread.attach(streamKey, this);
    if (wasClosed) thread.post({ type: 'closeStream', streamKey });
    else this.#catchUp(update);
    return 'resumed';
  }

  /** There will be no other thread. */
  giveUp(): void {
    const wasWanted = this.#state === 'resuming';
    this.closed(undefined);
    if (wasWanted) this.#options.listener.lost('worker-lost');
  }

  #usable(media: LegMedia, side: Side): LegMedia {
    const { bound, joined } = this.#options;
    const usable = withUsableRemote(media, bound[side].address);
    return joined.isRing(this, usable.remote) ? { ...usable, remote: undefined } : usable;
  }

  #agree(update: StreamUpdate): void {
    const { streamKey } = this.#options;
    this.#memory.updated(update);
    if (this.#state === 'open') this.#thread.post({ type: 'updateStream', streamKey, update });
  }

  /** Has no peer on `side` until the next agreement. */
  #leave(side: Side): void {
    const { update } = this.#memory.resumed;
    if (update === undefined) return;
    const leg = { ...update.legs[side], remote: undefined };
    this.#agree({ ...update, legs: { ...update.legs, [side]: leg } });
  }

  /** Tells the new thread what was wanted meanwhile. */
  #catchUp(known: StreamUpdate | undefined): void {
    const { streamKey } = this.#options;
    const { update } = this.#memory.resumed;
    if (update !== undefined && update !== known) {
      this.#thread.post({ type: 'updateStream', streamKey, update });
    }
    for (const { to, digit } of this.#memory.waiting) {
      this.#thread.post({ type: 'playDigit', streamKey, to, digit });
    }
  }
}

function remoteAt({ address, port }: PacketSource): RemoteMedia {
  return { address, rtpPort: port, rtcpPort: port + 1 };
}

/** Passes on what is news to `memory`. */
class RememberingListener implements MediaListener {
  readonly #memory: StreamMemory;
  readonly #listener: MediaListener;

  constructor(memory: StreamMemory, listener: MediaListener) {
    this.#memory = memory;
    this.#listener = listener;
  }

  digitPressed(digit: DetectedDigit): void {
    if (this.#memory.pressed(digit)) this.#listener.digitPressed(digit);
  }

  digitReleased(digit: ReleasedDigit): void {
    if (this.#memory.released(digit)) this.#listener.digitReleased(digit);
  }

  digitSent(sent: SentDigit): void {
    this.#memory.settled(sent.to, sent.digitId);
    this.#listener.digitSent(sent);
  }

  digitDropped(dropped: DroppedDigit): void {
    this.#memory.settled(dropped.to, dropped.digitId);
    this.#listener.digitDropped(dropped);
  }

  inactive(info: Parameters<MediaListener['inactive']>[0]): void {
    this.#listener.inactive(info);
  }

  observed(observation: MediaObservation): void {
    this.#listener.observed?.(observation);
  }

  lost(reason: Parameters<MediaListener['lost']>[0]): void {
    this.#listener.lost(reason);
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
