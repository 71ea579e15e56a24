/**
 * The streams of one relay thread: joins the pure relays with sockets, one timer and the main thread.
 *
 * Packets are handled to their end in the socket's callback: verdict, outputs, send.
 */

import { otherSide, type Side, SIDES } from '../wire/side.ts';
import { DigitReports } from './digit-reports.ts';
import { OneWaySpell } from './one-way-spell.ts';
import { type HostedFlows, openFlows } from './kernel/hosted-flows.ts';
import { formatSource } from './relay-leg.ts';
import { Relay } from './relay.ts';
import {
  type BindFailure,
  openRelaySockets,
  type PacketReceiver,
  type StreamSockets,
} from './relay-sockets.ts';
import type { LocalMedia, MediaObservation } from './media-engine.ts';
import type { RelayCommand, RelayEvent, RelayWorkerOptions } from './relay-protocol.ts';
import type { RelayOutput } from './relay-output.ts';
import { FastLanes } from './fast-lanes.ts';
import { StreamLanes } from './stream-lanes.ts';
import { SettledLegs } from './settled-legs.ts';
import { type SetTimer, SharedTimer } from './shared-timer.ts';
import { renameWith } from './source-name.ts';
import type { PacketSource } from './source-lock.ts';

/** How often streams are looked at for silence, at most. */
const SWEEP_MS = 1000;
/** A look at all streams at once would hold up packets: they are looked at in so many turns, a slice of them in each. */
const SWEEP_SLICES = 16;
/** Every so many packets of the long way it is tried to take the short one: where packets are lost it is left often. */
const LANE_TRIES = 8;
/** … and at least this often within the shorter of the two timeouts. */
const SWEEPS_PER_TIMEOUT = 10;

interface HostedStream {
  readonly streamKey: number;
  readonly relay: Relay;
  readonly sockets: StreamSockets;
  /** Sides nothing has come from since their media was agreed upon. */
  readonly unheard: Set<Side>;
  /** Sides whose next packet says something new (they are unheard, or open to anybody), and their packets before it. */
  readonly awaited: Map<Side, number>;
  readonly settled: SettledLegs;
  /** What of it takes the short way. */
  readonly lanes: StreamLanes;
  /** Packets that took the long way. */
  longWay: number;
  /** Whether packets are still taken. */
  isOpen: boolean;
  readonly oneWay: OneWaySpell;
  /** What of it goes by the kernel, if anything may. */
  readonly flows: HostedFlows | undefined;
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
  /** Of the thread; default: its own. */
  readonly lanes?: FastLanes;
  /** What wakes the thread; default: a timer of Node. */
  readonly setTimer?: SetTimer;
}

export class RelayHost {
  readonly #options: RelayHostOptions;
  readonly #streams = new Map<number, HostedStream>();
  readonly #timer: SharedTimer<HostedStream>;
  readonly #reports: DigitReports;
  readonly #sweep: NodeJS.Timeout;
  readonly #lanes: FastLanes;
  #slice = 0;

