/** What one media section of an SDP says (RFC 8866 §5.14, RFC 3264, RFC 3605, RFC 4733 §2.4). */

import { parseConnection, plainAddress } from './sdp-address.ts';
import { WireError } from './wire-error.ts';

export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface SdpCodec {
  readonly payloadType: number;
  /** Encoding name as written; compare without regard to case. */
  readonly name: string;
  /** RTP clock in Hz, which for G.722 is 8000 whatever the peer writes (RFC 3551 §4.5.2). */
  readonly clockRate: number;
  readonly channels: number;
}

export interface SdpTelephoneEvent {
  readonly payloadType: number;
  readonly clockRate: number;
  /** The fmtp text, such as `0-15`; `undefined` when there is none. */
  readonly events: string | undefined;
}

export interface SdpRtcp {
  readonly port: number;
  readonly address: string | undefined;
}

export interface SdpMedia {
  /** Position among the media sections, from 0. */
  readonly index: number;
  /** The section's lines as received, the m= line first. */
  readonly lines: readonly string[];
  /** `audio`, `video`, `image` … */
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  /** Own c= line, else the session's; a host name is possible, an IPv4-mapped address is the IPv4 one. */
  readonly connectionAddress: string | undefined;
  readonly direction: MediaDirection;
  /** Every format whose meaning is known, in m-line order, telephone-event and CN included. */
  readonly codecs: readonly SdpCodec[];
  readonly telephoneEvents: readonly SdpTelephoneEvent[];
  readonly packetTimeMs: number | undefined;
  readonly rtcp: SdpRtcp | undefined;
}

/** What a media section inherits from the session level. */
export interface SessionDefaults {
  readonly connectionAddress: string | undefined;
  readonly direction: MediaDirection;
}

/** Static payload types (RFC 3551 §6): number, name, clock rate, channels. */
// oxfmt-ignore
const STATIC_CODECS: readonly (readonly [number, string, number, number])[] = [
  [0, 'PCMU', 8000, 1], [3, 'GSM', 8000, 1], [4, 'G723', 8000, 1], [5, 'DVI4', 8000, 1],
  [6, 'DVI4', 16000, 1], [7, 'LPC', 8000, 1], [8, 'PCMA', 8000, 1], [9, 'G722', 8000, 1],
  [10, 'L16', 44100, 2], [11, 'L16', 44100, 1], [12, 'QCELP', 8000, 1], [13, 'CN', 8000, 1],
  [14, 'MPA', 90000, 1], [15, 'G728', 8000, 1], [16, 'DVI4', 11025, 1], [17, 'DVI4', 22050, 1],
  [18, 'G729', 8000, 1], [19, 'CN', 8000, 1], [26, 'JPEG', 90000, 1], [31, 'H261', 90000, 1],
  [32, 'MPV', 90000, 1], [33, 'MP2T', 90000, 1], [34, 'H263', 90000, 1],
];

const STATIC_BY_NUMBER: ReadonlyMap<number, SdpCodec> = new Map(
  STATIC_CODECS.map(([payloadType, name, clockRate, channels]) => [
    payloadType,
    { payloadType, name, clockRate, channels },
  ]),
);

/** Formats that accompany a voice codec and are none themselves. */
const COMPANIONS: ReadonlySet<string> = new Set([
  'telephone-event',
  'tone',
  'cn',
  'red',
  'rtx',
  'ulpfec',
  'parityfec',
  'flexfec',
]);

/** More formats on one m-line than RTP has numbers for are refused. */
const MAX_FORMATS = 256;
const MAX_PORT = 65_535;
const MAX_PAYLOAD_TYPE = 127;
const MAX_EVENT_CODE = 255;
/** Digits 0 to 9, *, #, A to D. */
const DTMF_CODES: readonly number[] = Array.from({ length: 16 }, (_, code) => code);

/** Reads one section. @throws WireError when the m= line is not one. */
export function readMedia(
  lines: readonly string[],
  index: number,
  session: SessionDefaults,
): SdpMedia {
  const { kind, port, protocol, formats } = parseMediaLine(lines[0] ?? '');
  const attributes = readAttributes(lines);
  const codecs = readCodecs(formats, attributes.rtpmaps);
  return {
    index,
    lines,
    kind,
    port,
    protocol,
    formats,
    connectionAddress: attributes.connectionAddress ?? session.connectionAddress,
    direction: attributes.direction ?? session.direction,
    codecs,
    telephoneEvents: codecs.filter(isTelephoneEvent).map(({ payloadType, clockRate }) => ({
      payloadType,
      clockRate,
      events: attributes.formatParameters.get(payloadType),
    })),
    packetTimeMs: attributes.packetTimeMs,
    rtcp: attributes.rtcp,
  };
}

interface MediaLine {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
}

/** Reads `m=audio 4000/2 RTP/AVP 0 101`; the port count is dropped. */
function parseMediaLine(line: string): MediaLine {
  const [kind, portText, protocol, ...formats] = line.slice(2).trim().split(/\s+/);
  const port = /^(\d{1,5})(?:\/\d{1,5})?$/.exec(portText ?? '')?.[1];
  if (!kind || protocol === undefined || port === undefined || Number(port) > MAX_PORT) {
    throw new WireError(`expected m=<media> <port> <protocol> <formats>, got ${excerpt(line)}`);
  }
  if (formats.length === 0 && Number(port) !== 0) {
    throw new WireError(`expected at least one format, got ${excerpt(line)}`);
  }
  if (formats.length > MAX_FORMATS) {
    throw new WireError(`expected at most ${MAX_FORMATS} formats, got ${formats.length}`);
  }
  return { kind, port: Number(port), protocol, formats };
}

