/**
 * The SDP that rtpengine is shown in place of the peers' own, and what is read from its answers: an address and two
 * ports. What peers see is written elsewhere; nothing of rtpengine's SDP reaches them.
 */

import type { AudioMedia, LegMedia, LocalMedia, RemoteMedia } from '../media-engine.ts';
import {
  type AddressFamily,
  addressFamily,
  isMediaTarget,
  plainAddress,
} from '../../wire/sdp-address.ts';
import { SIDES, type Side } from '../../wire/side.ts';
import type { EventNumbers } from './event-numbers.ts';

/** Stands for a peer that media neither goes to nor comes from; rtpengine answers with it as well. */
const NOWHERE = { IP4: '0.0.0.0', IP6: '::' } as const;
/**
 * Stands for both peers before anything is agreed, so that rtpengine names its own address (RFC 5737, RFC 3849). Nothing
 * comes from there, and nothing else is taken.
 */
const UNKNOWN = { IP4: '192.0.2.1', IP6: '2001:db8::1' } as const;

/** "Discard": never sent to, the address is unspecified. */
const NO_PORT = 9;

const MAX_PORT = 65_535;

/**
 * Comfort noise (RFC 3389), which rtpengine is not told of: what it does not know passes as it is, while for what it
 * knows it has a coder, and behind a spell of noise it would play digits with that one, into nothing.
 */
const COMFORT_NOISE = 13;

export interface EngineLeg {
  /** Of our own address on this leg. */
  readonly family: AddressFamily;
  readonly remote: RemoteMedia | 'nowhere' | 'unknown';
  readonly transport: NonNullable<LegMedia['transport']>;
  readonly audio: Pick<AudioMedia, 'payloadTypes' | 'packetTimeMs'>;
  readonly isOnHold: boolean;
}

/** A leg as agreed; before that, one that leads nowhere. */
export function engineLeg(media: LegMedia | undefined, family: AddressFamily): EngineLeg {
  const audio = media?.audio ?? { payloadTypes: [0], packetTimeMs: 20 };
  return {
    family,
    remote: media === undefined ? 'unknown' : (media.remote ?? 'nowhere'),
    transport: media?.transport ?? 'rtp',
    audio,
    isOnHold: media?.maySend === false,
  };
}

/** One m-line, with the telephone-event numbers `events`. */
export function engineSdp(
  leg: EngineLeg,
  events: { readonly clockRate: number; readonly numbers: readonly number[] } | undefined,
): string {
  const { remote, family } = leg;
  const isKnown = typeof remote !== 'string';
  const address = isKnown ? remote.address : (remote === 'unknown' ? UNKNOWN : NOWHERE)[family];
  const eventLines = (events?.numbers ?? []).flatMap((number) => [
    `a=rtpmap:${number} telephone-event/${events?.clockRate}`,
    `a=fmtp:${number} 0-16`,
  ]);
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    `c=IN ${leg.family} ${address}`,
    't=0 0',
    mediaLine(leg, events?.numbers ?? []),
    ...(isKnown ? [`a=rtcp:${remote.rtcpPort}`] : []),
    ...(leg.transport === 'datagrams' ? [] : eventLines),
    ...(leg.transport === 'datagrams' ? [] : [`a=ptime:${leg.audio.packetTimeMs}`]),
    `a=${leg.isOnHold ? 'sendonly' : 'sendrecv'}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function mediaLine({ remote, transport, audio }: EngineLeg, events: readonly number[]): string {
  const port = typeof remote === 'string' ? NO_PORT : remote.rtpPort;
  // SRTP passes as RTP whose payload nobody reads; anything else as what rtpengine takes for no RTP at all.
  if (transport === 'datagrams') return `m=image ${port} udptl t38`;
  const audible = audio.payloadTypes.filter((number) => number !== COMFORT_NOISE);
  const numbers = [...new Set([...audible, ...events])];
  return `m=audio ${port} RTP/AVP ${(numbers.length === 0 ? [0] : numbers).join(' ')}`;
}

/** The numbers for each side's SDP. */
export function numbersFor(
  events: EventNumbers | undefined,
  side: Side,
): { readonly clockRate: number; readonly numbers: readonly number[] } | undefined {
  if (events === undefined) return undefined;
  const numbers = side === events.offerer ? events.offer : events.answer;
  return { clockRate: events.clockRate, numbers };
}

/**
 * Where rtpengine listens, by its SDP: an address of `family`, or none for a peer whose own is unspecified.
 *
 * @returns `undefined` when it does not say, or names what peers cannot send to: a host name, another family, a group
 */
export function readEnginePorts(sdp: string, family: AddressFamily): LocalMedia | undefined {
  const [, said, address = ''] = /^c=IN (IP[46]) (\S+)/m.exec(sdp) ?? [];
  const rtpPort = Number(/^m=\S+ (\d+) /m.exec(sdp)?.[1] ?? 0);
  const rtcp = /^a=rtcp:(\d+)/m.exec(sdp)?.[1];
  const rtcpPort = rtcp === undefined ? rtpPort + 1 : Number(rtcp);
  if (isSomewhere(address) && !(said === family && isUnicast(address, family))) return undefined;
  return isUsable(rtpPort) && isUsable(rtcpPort) ? { address, rtpPort, rtcpPort } : undefined;
}

/** An IPv4-mapped address is none of the network. */
function isUnicast(address: string, family: AddressFamily): boolean {
  const isPlain = addressFamily(address) === family && plainAddress(address) === address;
  return isPlain && isMediaTarget(address);
}

function isUsable(port: number): boolean {
  return port > 0 && port <= MAX_PORT;
}

/** Whether `address` is one that peers can send to. */
export function isSomewhere(address: string): boolean {
  return address !== NOWHERE.IP4 && address !== NOWHERE.IP6;
}

/** Whether `found` are the ports `known`; rtpengine hides its address from a peer whose own is unspecified. */
export function isSamePorts(
  known: Readonly<Record<Side, LocalMedia>>,
  found: Readonly<Record<Side, LocalMedia>>,
): boolean {
  return SIDES.every((side) => {
    const { address, rtpPort, rtcpPort } = found[side];
    const isSameAddress = address === known[side].address || !isSomewhere(address);
    return isSameAddress && rtpPort === known[side].rtpPort && rtcpPort === known[side].rtcpPort;
  });
}
