/**
 * What one call contributes to the metrics: its legs while they are open, their results, its times and its packets.
 *
 *   inbound leg    open from admission to the end of the call
 *   outbound leg   one per attempt, open from our INVITE to its refusal or the end of the call
 */
import type { MediaCounters } from '../media/relay-counters.ts';
import type { CallResult, Metrics } from '../observe/metrics.ts';
import { SIDES, type Side } from '../wire/side.ts';
import type { CallLeg } from './call-leg.ts';

export class CallMeter {
  readonly #metrics: Metrics;
  readonly #caller: CallLeg;
  readonly #callId: string;
  #callee: CallLeg | undefined;
  #hasProgress = false;

  /** Counts the caller's leg as open. */
  constructor(metrics: Metrics, caller: CallLeg, callId: string) {
    this.#metrics = metrics;
    this.#caller = caller;
    this.#callId = callId;
    metrics.legOpened({ realm: caller.realm.name, direction: 'inbound' });
  }

  attemptStarted(callee: CallLeg): void {
    this.#callee = callee;
    this.#metrics.legOpened({ realm: callee.realm.name, direction: 'outbound' });
  }

  /** The attempt is over, or the call it led to. */
  attemptEnded(result: CallResult): void {
    const callee = this.#callee;
    if (callee === undefined) return;
    this.#callee = undefined;
    this.#metrics.legClosed({ realm: callee.realm.name, direction: 'outbound' });
    this.#metrics.callEnded({ agent: callee.agent?.name, direction: 'outbound', result });
  }

  /** The callee showed a sign of life; only the first one counts. */
  progressed(postDialDelayMs: number | undefined): void {
    if (this.#hasProgress || postDialDelayMs === undefined) return;
    this.#hasProgress = true;
    this.#metrics.postDialDelay(postDialDelayMs, this.#callId);
  }

  /** The call is over; `talkMs` is absent when it was never answered. */
  ended(result: CallResult, talkMs: number | undefined): void {
    this.attemptEnded(result);
    if (talkMs !== undefined) this.#metrics.callDuration(talkMs, this.#callId);
    const { realm, agent } = this.#caller;
    this.#metrics.legClosed({ realm: realm.name, direction: 'inbound' });
    this.#metrics.callEnded({ agent: agent?.name, direction: 'inbound', result });
  }
}

/** What a leg has counted so far, all streams together. */
interface Packets {
  readonly lost: number;
  readonly received: number;
  readonly sent: number;
  readonly strange: number;
  /** Of the stream that has most of it. */
  readonly jitterMs: number;
}

const NO_PACKETS: Packets = { lost: 0, received: 0, sent: 0, strange: 0, jitterMs: 0 };

/** One-way time, of which only that after the answer counts: early media is one-way by nature. */
type OneWayState =
  | { readonly type: 'ringing' }
  /** The next reading is what has been before. */
  | { readonly type: 'answered' }
  | { readonly type: 'counting'; readonly countedMs: number };

/** Enters the packets of one call's streams: each reading counts what came since the one before. */
export class MediaMeter {
  readonly #metrics: Metrics;
  readonly #realms: Readonly<Record<Side, string>>;
  #oneWay: OneWayState = { type: 'ringing' };
  readonly #counted: Record<Side, Packets> = { caller: NO_PACKETS, callee: NO_PACKETS };

  constructor(metrics: Metrics, realms: Readonly<Record<Side, string>>) {
    this.#metrics = metrics;
    this.#realms = realms;
  }

  /** The call is answered; a reading is wanted now. */
  answered(): void {
    if (this.#oneWay.type === 'ringing') this.#oneWay = { type: 'answered' };
  }

  /** Takes a reading of every stream; an older one that arrives late changes nothing. */
  read(counters: readonly MediaCounters[]): void {
    this.#readOneWay(counters);
    for (const side of SIDES) {
      const before = this.#counted[side];
      const now = packetsOf(counters, side);
      if (now.received < before.received || now.sent < before.sent) continue;
      // What was missing may still come: it is counted once, and not taken back.
      const lost = Math.max(now.lost, before.lost);
      this.#counted[side] = { ...now, lost };
      this.#metrics.rtpLost(lost - before.lost);
      if (now.received > before.received) this.#metrics.rtpJitter(now.jitterMs);
      const realm = this.#realms[side];
      const { received, sent, strange } = now;
      this.#metrics.rtpPackets({ realm, direction: 'inbound' }, received - before.received);
      this.#metrics.rtpPackets({ realm, direction: 'outbound' }, sent - before.sent);
      this.#metrics.mediaSourceViolations(Math.max(0, strange - before.strange));
    }
  }

  #readOneWay(counters: readonly MediaCounters[]): void {
    const state = this.#oneWay;
    if (state.type === 'ringing') return;
    const totalMs = oneWayMsOf(counters);
    const beforeMs = state.type === 'counting' ? state.countedMs : totalMs;
    this.#oneWay = { type: 'counting', countedMs: Math.max(beforeMs, totalMs) };
    this.#metrics.rtpOneWay(Math.max(0, totalMs - beforeMs));
  }
}

function oneWayMsOf(counters: readonly MediaCounters[]): number {
  return counters.reduce((sum, { caller, callee }) => sum + caller.oneWayMs + callee.oneWayMs, 0);
}

function packetsOf(counters: readonly MediaCounters[], side: Side): Packets {
  let { lost, received, sent, strange, jitterMs } = NO_PACKETS;
  for (const counter of counters) {
    const leg = counter[side];
    lost += leg.lostPackets;
    received += leg.receivedPackets;
    sent += leg.sentPackets;
    strange += leg.dropped['unknown-source'];
    jitterMs = Math.max(jitterMs, leg.jitterMs);
  }
  return { lost, received, sent, strange, jitterMs };
}
