/**
 * The streams of one relay thread: joins the pure relays with sockets, one timer and the main thread.
 *
 * There is one timer for all streams, set to the earliest deadline; digits are paced by it. Packets
 * are handled to their end in the socket's callback: verdict, outputs, send.
 */

import { otherSide, type Side, SIDES } from '../wire/side.ts';
import { Deadlines } from './deadlines.ts';
import { OneWaySpell } from './one-way-spell.ts';
import { formatSource } from './relay-leg.ts';
import { Relay } from './relay.ts';
import {
  type BindFailure,
  openRelaySockets,
  type PacketReceiver,
  type StreamSockets,
} from './relay-sockets.ts';
import type { FinishedDigit } from './injection.ts';
import type { LocalMedia, MediaObservation, SentDigit } from './media-engine.ts';
import type { RelayCommand, RelayEvent, RelayWorkerOptions } from './relay-protocol.ts';
import type { RelayOutput } from './relay-output.ts';
import { renameWith } from './source-name.ts';
import type { PacketSource } from './source-lock.ts';

/** How often streams are looked at for silence, at most. */
const SWEEP_MS = 1000;
/** … and at least this often within the shorter of the two timeouts. */
const SWEEPS_PER_TIMEOUT = 10;

/** Timers count whole milliseconds and so come early by up to half of one. */
const TIMER_SLACK_MS = 0.5;

interface HostedStream {
  readonly streamKey: number;
  readonly relay: Relay;
  readonly sockets: StreamSockets;
  /** Sides nothing has come from since their media was agreed upon. */
  readonly unheard: Set<Side>;
  readonly oneWay: OneWaySpell;
}

/** Binds all four sockets of a stream, or none. */
export type OpenSockets = (
  legs: Readonly<Record<Side, LocalMedia>>,
  receiver: PacketReceiver,
) => Promise<StreamSockets | BindFailure>;

export interface RelayHostOptions {
  readonly worker: RelayWorkerOptions;
  readonly post: (event: RelayEvent) => void;
  readonly random: () => number;
  /** Opens the sockets of a stream; default: those of the system. */
  readonly openSockets?: OpenSockets;
}

