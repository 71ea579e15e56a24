/** One leg of a relayed stream: what was negotiated, who its peer is, what was counted. */

import { createLegCounters, type LegCounters } from './relay-counters.ts';
import { SourceLock, type LearntSource, type PacketSource } from './source-lock.ts';
import { ReceptionStats } from './reception-stats.ts';
import { isOfPress } from './press-before.ts';
import type { AudioMedia, EventMedia, LegMedia } from './media-engine.ts';
import type { Side } from '../wire/side.ts';

/** What a received payload type is on this leg. */
export const PAYLOAD_OTHER = 0;
export const PAYLOAD_AUDIO = 1;
export const PAYLOAD_EVENT = 2;

const PAYLOAD_TYPES = 128;
/** Different agreements remembered; peers can invent as many as they like. */
const MAX_SHARED = 256;

/**
 * What the payload types of a leg mean, as packets are looked up. Most calls negotiate the same few codecs: legs for which
 * the same was agreed share their tables, which are never written to once they are made.
 */
interface PayloadTables {
  /** By received payload type: one of the PAYLOAD_… values. */
  readonly payloadKinds: Uint8Array;
  /** By received payload type, where it is PAYLOAD_EVENT: the format it belongs to. */
  readonly eventFormats: ReadonlyMap<number, EventMedia>;
  /** By received payload type: the clock of its timestamps where it is a voice codec, else 0. */
  readonly voiceClockRates: Uint32Array;
  /** By received payload type: its number on the other leg. */
  readonly payloadTypeMap: Uint8Array;
  /** What they were made from, for all who share them. */
  readonly audio: AudioMedia;
  readonly event: EventMedia | undefined;
  readonly otherEvents: readonly EventMedia[] | undefined;
}

type Agreement = Pick<LegMedia, 'audio' | 'event' | 'otherEvents' | 'payloadTypeMap'>;

const shared = new Map<string, PayloadTables>();

/** Of a leg about which nothing is agreed. */
const NO_PAYLOADS = makeTables({
  audio: { payloadTypes: [], clockRate: 8000, packetTimeMs: 20 },
  event: undefined,
  otherEvents: undefined,
  payloadTypeMap: [],
});

export class RelayLeg {
  readonly side: Side;
  readonly lock: SourceLock;
  readonly reception = new ReceptionStats();
  readonly counters: LegCounters = createLegCounters();
  /** By received payload type: one of the PAYLOAD_… values. */
  payloadKinds = NO_PAYLOADS.payloadKinds;
  /** By received payload type, where it is PAYLOAD_EVENT: the format it belongs to. */
  eventFormats = NO_PAYLOADS.eventFormats;
  /** By received payload type: the clock of its timestamps where it is a voice codec, else 0. */
  voiceClockRates = NO_PAYLOADS.voiceClockRates;
  /** By received payload type: its number on the other leg. */
  payloadTypeMap = NO_PAYLOADS.payloadTypeMap;
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
    const tables = payloadTablesOf(media);
    const { audio, event, otherEvents } = tables;
    this.#media = { ...media, audio, event, otherEvents };
    this.isOpaque = this.transport !== 'rtp';
    this.lock.update(media);
    this.reception.clockRate = audio.clockRate;
    this.payloadKinds = tables.payloadKinds;
    this.eventFormats = tables.eventFormats;
    this.voiceClockRates = tables.voiceClockRates;
    this.payloadTypeMap = tables.payloadTypeMap;
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

/** The tables for what was agreed. */
function payloadTablesOf({ audio, event, otherEvents, payloadTypeMap }: Agreement): PayloadTables {
  const key = JSON.stringify([audio, event, otherEvents, payloadTypeMap]);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const made = makeTables({ audio, event, otherEvents, payloadTypeMap });
  if (shared.size >= MAX_SHARED) shared.clear();
  shared.set(key, made);
  return made;
}

function makeTables({ audio, event, otherEvents, payloadTypeMap }: Agreement): PayloadTables {
  const payloadKinds = new Uint8Array(PAYLOAD_TYPES).fill(PAYLOAD_OTHER);
  for (const number of audio.payloadTypes) payloadKinds[number] = PAYLOAD_AUDIO;
  const eventFormats = new Map<number, EventMedia>();
  for (const format of eventFormatsOf({ event, otherEvents })) {
    for (const number of format.receivePayloadTypes) {
      // The first format that claims a number has it: that of the codec in use.
      if (payloadKinds[number] === PAYLOAD_EVENT) continue;
      payloadKinds[number] = PAYLOAD_EVENT;
      eventFormats.set(number, format);
    }
  }
  const voiceClockRates = new Uint32Array(PAYLOAD_TYPES);
  for (const [number, clockRate] of audio.otherClockRates ?? []) {
    voiceClockRates[number] = clockRate;
  }
  const numbers = Uint8Array.from({ length: PAYLOAD_TYPES }, (_, number) => number);
  for (const [from, to] of payloadTypeMap) numbers[from] = to;
  const tables = { payloadKinds, eventFormats, voiceClockRates, payloadTypeMap: numbers };
  return { ...tables, audio, event, otherEvents };
}

/** Every telephone-event format of a leg, that of the codec in use first. */
export function eventFormatsOf({
  event,
  otherEvents = [],
}: Pick<LegMedia, 'event' | 'otherEvents'>): readonly EventMedia[] {
  return event === undefined ? [] : [event, ...otherEvents];
}

/** `address:port`, IPv6 addresses in brackets. */
export function formatSource({ address, port }: PacketSource): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
