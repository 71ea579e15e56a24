/**
 * One relayed stream: two legs, a direction each way, every decision about a packet, no I/O.
 *
 *            receiveRtp('caller') +------------------------+
 *   caller ---------------------> | direction from caller  | -- forward --> callee
 *          <-- forward ---------- | direction from callee  | <---------- receiveRtp('callee')
 *                                 +------------------------+
 *                        outputs: digit packets to send, presses, drops
 *
 *            first update            update: a leg is on hold
 *   opened --------------> active <------------------------------> held
 *   (packets are dropped)    |  quiet for inactivityTimeoutMs        |  quiet for holdTimeoutMs
 *                            +------------> quiet <------------------+     reported once,
 *                                             +--- a packet --> back       then again after a packet
 *
 * Every method that takes `nowMs` may add outputs; the owner takes them with `takeOutputs` and
 * carries them out before it forwards the packet at hand.
 */

import { ofSide, otherSide, SIDES, type Side } from '../wire/side.ts';
import { isRtcp } from '../wire/rtcp.ts';
import { countLane, laneStartOf, type LedDirection } from './direction-lane.ts';
import { RelayDirection, type RelayVerdict } from './relay-direction.ts';
import { relayOpaque } from './opaque-relay.ts';
import { type OneWay, OneWayWatch } from './one-way-watch.ts';
import { RelayLeg } from './relay-leg.ts';
import { adjustRtcp } from './relay-rtcp.ts';
import { hideSources, type RenameSource } from './rtcp-descriptions.ts';
import { plainStream } from './kernel/plain-stream.ts';
import type { MediaCounters } from './relay-counters.ts';
import type { PlayedDigit, StreamUpdate } from './media-engine.ts';
import type { PacketSource } from './source-lock.ts';
import type { RelayOutput } from './relay-output.ts';
import type { ResumedStream } from './stream-memory.ts';
import type { LaneCount, LaneStart } from './lane-state.ts';
import type { SteadyFlow } from './kernel/steady-flow.ts';

export interface RelayOptions {
  /** Uniform in [0, 1); for SSRC and numbers of a stream of our own. */
  readonly random: () => number;
  /** For RTCP in the clear: what a source is called by the other leg. */
  readonly renameSource: RenameSource;
  /** Silence of both peers that is reported. */
  readonly inactivityTimeoutMs: number;
  /** The same while a leg is on hold or has no remote address. */
  readonly holdTimeoutMs: number;
  /** Defaults for digits where a leg does not say. */
  readonly digitGapMs?: number | undefined;
  readonly digitPacketIntervalMs?: number | undefined;
}

/** Packets that went by elsewhere since the last count. */
export interface AwayCount {
  readonly packets: number;
  readonly bytes: number;
  /** When the count was asked for: it has all packets before. */
  readonly askedAtMs: number;
}

/** Longer than two samples of what goes by elsewhere are apart. */
const AWAY_LOOK_MS = 3000;

export class Relay {
  readonly #options: RelayOptions;
  readonly #legs: Record<Side, RelayLeg>;
  /** By the side that sends. */
  readonly #directions: Record<Side, RelayDirection>;
  readonly #outputs: RelayOutput[] = [];
  readonly #oneWay = new OneWayWatch();
  /** Sides whose packets mostly go by elsewhere. */
  readonly #away = new Set<Side>();
  #lookedAtMs = 0;
  #isQuietReported = false;
  /** When the stream was opened, or last changed between active and held. */
  #quietSinceMs: number;

  constructor(options: RelayOptions, nowMs: number) {
    this.#options = options;
    this.#quietSinceMs = nowMs;
    const leg = (side: Side): RelayLeg =>
      new RelayLeg(side, nowMs, (learnt) => {
        this.#outputs.push({ type: 'sourceLearnt', side, learnt });
      });
    this.#legs = { caller: leg('caller'), callee: leg('callee') };
    this.#directions = { caller: this.#direction('caller'), callee: this.#direction('callee') };
  }

  /** When `poll` wants to be called; `undefined` when nothing is pending. */
  get nextAtMs(): number | undefined {
    const caller = this.#directions.caller.nextAtMs;
    const callee = this.#directions.callee.nextAtMs;
    if (caller === undefined) return callee;
    return callee === undefined ? caller : Math.min(caller, callee);
  }

  /** Whether there is anything for `takeOutputs`. */
  get hasOutputs(): boolean {
    return this.#outputs.length > 0;
  }

  /** What has to be done now, in order; asked for once. */
  takeOutputs(): RelayOutput[] {
    return this.#outputs.splice(0);
  }