  constructor(options: RelayHostOptions) {
    this.#options = options;
    this.#lanes = options.lanes ?? new FastLanes();
    this.#reports = new DigitReports(options.worker.clockOriginMs);
    this.#timer = new SharedTimer((stream, nowMs) => {
      stream.relay.poll(nowMs);
      this.#followUp(stream);
    }, options.setTimer);
    const { inactivityTimeoutMs, holdTimeoutMs } = options.worker;
    const timeoutMs = Math.min(inactivityTimeoutMs, holdTimeoutMs);
    const sweepMs = Math.min(SWEEP_MS, Math.max(1, timeoutMs / SWEEPS_PER_TIMEOUT));
    this.#sweep = setInterval(() => this.#lookAround(), sweepMs / SWEEP_SLICES);
  }

  /** Carries out one command of the main thread; commands for streams that are gone are ignored. */
  async receive(command: RelayCommand): Promise<void> {
    if (command.type === 'openStream') return this.#open(command);
    const stream = this.#streams.get(command.streamKey);
    if (stream === undefined) return undefined;
    stream.lanes.collectBoth();
    const run = (): Promise<void> => this.#execute(stream, command);
    return stream.flows?.takes(command, () => void run()) === true ? undefined : run();
  }

  async #execute(stream: HostedStream, command: RelayCommand): Promise<void> {
    const nowMs = performance.now();
    const { relay, streamKey } = stream;
    // A command may have waited for the kernel.
    if (command.type === 'readCounters') stream.lanes.collectBoth();
    else stream.lanes.closeBoth();
    switch (command.type) {
      case 'updateStream':
        relay.update(command.update, nowMs);
        this.#followUp(stream);
        stream.settled.follow();
        for (const side of SIDES) {
          stream.unheard.add(side);
          stream.awaited.set(side, relay.receivedPackets(side));
        }
        return undefined;
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
      case 'openStream':
      case 'flowCarried':
      case 'flowCounted':
      case 'flowUncounted':
        break;
    }
    return this.#followUp(stream);
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
        if (hosted?.isOpen === true) this.#receiveRtp(hosted, side, packet, source);
      },
      receiveRtcp: (side, packet, source) => {
        if (hosted?.isOpen === true) receiveRtcp(hosted, side, packet, source);
      },
      refusedRtp: (side, packet) => relay.refused(side, packet),
    };
    const { openSockets = openRelaySockets } = this.#options;
    const sockets = await openSockets(legs, receiver);
    if ('type' in sockets) {
      const { side, reason } = sockets;
      this.#options.post({ type: 'openFailed', streamKey, side, reason });
      return;
    }
    if (resumed !== undefined) relay.resume(resumed, performance.now());
    const settled = new SettledLegs(relay, sockets);
    hosted = {
      streamKey,
      relay,
      sockets,
      unheard: new Set(SIDES),
      awaited: new Map(SIDES.map((side) => [side, 0])),
      settled,
      lanes: new StreamLanes({ lanes: this.#lanes, relay, sockets }),
      longWay: 0,
      isOpen: true,
      oneWay: new OneWaySpell(),
      flows: openFlows(this.#options.worker, { streamKey, relay, post: this.#options.post }),
    };
    this.#streams.set(streamKey, hosted);
    this.#options.post({ type: 'opened', streamKey });
  }

  async #close(stream: HostedStream): Promise<void> {
    const { streamKey, relay, sockets } = stream;
    this.#streams.delete(streamKey);
    await sockets.takeWaiting?.();
    const nowMs = performance.now();
    this.#timer.delete(stream);
    stream.isOpen = false;
    // Packets that waited may have opened them again.
    stream.lanes.closeBoth();
    stream.flows?.stop();
    relay.finish(nowMs);
    this.#carryOut(stream);
    await sockets.close();
    this.#options.post({ type: 'closed', streamKey, counters: relay.counters(nowMs) });
  }

  #receiveRtp(stream: HostedStream, side: Side, packet: Buffer, source: PacketSource): void {
    const { relay, sockets, awaited, lanes } = stream;
    const nowMs = performance.now();
    const ahead = lanes.take(side, packet, source, nowMs);
    if (ahead !== undefined) {
      sockets.sendRtp(otherSide(side), packet, ahead);
      return;
    }
    // Of a leg that is open to anybody this packet may be the one that says where its peer is.
    if (stream.settled.peer(side) === undefined) lanes.closeBoth();
    else lanes.close(side);
    const verdict = relay.receiveRtp(side, packet, source, nowMs);
    this.#followUp(stream);
    if (awaited.size > 0 && relay.receivedPackets(side) > (awaited.get(side) ?? Infinity)) {
      this.#heard(stream, side, source);
    }
    if (verdict === 'forward') {
      const to = otherSide(side);
      const destination = relay.rtpDestination(to);
      if (destination !== undefined) sockets.sendRtp(to, packet, destination);
    }
    stream.flows?.received();
    stream.longWay += 1;
    if (stream.longWay % LANE_TRIES === 0) this.#chooseLanes(stream);
  }

  #heard(stream: HostedStream, side: Side, source: PacketSource): void {
    const { unheard, awaited, settled } = stream;
    if (unheard.delete(side)) {
      this.#observed(stream, { type: 'heard', side, source: formatSource(source) });
    }
    if (settled.heard(side)) awaited.delete(side);
  }

  /** Carries out what the relay wants and notes when it wants to be called. */
  #followUp(stream: HostedStream): void {
    if (stream.relay.hasOutputs) this.#carryOut(stream);
    const { nextAtMs } = stream.relay;
    if (nextAtMs !== undefined) this.#timer.setBy(stream, nextAtMs);
  }

  #carryOut(stream: HostedStream): void {
    for (const output of stream.relay.takeOutputs()) {
      if (output.type === 'packet') this.#sendPacket(stream, output);
      else this.#options.post(this.#reports.eventOf(stream.streamKey, output));
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
    const sent = this.#reports.sentDigit(to, finished, performance.now());
    this.#options.post({ type: 'digitEnding', streamKey, sent });
    sockets.sendRtpReported(to, bytes, destination, (isTaken) => {
      const { digitId } = finished;
      if (isTaken) {
        this.#options.post({
          type: 'digitSent',
          streamKey,
          sent: this.#reports.sentDigit(to, finished, performance.now()),
        });
      } else {
        const dropped = { to, digitId, reason: 'media-inactive' } as const;
        this.#options.post({ type: 'digitDropped', streamKey, dropped });
      }
    });
  }

  #lookAround(): void {
    const nowMs = performance.now();
    this.#slice = (this.#slice + 1) % SWEEP_SLICES;
    for (const stream of this.#streams.values()) {
      if (stream.streamKey % SWEEP_SLICES === this.#slice) this.#look(stream, nowMs);
    }
  }

  #look(stream: HostedStream, nowMs: number): void {
    const { streamKey, relay, lanes, flows } = stream;
    lanes.collectBoth();
    flows?.look(nowMs);
    if (relay.isLookDue(nowMs)) this.#checkOneWay(stream, nowMs);
    for (const side of SIDES) {
      if (!stream.settled.open(side, nowMs)) continue;
      lanes.closeBoth();
      stream.awaited.set(side, relay.receivedPackets(side));
    }
    this.#chooseLanes(stream);
    const quietMs = relay.checkInactivity(nowMs);
    if (quietMs !== undefined) this.#options.post({ type: 'inactive', streamKey, quietMs });
  }

  /** What the kernel has, or is to have, and peers that have something new to say take the long way. */
  #chooseLanes({ relay, lanes, flows, awaited, unheard }: HostedStream): void {
    if (flows?.isIdle === false) {
      lanes.closeBoth();
      return;
    }
    // A peer that was learnt is never settled: its leg stays open to the address in its SDP.
    const isToSettle = SIDES.some(
      (side) => awaited.has(side) && relay.settledPeer(side) !== undefined,
    );
    if (unheard.size === 0 && !isToSettle) lanes.look();
  }

  #checkOneWay(stream: HostedStream, nowMs: number): void {
    const news = stream.oneWay.look(stream.relay.checkOneWay(nowMs));
    if (news === 'over') this.#observed(stream, { type: 'both-ways' });
    else if (news !== undefined) this.#observed(stream, { type: 'one-way', from: news });
  }

  #observed({ streamKey }: HostedStream, observation: MediaObservation): void {
    this.#options.post({ type: 'observed', streamKey, observation });
  }

  /** Stops the timers; the streams are left to the end of the thread. */
  stop(): void {
    clearInterval(this.#sweep);
    this.#timer.stop();
  }
}

function receiveRtcp(stream: HostedStream, side: Side, packet: Buffer, source: PacketSource): void {
  const { relay, sockets } = stream;
  if (relay.receiveRtcp(side, packet, source) !== 'forward') return;
  const to = otherSide(side);
  const destination = relay.rtcpDestination(to);
  if (destination !== undefined) sockets.sendRtcp(to, packet, destination);
}
