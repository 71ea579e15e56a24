/** One leg of a relayed stream: what was negotiated, who its peer is, what was counted. */

import { createLegCounters, type LegCounters } from './relay-counters.ts';
import { SourceLock, type LearntSource, type PacketSource } from './source-lock.ts';
import { ReceptionStats } from './reception-stats.ts';
import { isOfPress } from './press-before.ts';
import type { EventMedia, LegMedia } from './media-engine.ts';
import type { Side } from '../wire/side.ts';

/** What a received payload type is on this leg. */
export const PAYLOAD_OTHER = 0;
export const PAYLOAD_AUDIO = 1;
export const PAYLOAD_EVENT = 2;

const PAYLOAD_TYPES = 128;
/** Shared by the many legs that have none; never written to. */
const NO_RATES = new Uint32Array(PAYLOAD_TYPES);

export class RelayLeg {
  readonly side: Side;
  readonly lock: SourceLock;
  readonly reception = new ReceptionStats();
  readonly counters: LegCounters = createLegCounters();
  /** By received payload type: one of the PAYLOAD_… values. */
  readonly payloadKinds = new Uint8Array(PAYLOAD_TYPES);
  /** By received payload type, where it is PAYLOAD_EVENT: the format it belongs to. */
  readonly eventFormats = new Map<number, EventMedia>();
  /** By received payload type: the clock of its timestamps where it is a voice codec, else 0. */
  voiceClockRates = NO_RATES;
  /** By received payload type: its number on the other leg. */
  readonly payloadTypeMap = new Uint8Array(PAYLOAD_TYPES);
  /** Whether packets pass byte for byte. */
  isOpaque = false;
  /** When the peer's last accepted RTP packet came, or the leg began. */
  lastReceivedAtMs: number;
  /** Who sent the last packet that was not the peer's. */
  lastStranger: PacketSource | undefined;
  #media: LegMedia | undefined;

  constructor(side: Side, nowMs: number, onLearnt?: (learnt: LearntSource) => void) {
    this.side = side;
    this.lock = new SourceLock(onLearnt);
    this.lastReceivedAtMs = nowMs;
    for (let number = 0; number < PAYLOAD_TYPES; number++) this.payloadTypeMap[number] = number;
  }

  /** As negotiated last; `undefined` before the first offer/answer. */
  get media(): LegMedia | undefined {
    return this.#media;
  }

  /** What the packets of this leg are. */
  get transport(): 'rtp' | 'srtp' | 'datagrams' {
    return this.#media?.transport ?? 'rtp';
  }

  /** Whether RTP may be sent to the peer. */
  get canSend(): boolean {
    return this.#media !== undefined && this.#media.maySend && this.lock.hasRemote;
  }

  /** Where RTP to the peer goes, if it may be sent any. */
  get destination(): PacketSource | undefined {
    return this.canSend ? this.lock.rtpDestination : undefined;
  }

  /** The telephone-event this peer expects beside audio of `clockRate`, any other if it has none of that rate. */
  eventFor(clockRate: number): EventMedia | undefined {
    const event = this.#media?.event;
    if (event === undefined || event.clockRate === clockRate) return event;
    return this.#media?.otherEvents?.find((other) => other.clockRate === clockRate) ?? event;
  }

  /** Why event `code` cannot be sent to this peer as `format` now. */
  obstacle(
    code: number,
    format: EventMedia | undefined,
  ): 'event-not-negotiated' | 'media-inactive' | undefined {
    if (this.#media !== undefined && format?.events.includes(code) !== true) {
      return 'event-not-negotiated';
    }
    return this.canSend ? undefined : 'media-inactive';
  }

  /** Whether an event packet goes on with a press that was reported on another stream. */
  hadPress(packet: Buffer, code: number | undefined): boolean {
    const press = this.#media?.pressBefore;
    return press !== undefined && code !== undefined && isOfPress(packet, code, press);
  }

  /** Notes a packet that is not the peer's; why it is dropped. */
  refuse(source: PacketSource): 'unknown-source' | 'no-remote' {
    this.lastStranger = source;
    return this.lock.hasRemote ? 'unknown-source' : 'no-remote';
  }

  update(media: LegMedia): void {
    this.#media = media;
    this.isOpaque = this.transport !== 'rtp';
    this.lock.update(media);
    this.reception.clockRate = media.audio.clockRate;
    this.payloadKinds.fill(PAYLOAD_OTHER);
    for (const number of media.audio.payloadTypes) this.payloadKinds[number] = PAYLOAD_AUDIO;
    for (const format of eventFormatsOf(media)) {
      for (const number of format.receivePayloadTypes) {
        // The first format that claims a number has it: that of the codec in use.
        if (this.payloadKinds[number] === PAYLOAD_EVENT) continue;
        this.payloadKinds[number] = PAYLOAD_EVENT;
        this.eventFormats.set(number, format);
      }
    }
    const rates = [...(media.audio.otherClockRates ?? [])];
    if (rates.length > 0) this.voiceClockRates = new Uint32Array(PAYLOAD_TYPES);
    else this.voiceClockRates = NO_RATES;
    for (const [number, clockRate] of rates) this.voiceClockRates[number] = clockRate;
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

/** Every telephone-event format of a leg, that of the codec in use first. */
export function eventFormatsOf({ event, otherEvents = [] }: LegMedia): readonly EventMedia[] {
  return event === undefined ? [] : [event, ...otherEvents];
}

/** `address:port`, IPv6 addresses in brackets. */
export function formatSource({ address, port }: PacketSource): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