  /** Takes the result of an offer/answer exchange. */
  update(update: StreamUpdate, nowMs: number): void {
    const wasHeld = this.#isHeld;
    for (const from of SIDES) {
      const to = otherSide(from);
      this.#directions[from].prepareUpdate(update.legs[from], update.legs[to], nowMs);
    }
    for (const side of SIDES) this.#legs[side].update(update.legs[side]);
    for (const from of SIDES) this.#directions[from].update(update.events[from]);
    if (wasHeld !== this.#isHeld) this.#quietSinceMs = nowMs;
    this.#isQuietReported = false;
  }

  /** Goes on with a stream that another relay had. */
  resume({ update, learnt }: ResumedStream, nowMs: number): void {
    if (update === undefined) return;
    this.update(update, nowMs);
    for (const side of SIDES) {
      const known = learnt[side];
      if (known !== undefined) this.#legs[side].lock.resume(known);
    }
  }

  /** The verdict on an RTP packet that arrived on the leg of `side`. */
  receiveRtp(side: Side, packet: Buffer, source: PacketSource, nowMs: number): RelayVerdict {
    const from = ofSide(this.#legs, side);
    if (from.isOpaque) {
      const to = ofSide(this.#legs, otherSide(side));
      return relayOpaque({ from, to }, packet, source, nowMs);
    }
    return ofSide(this.#directions, side).receiveRtp(packet, source, nowMs);
  }

  /** The verdict on an RTCP compound that arrived on the leg of `side`. */
  receiveRtcp(side: Side, compound: Buffer, source: PacketSource): RelayVerdict {
    const { counters, lock, isOpaque } = this.#legs[side];
    if (!isOpaque && !isRtcp(compound)) {
      counters.dropped['not-rtcp'] += 1;
      return 'drop';
    }
    if (!lock.acceptRtcp(source)) {
      counters.dropped[lock.hasRemote ? 'unknown-source' : 'no-remote'] += 1;
      return 'drop';
    }
    counters.receivedRtcpPackets += 1;
    const to = otherSide(side);
    if (!this.#legs[to].lock.hasRemote) {
      counters.dropped['no-remote'] += 1;
      return 'drop';
    }
    if (this.#legs[to].media?.maySendRtcp === false) {
      counters.dropped['media-inactive'] += 1;
      return 'drop';
    }
    if (!isOpaque) {
      hideSources(compound, this.#options.renameSource);
      adjustRtcp(compound, this.#directions[side], this.#directions[to]);
    }
    this.#legs[to].counters.sentRtcpPackets += 1;
    return 'forward';
  }

  /** The kernel did not take a packet to `side`. */
  refused(side: Side, packet: Buffer): void {
    const { counters } = this.#legs[side];
    counters.sentPackets -= 1;
    counters.sentBytes -= packet.length;
    this.#legs[otherSide(side)].counters.dropped['not-taken'] += 1;
  }

  /** Where forwarded RTP to `side` goes. */
  rtpDestination(side: Side): PacketSource | undefined {
    return ofSide(this.#legs, side).lock.rtpDestination;
  }

  /** Where forwarded RTCP to `side` goes. */
  rtcpDestination(side: Side): PacketSource | undefined {
    return this.#legs[side].lock.rtcpDestination;
  }

  /** Queues a digit towards `to`. */
  playDigit(to: Side, digit: PlayedDigit): void {
    this.#directions[otherSide(to)].playDigit(digit);
  }

  /** Does what is due at `nowMs`. */
  poll(nowMs: number): void {
    for (const side of SIDES) this.#directions[side].poll(nowMs);
  }

  /** How long the stream has been quiet, when that has just become too long. */
  checkInactivity(nowMs: number): number | undefined {
    const { inactivityTimeoutMs, holdTimeoutMs } = this.#options;
    const { caller, callee } = this.#legs;
    const lastMs = Math.max(caller.lastReceivedAtMs, callee.lastReceivedAtMs, this.#quietSinceMs);
    const quietMs = nowMs - lastMs;
    const isQuiet = quietMs >= (this.#isHeld ? holdTimeoutMs : inactivityTimeoutMs);
    const isNew = isQuiet && !this.#isQuietReported;
    this.#isQuietReported = isQuiet;
    return isNew ? quietMs : undefined;
  }

  /** RTP packets that were taken as those of the peer of `side`. */
  receivedPackets(side: Side): number {
    return ofSide(this.#legs, side).counters.receivedPackets;
  }

  /** The peer of `side` when packets are taken from where SDP says alone. */
  settledPeer(side: Side): PacketSource | undefined {
    const { locked } = this.#legs[side].lock;
    return locked?.isLearnt === false ? locked.source : undefined;
  }

  /** The only one that packets of `side` are taken from, given or learnt. */
  lockedSource(side: Side): PacketSource | undefined {
    return this.#legs[side].lock.locked?.source;
  }

  /** How long ago the last packet of the peer of `side` came. */
  quietMs(side: Side, nowMs: number): number {
    return nowMs - this.#legs[side].lastReceivedAtMs;
  }

  /** The stream from `side` while it leaves as it comes, from and to places that are sure. */
  steadyFlow(side: Side): SteadyFlow | undefined {
    const from = this.#legs[side];
    const to = this.#legs[otherSide(side)];
    const plain = plainStream(this.#directions[side], from);
    const { locked } = from.lock;
    const { destination } = to;
    if (plain === undefined || locked === undefined || destination === undefined) return undefined;
    if (from.isOpaque || to.isOpaque || !to.lock.isLocked) return undefined;
    return { source: locked.source, destination, head: plain.head, ssrc: plain.ssrc };
  }

  /** How the stream from `side` goes on, where that needs no look at each packet. */
  laneStart(side: Side): LaneStart | undefined {
    return laneStartOf(this.#led(side));
  }

  /** Takes what went on from `side` as `laneStart` said. */
  countLane(side: Side, count: LaneCount): void {
    countLane(this.#led(side), count);
  }

  /** Whether a key of `side` is down. */
  isPressed(side: Side): boolean {
    return this.#directions[side].state.isPressed;
  }

  /** Whether digits that come as events go on as something else, or the other way round. */
  get translatesDigits(): boolean {
    const hasEvents = SIDES.some((side) => this.#legs[side].media?.event !== undefined);
    return hasEvents && SIDES.some((side) => this.#directions[side].state.absorbs);
  }

  /** From now on most packets of `side` go by elsewhere. */
  beginAway(side: Side, nowMs: number): void {
    this.#away.add(side);
    this.#legs[side].reception.beginSampling(nowMs);
  }

  /** Packets of `side` that went by elsewhere until `nowMs`. */
  countAway(side: Side, { packets, bytes, askedAtMs }: AwayCount, nowMs: number): void {
    const from = this.#legs[side];
    this.#passed(side, packets, bytes);
    from.reception.countElsewhere(packets, askedAtMs, nowMs);
    if (packets > 0) from.lastReceivedAtMs = Math.max(from.lastReceivedAtMs, nowMs);
  }

  /** How many packets of `side` went by elsewhere since the last count will never be said. */
  missAway(side: Side, nowMs: number): void {
    this.#legs[side].reception.missCount(nowMs);
  }

  /** All packets of `side` come here again. */
  endAway(side: Side): void {
    if (!this.#away.delete(side)) return;
    const { reception } = this.#legs[side];
    this.#directions[side].numbers.skip(reception.unseenPackets);
    reception.endSampling();
  }

  /** Whether `checkOneWay` can judge: packets that go by elsewhere are counted late. */
  isLookDue(nowMs: number): boolean {
    return this.#away.size === 0 || nowMs - this.#lookedAtMs >= AWAY_LOOK_MS;
  }

  /** To be called each second, when due: notes whether only one peer sends, and says so. */
  checkOneWay(nowMs: number): OneWay | undefined {
    this.#lookedAtMs = nowMs;
    const { caller, callee } = this.#legs;
    const received = {
      caller: caller.counters.receivedPackets,
      callee: callee.counters.receivedPackets,
    };
    const isTalking = !this.#isHeld && caller.transport !== 'datagrams';
    const found = this.#oneWay.look(received, isTalking, nowMs);
    if (found !== undefined) this.#legs[found.from].counters.oneWayMs += found.durationMs;
    return found;
  }

  /** Ends running events and presses before the stream goes away. */
  finish(nowMs: number): void {
    for (const side of SIDES) this.#directions[side].finish(nowMs);
  }

  counters(nowMs: number): MediaCounters {
    const { caller, callee } = this.#legs;
    for (const side of SIDES) this.#takeEstimated(this.#legs[side]);
    return { caller: caller.snapshot(nowMs), callee: callee.snapshot(nowMs) };
  }

  /** Packets of `side` have gone on to the other side. */
  #passed(side: Side, packets: number, bytes: number): void {
    const { counters: received } = this.#legs[side];
    const { counters: sent } = this.#legs[otherSide(side)];
    received.receivedPackets += packets;
    received.receivedBytes += bytes;
    sent.sentPackets += packets;
    sent.sentBytes += bytes;
  }

  /** What numbers alone tell of: packets as long as the others. */
  #takeEstimated({ side, counters, reception }: RelayLeg): void {
    const packets = reception.takeEstimated();
    if (packets === 0) return;
    const { receivedBytes, receivedPackets } = counters;
    const bytes = Math.round((packets * receivedBytes) / Math.max(1, receivedPackets));
    this.#passed(side, packets, bytes);
  }

  /** Whether a peer may not be sent media: hold, or no answer yet. */
  get #isHeld(): boolean {
    return !this.#legs.caller.canSend || !this.#legs.callee.canSend;
  }

  #led(side: Side): LedDirection {
    const [from, to] = [this.#legs[side], this.#legs[otherSide(side)]];
    return { direction: this.#directions[side], from, to };
  }

  #direction(side: Side): RelayDirection {
    return new RelayDirection({
      from: this.#legs[side],
      to: this.#legs[otherSide(side)],
      outputs: this.#outputs,
      random: this.#options.random,
      gapMs: this.#options.digitGapMs,
      packetIntervalMs: this.#options.digitPacketIntervalMs,
    });
  }
}