/** The direction attribute of a line, if it is one. */
export function parseDirection(line: string): MediaDirection | undefined {
  switch (line.trimEnd()) {
    case 'a=sendrecv':
      return 'sendrecv';
    case 'a=sendonly':
      return 'sendonly';
    case 'a=recvonly':
      return 'recvonly';
    case 'a=inactive':
      return 'inactive';
    default:
      return undefined;
  }
}

/** Name and value of an attribute line; the value of `a=inactive` is empty. */
export function parseAttribute(line: string): { name: string; value: string } | undefined {
  if (!line.startsWith('a=')) return undefined;
  const colon = line.indexOf(':');
  if (colon < 0) return { name: line.slice(2).trim(), value: '' };
  return { name: line.slice(2, colon), value: line.slice(colon + 1) };
}

/** Whether the codec carries voice: neither telephone-event nor comfort noise nor redundancy. */
export function isVoice(codec: SdpCodec): boolean {
  return !COMPANIONS.has(codec.name.toLowerCase());
}

export function isTelephoneEvent(codec: SdpCodec): boolean {
  return codec.name.toLowerCase() === 'telephone-event';
}

/**
 * The event codes of a telephone-event fmtp such as `0-15,66,70`, ascending.
 * Without a readable list 0–15 are assumed (RFC 4733 §2.4.1).
 */
export function parseEventCodes(events: string | undefined): readonly number[] {
  // What nearly everybody says: all calls share one list.
  return events === undefined || events === '0-15' ? DTMF_CODES : readEventCodes(events);
}

function readEventCodes(events: string): readonly number[] {
  const codes = new Set<number>();
  for (const item of events.split(',', MAX_EVENT_CODE + 1)) {
    const range = /^\s*(\d{1,3})(?:-(\d{1,3}))?\s*$/.exec(item);
    if (range === null) continue;
    const first = Number(range[1]);
    const last = Math.min(Number(range[2] ?? first), MAX_EVENT_CODE);
    for (let code = first; code <= last; code += 1) codes.add(code);
  }
  if (codes.size === 0) return DTMF_CODES;
  return [...codes].toSorted((a, b) => a - b);
}

/** The beginning of a line, for messages. */
export function excerpt(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}

interface SectionAttributes {
  connectionAddress?: string;
  direction?: MediaDirection;
  packetTimeMs?: number;
  rtcp?: SdpRtcp;
  readonly rtpmaps: Map<number, SdpCodec>;
  readonly formatParameters: Map<number, string>;
}

/** One pass over the section; where a line occurs twice the first one counts. */
function readAttributes(lines: readonly string[]): SectionAttributes {
  const found: SectionAttributes = { rtpmaps: new Map(), formatParameters: new Map() };
  for (const line of lines) {
    if (line.startsWith('c=')) {
      const address = parseConnection(line.slice(2));
      if (address !== undefined) found.connectionAddress ??= plainAddress(address);
      continue;
    }
    const attribute = parseAttribute(line);
    if (attribute !== undefined) readAttribute(found, line, attribute);
  }
  return found;
}

function readAttribute(
  found: SectionAttributes,
  line: string,
  { name, value }: { name: string; value: string },
): void {
  switch (name) {
    case 'rtpmap': {
      const codec = parseRtpmap(value);
      if (codec !== undefined && !found.rtpmaps.has(codec.payloadType)) {
        found.rtpmaps.set(codec.payloadType, codec);
      }
      return;
    }
    case 'fmtp': {
      const [, number, parameters] = /^\s*(\d{1,3})\s+(\S.*)$/.exec(value) ?? [];
      const known = found.formatParameters;
      if (parameters === undefined || known.has(Number(number))) return;
      known.set(Number(number), parameters.trimEnd());
      return;
    }
    case 'ptime': {
      const packetTimeMs = Number(/^\s*(\d{1,4}(?:\.\d{1,3})?)\s*$/.exec(value)?.[1]);
      if (packetTimeMs >= 1 && packetTimeMs <= 1000) found.packetTimeMs ??= packetTimeMs;
      return;
    }
    case 'rtcp': {
      const rtcp = parseRtcp(value);
      if (rtcp !== undefined) found.rtcp ??= rtcp;
      return;
    }
    default: {
      const direction = parseDirection(line);
      if (direction !== undefined) found.direction ??= direction;
    }
  }
}

function parseRtpmap(value: string): SdpCodec | undefined {
  const parts = /^\s*(\d{1,3})\s+([^\s/]+)\/(\d{1,9})(?:\/(\d{1,3}))?\s*$/.exec(value);
  const [, payloadType, name, clockRate, channels] = parts ?? [];
  if (name === undefined || Number(payloadType) > MAX_PAYLOAD_TYPE || Number(clockRate) === 0) {
    return undefined;
  }
  return {
    payloadType: Number(payloadType),
    name,
    clockRate: name.toLowerCase() === 'g722' ? 8000 : Number(clockRate),
    channels: Number(channels ?? 1),
  };
}

function parseRtcp(value: string): SdpRtcp | undefined {
  const parts = /^\s*(\d{1,5})(?:\s+(\S.*))?$/.exec(value);
  if (parts === null || Number(parts[1]) > MAX_PORT) return undefined;
  return { port: Number(parts[1]), address: parseConnection(parts[2] ?? '') };
}

function readCodecs(
  formats: readonly string[],
  rtpmaps: ReadonlyMap<number, SdpCodec>,
): readonly SdpCodec[] {
  const codecs = new Map<number, SdpCodec>();
  for (const format of formats) {
    if (!/^\d{1,3}$/.test(format)) continue;
    const codec = rtpmaps.get(Number(format)) ?? STATIC_BY_NUMBER.get(Number(format));
    if (codec !== undefined) codecs.set(codec.payloadType, codec);
  }
  return [...codecs.values()];
}
