/** One leg of a relayed stream: what was negotiated, who its peer is, what was counted. */

import { createLegCounters, type LegCounters } from './relay-counters.ts';
import { SourceLock, type PacketSource } from './source-lock.ts';
import { ReceptionStats } from './reception-stats.ts';
import type { LegMedia } from './media-engine.ts';
import type { Side } from '../wire/side.ts';

/** What a received payload type is on this leg. */
export const PAYLOAD_OTHER = 0;
export const PAYLOAD_AUDIO = 1;
export const PAYLOAD_EVENT = 2;

const PAYLOAD_TYPES = 128;

export class RelayLeg {
  readonly side: Side;
  readonly lock = new SourceLock();
  readonly reception = new ReceptionStats();
  readonly counters: LegCounters = createLegCounters();
  /** By received payload type: one of the PAYLOAD_… values. */
  readonly payloadKinds = new Uint8Array(PAYLOAD_TYPES);
  /** By received payload type: its number on the other leg. */
  readonly payloadTypeMap = new Uint8Array(PAYLOAD_TYPES);
  /** When the peer's last accepted RTP packet came, or the leg began. */
  lastReceivedAtMs: number;
  /** Who sent the last packet that was not the peer's. */
  lastStranger: PacketSource | undefined;
  #media: LegMedia | undefined;

  constructor(side: Side, nowMs: number) {
    this.side = side;
    this.lastReceivedAtMs = nowMs;
    for (let number = 0; number < PAYLOAD_TYPES; number++) this.payloadTypeMap[number] = number;
  }

  /** As negotiated last; `undefined` before the first offer/answer. */
  get media(): LegMedia | undefined {
    return this.#media;
  }

  /** Whether RTP may be sent to the peer. */
  get canSend(): boolean {
    return this.#media !== undefined && this.#media.maySend && this.lock.hasRemote;
  }

  /** Where RTP to the peer goes, if it may be sent any. */
  get destination(): PacketSource | undefined {
    return this.canSend ? this.lock.rtpDestination : undefined;
  }

  update(media: LegMedia): void {
    this.#media = media;
    this.lock.update(media);
    this.reception.clockRate = media.audio.clockRate;
    this.payloadKinds.fill(PAYLOAD_OTHER);
    for (const number of media.audio.payloadTypes) this.payloadKinds[number] = PAYLOAD_AUDIO;
    for (const number of media.event?.receivePayloadTypes ?? []) {
      this.payloadKinds[number] = PAYLOAD_EVENT;
    }
    for (let number = 0; number < PAYLOAD_TYPES; number++) this.payloadTypeMap[number] = number;
    for (const [from, to] of media.payloadTypeMap) this.payloadTypeMap[from] = to;
  }

  /** The counters with those that are computed when asked. */
  snapshot(nowMs: number): LegCounters {
    const locked = this.lock.locked;
    return {
      ...this.counters,
      dropped: { ...this.counters.dropped },
      lostPackets: this.reception.lostPackets,
      jitterMs: this.reception.jitterMs,
      source: locked && formatSource(locked.source),
      lastStranger: this.lastStranger && formatSource(this.lastStranger),
      isSourceLearnt: locked?.isLearnt ?? false,
      quietMs: nowMs - this.lastReceivedAtMs,
    };
  }
}

/** `address:port`, IPv6 addresses in brackets. */
export function formatSource({ address, port }: PacketSource): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
