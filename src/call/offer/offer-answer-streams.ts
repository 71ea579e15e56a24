/** What media streams are told after an exchange: addresses, payload types, events per direction. */

import type { LegSettings } from '../../config/effective.ts';
import type {
  EventHandling,
  EventMedia,
  LegMedia,
  RemoteMedia,
  StreamUpdate,
} from '../../media/media-engine.ts';
import { otherSide } from '../../wire/side.ts';
import type { Side } from '../../wire/side.ts';
import { agreedTransportOf } from '../../wire/sdp-protocol.ts';
import { isMediaTarget, isUnspecified } from '../../wire/sdp-address.ts';
import { eventForClock, hasVoice, voiceClockRates } from '../../wire/sdp-edit.ts';
import { isTelephoneEvent, isVoice, parseEventCodes } from '../../wire/sdp-media.ts';
import type { SdpMedia } from '../../wire/sdp-media.ts';
import type { Sdp } from '../../wire/sdp.ts';
import type { FormatMemory } from './sdp-memory.ts';

/** Both descriptions of one leg: the peer's own and the one we gave it. */
export interface LegDescriptions {
  readonly own: Sdp;
  readonly ours: Sdp;
}

export interface Exchange {
  readonly legs: Readonly<Record<Side, LegDescriptions>>;
  readonly memories: Readonly<Record<Side, FormatMemory>>;
  readonly settings: Readonly<Record<Side, LegSettings>>;
  /** Where each side's media was before this exchange, by section. */
  readonly remotes: Readonly<Record<Side, readonly (RemoteMedia | undefined)[]>>;
  /** The side whose answer chose the codecs. */
  readonly answerSide: Side;
}

/** Where the clock of a section without known codecs does not matter. */
const DEFAULT_CLOCK_RATE = 8000;
const DEFAULT_PACKET_TIME_MS = 20;
const MAX_PORT = 65_535;

/** One section as both sides of one leg wrote it. */
interface Section {
  readonly own: SdpMedia;
  readonly ours: SdpMedia;
  readonly memory: FormatMemory;
  readonly settings: LegSettings;
  readonly remoteBefore: RemoteMedia | undefined;
}

/** The first audio section with a voice codec that both sides accepted. */
export function acceptedVoice(exchange: Exchange): number | undefined {
  const { answerSide, legs } = exchange;
  const index = legs[answerSide].own.media.findIndex(
    (media) => hasVoice(media) && isAccepted(exchange, media.index),
  );
  return index < 0 ? undefined : index;
}

/** Whether telephone-event is negotiated on a leg, for the voice codec in use. */
export function hasTelephoneEvent(exchange: Exchange, index: number, side: Side): boolean {
  return eventsOf(exchange, index, clockRateOf(exchange, index))[side] !== undefined;
}

/** What the packets of a section are; by the answer, which chose. */
export function transportIn(
  { answerSide, legs }: Pick<Exchange, 'answerSide' | 'legs'>,
  index: number,
): 'rtp' | 'srtp' | 'datagrams' {
  const answer = legs[answerSide].own.media[index];
  const transport = answer === undefined ? 'rtp' : agreedTransportOf(answer);
  // Sections that do not go over UDP are switched off and have no stream.
  return transport === 'other' ? 'datagrams' : transport;
}

/** Whether the audio of section `index` is SRTP, and whether both ends list telephone-event in it. */
export function srtpIn(
  exchange: Exchange,
  index: number | undefined,
): 'with-events' | 'without-events' | undefined {
  if (index === undefined || transportIn(exchange, index) !== 'srtp') return undefined;
  const { caller, callee } = exchange.legs;
  const lists = [caller.own, callee.own].map((sdp) => sdp.media[index]?.telephoneEvents ?? []);
  return lists.every((events) => events.length > 0) ? 'with-events' : 'without-events';
}

/** telephone-event of each leg as we can use it: not inside SRTP. */
function eventsOf(
  exchange: Exchange,
  index: number,
  clockRate: number,
): Readonly<Record<Side, EventMedia | undefined>> {
  if (transportIn(exchange, index) !== 'rtp') return { caller: undefined, callee: undefined };
  return {
    caller: eventOf(sectionOf(exchange, index, 'caller'), clockRate),
    callee: eventOf(sectionOf(exchange, index, 'callee'), clockRate),
  };
}

/** The update for the stream of section `index`; `undefined` when a description lacks it. */
export function streamUpdate(exchange: Exchange, index: number): StreamUpdate | undefined {
  const caller = sectionOf(exchange, index, 'caller');
  const callee = sectionOf(exchange, index, 'callee');
  if (caller === undefined || callee === undefined) return undefined;
  const isOpen = isAccepted(exchange, index);
  const clockRate = clockRateOf(exchange, index);
  const sections = { caller, callee };
  const transport = transportIn(exchange, index);
  const events = eventsOf(exchange, index, clockRate);
  const carriesDigits = acceptedVoice(exchange) === index;
  const leg = (side: Side): LegMedia => ({
    ...legMedia(sections[side], isOpen, clockRate),
    transport,
    event: events[side],
    otherEvents: otherEventsOf(sections[side], events[side]),
    payloadTypeMap: payloadTypeMap(events[side], events[otherSide(side)]),
  });
  const handling = (side: Side): EventHandling => {
    const bothHaveEvents = events[side] !== undefined && events[otherSide(side)] !== undefined;
    return {
      mode: bothHaveEvents ? 'relay' : 'absorb',
      detect: carriesDigits && events[side] !== undefined,
    };
  };
  return {
    legs: { caller: leg('caller'), callee: leg('callee') },
    events: { caller: handling('caller'), callee: handling('callee') },
  };
}

