/** Edits of one media section; all other lines stay as they are and where they are. */

import { formatConnection } from './sdp-address.ts';
import { isVoice, parseAttribute, readMedia } from './sdp-media.ts';
import type { SdpMedia, SdpTelephoneEvent } from './sdp-media.ts';
import { readSessionDefaults } from './sdp.ts';
import type { Sdp } from './sdp.ts';

export interface MediaAddress {
  /** A literal address; `0.0.0.0` or `::` keeps an old-style hold. */
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** A telephone-event format to write; `events` is its fmtp text. */
export interface EventFormat {
  readonly payloadType: number;
  readonly clockRate: number;
  readonly events: string;
}

/** The fmtp of formats we add on our own account: the sixteen DTMF keys. */
export const DTMF_EVENTS = '0-15';

const LOWEST_DYNAMIC = 96;
const FIRST_CHOICE = 101;
const HIGHEST_DYNAMIC = 127;

/** Attributes whose value begins with a payload type. */
const FORMAT_ATTRIBUTES: ReadonlySet<string> = new Set(['rtpmap', 'fmtp', 'rtcp-fb']);

/**
 * Writes our address and ports into a section: the m= port without count, one c= line where the
 * session's does not already say it, and a=rtcp where it was there or RTP + 1 would be wrong.
 */
export function setMediaAddress(sdp: Sdp, index: number, target: MediaAddress): Sdp {
  const connection = `c=${formatConnection(target.address)}`;
  const rtcp = `a=rtcp:${target.rtcpPort}`;
  return editSection(sdp, index, (media) => {
    const sessionAddress = readSessionDefaults(sdp.session).connectionAddress;
    const rest = replaceLines(
      replaceLines(media.lines.slice(1), (line) => line.startsWith('c='), connection),
      isRtcpLine,
      rtcp,
    );
    if (!rest.includes(connection) && sessionAddress !== target.address) {
      rest.splice(rest[0]?.startsWith('i=') ? 1 : 0, 0, connection);
    }
    if (!rest.includes(rtcp) && target.rtcpPort !== target.rtpPort + 1) rest.push(rtcp);
    return [mediaLine(media, target.rtpPort, media.formats), ...rest];
  });
}

/** Refuses a section: port 0, formats kept (RFC 3264 §6). */
export function disableMedia(sdp: Sdp, index: number): Sdp {
  return editSection(sdp, index, (media) => [
    mediaLine(media, 0, media.formats),
    ...media.lines.slice(1).filter((line) => !isRtcpLine(line)),
  ]);
}

/** Appends telephone-event formats with rtpmap and fmtp; a leftover rtpmap of that number goes. */
export function insertTelephoneEvents(
  sdp: Sdp,
  index: number,
  formats: readonly EventFormat[],
): Sdp {
  if (formats.length === 0) return sdp;
  const numbers = new Set(formats.map((format) => String(format.payloadType)));
  return editSection(sdp, index, (media) => {
    const kept = media.lines.slice(1).filter((line) => !numbers.has(formatOfLine(line) ?? ''));
    const lines = [mediaLine(media, media.port, [...media.formats, ...numbers]), ...kept];
    const added = formats.flatMap(({ payloadType, clockRate, events }) => [
      `a=rtpmap:${payloadType} telephone-event/${clockRate}`,
      `a=fmtp:${payloadType} ${events}`,
    ]);
    lines.splice(insertionPoint(lines), 0, ...added);
    return lines;
  });
}

/** Removes every telephone-event format, unless the section would be left without any format. */
export function removeTelephoneEvents(sdp: Sdp, index: number): Sdp {
  return editSection(sdp, index, (media) => {
    const numbers = new Set(media.telephoneEvents.map((event) => String(event.payloadType)));
    const formats = media.formats.filter((format) => !numbers.has(format));
    if (numbers.size === 0 || formats.length === 0) return media.lines;
    return [
      mediaLine(media, media.port, formats),
      ...media.lines.slice(1).filter((line) => !numbers.has(formatOfLine(line) ?? '')),
    ];
  });
}

/**
 * Gives formats of a section new numbers, all at once, in the m-line, rtpmap, fmtp and rtcp-fb.
 * A new number that a format outside `numbers` holds leaves the section unchanged.
 */
export function renumberFormats(
  sdp: Sdp,
  index: number,
  numbers: ReadonlyMap<number, number>,
): Sdp {
  const renamed = new Map([...numbers].map(([from, to]) => [String(from), String(to)]));
  return editSection(sdp, index, (media) => {
    const formats = media.formats.map((format) => renamed.get(format) ?? format);
    if (new Set(formats).size !== new Set(media.formats).size) return media.lines;
    const rest = media.lines.slice(1).map((line) => {
      const format = formatOfLine(line);
      const to = format === undefined ? undefined : renamed.get(format);
      if (format === undefined || to === undefined) return line;
      const colon = line.indexOf(':');
      return line.slice(0, colon + 1) + line.slice(colon + 1).replace(format, to);
    });
    return [mediaLine(media, media.port, formats), ...rest];
  });
}

/** The distinct clock rates of the section's voice codecs, in m-line order. */
export function voiceClockRates(media: SdpMedia): readonly number[] {
  return [...new Set(media.codecs.filter(isVoice).map((codec) => codec.clockRate))];
}

export interface EventNumbering {
  /** The configured payload type; it goes to the 8000 Hz format where there is one. */
  readonly configured: number;
  /** Numbers that other formats of this session hold or ever held. */
  readonly avoid: ReadonlySet<number>;
  /** Numbers used for telephone-event before, by clock rate; they are used again. */
  readonly earlier: ReadonlyMap<number, number>;
}

/**
 * Chooses one telephone-event format per clock rate of the section's voice codecs: the earlier
 * number, else the configured one, else the first free of 101…127 and 96…100 (RFC 3264 §8.3.2).
 *
 * @returns fewer formats when no number is free, none without a voice codec.
 */
export function chooseEventFormats(
  media: SdpMedia,
  numbering: EventNumbering,
): readonly EventFormat[] {
  const taken = new Set([...numbering.avoid, ...media.formats.map(Number)]);
  const rates = voiceClockRates(media).toSorted((a, b) => Number(b === 8000) - Number(a === 8000));
  const reserved = new Set(numbering.earlier.values());
  const chosen: EventFormat[] = [];
  for (const clockRate of rates) {
    const candidates = [
      numbering.earlier.get(clockRate),
      ...[numbering.configured, ...dynamicNumbers()].filter((number) => !reserved.has(number)),
    ];
    const payloadType = candidates.find((number) => number !== undefined && !taken.has(number));
    if (payloadType === undefined) continue;
    taken.add(payloadType);
    chosen.push({ payloadType, clockRate, events: DTMF_EVENTS });
  }
  return chosen;
}

/**
 * The section's telephone-event format for a voice codec of `clockRate`, else its first one:
 * RFC 4733 §2.1 ties both clocks together, but peers with another rate exist.
 */
export function eventForClock(media: SdpMedia, clockRate: number): SdpTelephoneEvent | undefined {
  const matching = media.telephoneEvents.find((event) => event.clockRate === clockRate);
  return matching ?? media.telephoneEvents[0];
}

/** Whether the section is RTP audio, switched on, with at least one voice codec. */
export function hasVoice(media: SdpMedia): boolean {
  return media.kind === 'audio' && media.port !== 0 && media.codecs.some(isVoice);
}

function dynamicNumbers(): number[] {
  const numbers: number[] = [];
  for (let number = FIRST_CHOICE; number <= HIGHEST_DYNAMIC; number += 1) numbers.push(number);
  for (let number = LOWEST_DYNAMIC; number < FIRST_CHOICE; number += 1) numbers.push(number);
  return numbers;
}

function editSection(sdp: Sdp, index: number, edit: (media: SdpMedia) => readonly string[]): Sdp {
  const defaults = readSessionDefaults(sdp.session);
  return {
    session: sdp.session,
    media: sdp.media.map((media) =>
      media.index === index ? readMedia(edit(media), index, defaults) : media,
    ),
  };
}

/** Puts `replacement` in the place of the first line that matches and drops the other ones. */
function replaceLines(
  lines: readonly string[],
  matches: (line: string) => boolean,
  replacement: string,
): string[] {
  const first = lines.findIndex(matches);
  return lines.flatMap((line, position) => {
    if (!matches(line)) return [line];
    return position === first ? [replacement] : [];
  });
}

function isRtcpLine(line: string): boolean {
  return parseAttribute(line)?.name === 'rtcp';
}

function mediaLine(media: SdpMedia, port: number, formats: readonly string[]): string {
  return `m=${[media.kind, port, media.protocol, ...formats].join(' ')}`;
}

/** The payload type an attribute line speaks of, as written there. */
function formatOfLine(line: string): string | undefined {
  const attribute = parseAttribute(line);
  if (attribute === undefined || !FORMAT_ATTRIBUTES.has(attribute.name)) return undefined;
  return /^\s*(\d{1,3})(?:\s|$)/.exec(attribute.value)?.[1];
}

/** Behind the last line about formats, else before the first attribute. */
function insertionPoint(lines: readonly string[]): number {
  const last = lines.findLastIndex((line) => formatOfLine(line) !== undefined);
  if (last >= 0) return last + 1;
  const first = lines.findIndex((line) => line.startsWith('a='));
  return first >= 0 ? first : lines.length;
}