export class RelayHost {
  readonly #options: RelayHostOptions;
  readonly #streams = new Map<number, HostedStream>();
  readonly #deadlines = new Deadlines<HostedStream>();
  readonly #sweep: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  constructor(options: RelayHostOptions) {
    this.#options = options;
    const { inactivityTimeoutMs, holdTimeoutMs } = options.worker;
    const timeoutMs = Math.min(inactivityTimeoutMs, holdTimeoutMs);
    const sweepMs = Math.min(SWEEP_MS, Math.max(1, timeoutMs / SWEEPS_PER_TIMEOUT));
    this.#sweep = setInterval(() => this.#checkInactivity(), sweepMs);
  }

  /** Carries out one command of the main thread; commands for streams that are gone are ignored. */
  async receive(command: RelayCommand): Promise<void> {
    if (command.type === 'openStream') return this.#open(command);
    const stream = this.#streams.get(command.streamKey);
    if (stream === undefined) return undefined;
    const nowMs = performance.now();
    const { relay, streamKey } = stream;
    switch (command.type) {
      case 'updateStream':
        relay.update(command.update, nowMs);
        for (const side of SIDES) stream.unheard.add(side);
        break;
      case 'playDigit':
        relay.playDigit(command.to, command.digit);
        relay.poll(nowMs);
        break;
      case 'readCounters': {
        const { requestId } = command;
        const counters = relay.counters(nowMs);
        this.#options.post({ type: 'counters', streamKey, requestId, counters });
        break;
      }
      case 'closeStream':
        return this.#close(stream);
    }
    return this.#settle(stream);
  }

  async #open(command: RelayCommand & { type: 'openStream' }): Promise<void> {
    const { streamKey, legs, nameKey, resumed } = command;
    const relay = new Relay(
      {
        ...this.#options.worker,
        random: this.#options.random,
        renameSource: renameWith(nameKey),
      },
      performance.now(),
    );
    // Packets that arrive before the stream is hosted have no update yet and would be dropped anyway.
    let hosted: HostedStream | undefined;
    const receiver: PacketReceiver = {
      receiveRtp: (side, packet, source) => {
        if (hosted !== undefined) this.#receiveRtp(hosted, side, packet, source);
      },
      receiveRtcp: (side, packet, source) => {
        if (hosted !== undefined) receiveRtcp(hosted, side, packet, source);
      },
    };
    const { openSockets = openRelaySockets } = this.#options;
    const sockets = await openSockets(legs, receiver);
    if ('type' in sockets) {
      const { side, reason } = sockets;
      this.#options.post({ type: 'openFailed', streamKey, side, reason });
      return;
    }
    if (resumed !== undefined) relay.resume(resumed, performance.now());
    const unheard = new Set(SIDES);
    hosted = { streamKey, relay, sockets, unheard, oneWay: new OneWaySpell() };
    this.#streams.set(streamKey, hosted);
    this.#options.post({ type: 'opened', streamKey });
  }

  async #close(stream: HostedStream): Promise<void> {
    const { streamKey, relay, sockets } = stream;
    const nowMs = performance.now();
    this.#streams.delete(streamKey);
    this.#deadlines.delete(stream);
    relay.finish(nowMs);
    this.#carryOut(stream);
    await sockets.close();
    this.#options.post({ type: 'closed', streamKey, counters: relay.counters(nowMs) });
  }

  #receiveRtp(stream: HostedStream, side: Side, packet: Buffer, source: PacketSource): void {
    const { relay, sockets, unheard } = stream;
    const nowMs = performance.now();
    const verdict = relay.receiveRtp(side, packet, source, nowMs);
    this.#settle(stream);
    if (unheard.size > 0 && unheard.has(side) && relay.hasHeard(side, nowMs)) {
      unheard.delete(side);
      this.#observed(stream, { type: 'heard', side, source: formatSource(source) });
    }
    if (verdict !== 'forward') return;
    const to = otherSide(side);
    const destination = relay.rtpDestination(to);
    if (destination !== undefined) sockets.sendRtp(to, packet, destination);
  }

  /** Carries out what the relay wants and notes when it wants to be called. */
  #settle(stream: HostedStream): void {
    if (stream.relay.hasOutputs) this.#carryOut(stream);
    const nextAtMs = stream.relay.nextAtMs;
    // A deadline that has moved back is found out when it comes: fewer moves than packets.
    if (nextAtMs === undefined || nextAtMs >= (this.#deadlines.get(stream) ?? Infinity)) return;
    this.#deadlines.set(stream, nextAtMs);
    this.#arm();
  }

  #carryOut(stream: HostedStream): void {
    for (const output of stream.relay.takeOutputs()) {
      if (output.type === 'packet') this.#sendPacket(stream, output);
      else this.#options.post(this.#eventOf(stream.streamKey, output));
    }
  }

  #sendPacket(stream: HostedStream, output: RelayOutput & { type: 'packet' }): void {
    const { to, bytes, destination, started, finished } = output;
    const { streamKey, sockets } = stream;
    // Said before the packet leaves: should the thread die in between, the digit is lost rather than played twice.
    if (started !== undefined && started !== '') {
      this.#options.post({ type: 'digitStarted', streamKey, to, digitId: started });
    }
    // Digits generated again from the sender's own events were ordered by nobody.
    if (finished === undefined || finished.digitId === '') {
      sockets.sendRtp(to, bytes, destination);
      return;
    }
    const sent = this.#sentDigit(to, finished);
    this.#options.post({ type: 'digitEnding', streamKey, sent });
    sockets.sendRtpReported(to, bytes, destination, (isTaken) => {
      const { digitId } = finished;
      if (isTaken) {
        this.#options.post({ type: 'digitSent', streamKey, sent: this.#sentDigit(to, finished) });
      } else {
        const dropped = { to, digitId, reason: 'media-inactive' } as const;
        this.#options.post({ type: 'digitDropped', streamKey, dropped });
      }
    });
  }

  /** The report of a digit whose first end packet leaves now. */
  #sentDigit(to: Side, finished: FinishedDigit): SentDigit {
    const { digitId, rtpTimestamp } = finished;
    const firstPacketAtMs = this.#wallMs(finished.firstPacketAtMs);
    const endPacketAtMs = this.#wallMs(performance.now());
    return { to, digitId, rtpTimestamp, firstPacketAtMs, endPacketAtMs };
  }

  #eventOf(streamKey: number, output: Exclude<RelayOutput, { type: 'packet' }>): RelayEvent {
    if (output.type === 'digitDropped') {
      const { to, digitId, reason } = output;
      return { type: 'digitDropped', streamKey, dropped: { to, digitId, reason } };
    }
    if (output.type === 'sourceLearnt') {
      return { type: 'sourceLearnt', streamKey, side: output.side, learnt: output.learnt };
    }
    const { side, output: detected } = output;
    const { digit, eventCode, ssrc, rtpTimestamp } = detected;
    const atMs = this.#wallMs(detected.atMs);
    const fields = { side, digit, eventCode, ssrc, rtpTimestamp, atMs };
    if (detected.type === 'pressed') return { type: 'digitPressed', streamKey, digit: fields };
    const { durationMs } = detected;
    return { type: 'digitReleased', streamKey, digit: { ...fields, durationMs } };
  }

  /** Wall-clock time at `steadyMs` of `performance.now()`. */
  #wallMs(steadyMs: number): number {
    return this.#options.worker.clockOriginMs + steadyMs;
  }

  #arm(): void {
    const nextAtMs = this.#deadlines.nextAtMs ?? Infinity;
    if (nextAtMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = nextAtMs;
    const delayMs = Math.max(1, Math.round(nextAtMs - performance.now()));
    this.#timer = setTimeout(() => this.#runDue(), delayMs);
  }

  #runDue(): void {
    this.#timerAtMs = Infinity;
    for (;;) {
      const nowMs = performance.now();
      const due = this.#deadlines.takeDue(nowMs + TIMER_SLACK_MS);
      if (due === undefined) break;
      due.item.relay.poll(Math.max(nowMs, due.atMs));
      this.#settle(due.item);
    }
    this.#arm();
  }

  #checkInactivity(): void {
    const nowMs = performance.now();
    for (const stream of this.#streams.values()) {
      const { streamKey, relay } = stream;
      const news = stream.oneWay.look(relay.checkOneWay(nowMs));
      if (news === 'over') this.#observed(stream, { type: 'both-ways' });
      else if (news !== undefined) this.#observed(stream, { type: 'one-way', from: news });
      const quietMs = relay.checkInactivity(nowMs);
      if (quietMs !== undefined) this.#options.post({ type: 'inactive', streamKey, quietMs });
    }
  }

  #observed({ streamKey }: HostedStream, observation: MediaObservation): void {
    this.#options.post({ type: 'observed', streamKey, observation });
  }

  /** Stops the timers; the streams are left to the end of the thread. */
  stop(): void {
    clearInterval(this.#sweep);
    clearTimeout(this.#timer);
  }
}

function receiveRtcp(stream: HostedStream, side: Side, packet: Buffer, source: PacketSource): void {
  const { relay, sockets } = stream;
  if (relay.receiveRtcp(side, packet, source) !== 'forward') return;
  const to = otherSide(side);
  const destination = relay.rtcpDestination(to);
  if (destination !== undefined) sockets.sendRtcp(to, packet, destination);
}
