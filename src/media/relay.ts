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

import { otherSide, SIDES, type Side } from '../wire/side.ts';
import { isRtcp } from '../wire/rtcp.ts';
import { RelayDirection, type RelayVerdict } from './relay-direction.ts';
import { relayOpaque } from './opaque-relay.ts';
import { type OneWay, OneWayWatch } from './one-way-watch.ts';
import { RelayLeg } from './relay-leg.ts';
import { adjustRtcp } from './relay-rtcp.ts';
import { hideSources, type RenameSource } from './rtcp-descriptions.ts';
import type { MediaCounters } from './relay-counters.ts';
import type { PlayedDigit, StreamUpdate } from './media-engine.ts';
import type { PacketSource } from './source-lock.ts';
import type { RelayOutput } from './relay-output.ts';
import type { ResumedStream } from './stream-memory.ts';

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

export class Relay {
  readonly #options: RelayOptions;
  readonly #legs: Record<Side, RelayLeg>;
  /** By the side that sends. */
  readonly #directions: Record<Side, RelayDirection>;
  readonly #outputs: RelayOutput[] = [];
  readonly #oneWay = new OneWayWatch();
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
    const from = this.#legs[side];
    if (from.isOpaque) {
      return relayOpaque({ from, to: this.#legs[otherSide(side)] }, packet, source, nowMs);
    }
    return this.#directions[side].receiveRtp(packet, source, nowMs);
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

  /** Where forwarded RTP to `side` goes. */
  rtpDestination(side: Side): PacketSource | undefined {
    return this.#legs[side].lock.rtpDestination;
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

  /** Whether a packet that came at `nowMs` was taken as one of `side`. */
  hasHeard(side: Side, nowMs: number): boolean {
    return this.#legs[side].lastReceivedAtMs === nowMs;
  }

  /** To be called each second: notes whether only one peer sends, and says so. */
  checkOneWay(nowMs: number): OneWay | undefined {
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
    return { caller: caller.snapshot(nowMs), callee: callee.snapshot(nowMs) };
  }

  /** Whether a peer may not be sent media: hold, or no answer yet. */
  get #isHeld(): boolean {
    return !this.#legs.caller.canSend || !this.#legs.callee.canSend;
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