function sectionOf(exchange: Exchange, index: number, side: Side): Section | undefined {
  const { own, ours } = exchange.legs[side];
  const [ownMedia, ourMedia] = [own.media[index], ours.media[index]];
  if (ownMedia === undefined || ourMedia === undefined) return undefined;
  return {
    own: ownMedia,
    ours: ourMedia,
    memory: exchange.memories[side],
    settings: exchange.settings[side],
    remoteBefore: exchange.remotes[side][index],
  };
}

function isAccepted(exchange: Exchange, index: number): boolean {
  const { caller, callee } = exchange.legs;
  return [caller.own, caller.ours, callee.own, callee.ours].every((sdp) => {
    const port = sdp.media[index]?.port;
    return port !== undefined && port !== 0;
  });
}

/** The clock of the codec in use: the answer's first voice codec. */
function clockRateOf(exchange: Exchange, index: number): number {
  const media = exchange.legs[exchange.answerSide].own.media[index];
  if (media === undefined) return DEFAULT_CLOCK_RATE;
  return voiceClockRates(media)[0] ?? media.codecs[0]?.clockRate ?? DEFAULT_CLOCK_RATE;
}

function legMedia(
  section: Section,
  isOpen: boolean,
  clockRate: number,
): Omit<LegMedia, 'event' | 'payloadTypeMap'> {
  const { own, ours, settings } = section;
  const isNowhere = own.connectionAddress !== undefined && isUnspecified(own.connectionAddress);
  return {
    remote: isOpen ? remoteOf(section) : undefined,
    mediaSource: settings.mediaSource.value,
    maySend: isOpen && !isNowhere && mayReceive(own) && maySend(ours),
    maySendRtcp: !isNowhere,
    audio: {
      payloadTypes: otherNumbers(own, ours),
      clockRate,
      otherClockRates: ours.codecs
        .filter(isVoice)
        .map((codec) => [codec.payloadType, codec.clockRate] as const),
      packetTimeMs: own.packetTimeMs ?? ours.packetTimeMs ?? DEFAULT_PACKET_TIME_MS,
    },
    digitGapMs: settings.dtmfGapMs.value,
    digitPacketIntervalMs: settings.dtmfPacketIntervalMs.value,
    repairMovedEnd: settings.dtmfRepairMovedEnd.value,
    mergeWindowMs: settings.dtmfMergeWindowMs.value,
  };
}

/**
 * Where the peer's media is. An old-style hold (c=0.0.0.0) says only where it wants none: what the
 * peer itself sends, music for one, still comes from where it was before.
 */
function remoteOf({ own, remoteBefore }: Section): RemoteMedia | undefined {
  const address = own.connectionAddress;
  if (address === undefined) return undefined;
  if (isUnspecified(address)) return remoteBefore;
  if (!isMediaTarget(address)) return undefined;
  return { address, rtpPort: own.port, rtcpPort: rtcpPortOf(own) };
}

function eventOf(section: Section | undefined, clockRate: number): EventMedia | undefined {
  if (section === undefined || !hasVoice(section.own)) return undefined;
  const { own, ours, memory } = section;
  const theirs = eventForClock(own, clockRate);
  if (theirs === undefined) return undefined;
  const mine = ours.telephoneEvents.find((event) => event.clockRate === theirs.clockRate);
  if (mine === undefined) return undefined;
  // The number is ours to choose; the peer's own and earlier ones are understood too as long as
  // they mean nothing else now (RFC 3264 §5.1, §8.3.2).
  const taken = new Set([...plainNumbers(own), ...plainNumbers(ours)]);
  const others = [theirs.payloadType, ...memory.eventNumbers(own.index, theirs.clockRate)];
  return {
    sendPayloadType: theirs.payloadType,
    receivePayloadTypes: [
      ...new Set([mine.payloadType, ...others.filter((number) => !taken.has(number))]),
    ],
    clockRate: theirs.clockRate,
    events: parseEventCodes(theirs.events),
  };
}

/** telephone-event for the codecs of other clock rates than that of `event` (RFC 4733 §2.1). */
function otherEventsOf(section: Section, event: EventMedia | undefined): readonly EventMedia[] {
  if (event === undefined) return [];
  const rates = new Set(section.own.telephoneEvents.map(({ clockRate }) => clockRate));
  rates.delete(event.clockRate);
  return [...rates].flatMap((clockRate) => eventOf(section, clockRate) ?? []);
}

function payloadTypeMap(
  from: EventMedia | undefined,
  to: EventMedia | undefined,
): readonly (readonly [from: number, to: number])[] {
  if (from === undefined || to === undefined) return [];
  return from.receivePayloadTypes
    .filter((number) => number !== to.sendPayloadType)
    .map((number) => [number, to.sendPayloadType] as const);
}

/** Numbers the peer may send that are no telephone-event. */
function otherNumbers(own: SdpMedia, ours: SdpMedia): readonly number[] {
  const events = new Set(ours.telephoneEvents.map((event) => event.payloadType));
  const numbers = [...plainNumbers(ours), ...plainNumbers(own).filter((n) => !events.has(n))];
  return [...new Set(numbers)];
}

function plainNumbers(media: SdpMedia): readonly number[] {
  const events = new Set(media.codecs.filter(isTelephoneEvent).map((codec) => codec.payloadType));
  return media.formats
    .filter((format) => /^\d{1,3}$/.test(format))
    .map(Number)
    .filter((number) => number <= 127 && !events.has(number));
}

function rtcpPortOf(media: SdpMedia): number {
  return media.rtcp?.port || Math.min(media.port + 1, MAX_PORT);
}

function mayReceive(media: SdpMedia): boolean {
  return media.direction === 'sendrecv' || media.direction === 'recvonly';
}

function maySend(media: SdpMedia): boolean {
  return media.direction === 'sendrecv' || media.direction === 'sendonly';
}
