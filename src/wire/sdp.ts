/**
 * Session descriptions that keep every line as received (RFC 8866).
 *
 *   v=0                                   \
 *   o=- 1 1 IN IP4 192.0.2.1               |  session lines
 *   s=-                                    |
 *   c=IN IP4 192.0.2.1                     |
 *   t=0 0                                 /
 *   m=audio 4000 RTP/AVP 0 101            \   media section 0
 *   a=rtpmap:101 telephone-event/8000     /
 *   m=video 4002 RTP/AVP 31                   media section 1
 *
 * An `Sdp` is a value: the edits in sdp-edit.ts and sdp-topology.ts return a new one.
 */

import { parseConnection, plainAddress } from './sdp-address.ts';
import { excerpt, parseDirection, readMedia } from './sdp-media.ts';
import type { MediaDirection, SdpMedia, SessionDefaults } from './sdp-media.ts';
import { WireError } from './wire-error.ts';

/** A longer text is refused unread. Characters. */
export const MAX_SDP_LENGTH = 65_536;
/** More lines are refused: every edit walks over those of its section. */
export const MAX_SDP_LINES = 1000;
/** More media sections are refused. */
export const MAX_SDP_MEDIA = 32;

export interface Sdp {
  /** The lines before the first m= line, as received. */
  readonly session: readonly string[];
  readonly media: readonly SdpMedia[];
}

export interface SdpOrigin {
  readonly username: string;
  readonly sessionId: string;
  readonly version: string;
  readonly address: string;
}

/**
 * Reads a session description. LF alone ends a line too; empty lines are dropped.
 *
 * @throws WireError when the text is no SDP or exceeds a limit.
 */
export function parseSdp(text: string): Sdp {
  return readLines(splitLines(text));
}

function readLines(lines: readonly string[]): Sdp {
  if (lines[0]?.trimEnd() !== 'v=0') {
    throw new WireError(`expected v=0 first, got ${excerpt(lines[0] ?? '')}`);
  }
  const starts: number[] = [];
  for (const [position, line] of lines.entries()) {
    if (line.startsWith('m=')) starts.push(position);
  }
  if (starts.length > MAX_SDP_MEDIA) {
    throw new WireError(`expected at most ${MAX_SDP_MEDIA} m= lines, got ${starts.length}`);
  }
  const session = lines.slice(0, starts[0] ?? lines.length);
  const sections = starts.map((start, index) => lines.slice(start, starts[index + 1]));
  return buildSdp(session, sections);
}

/** The text with CRLF after every line. */
export function formatSdp(sdp: Sdp): string {
  const lines = [...sdp.session, ...sdp.media.flatMap((media) => media.lines)];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** An `Sdp` in the memory of its text alone, a fifth of what its sections take. */
export class PackedSdp {
  readonly text: string;

  constructor(sdp: Sdp) {
    this.text = formatSdp(sdp);
  }

  /** The same description again. */
  read(): Sdp {
    // Not as received: what we have written into one may have made it longer than a peer's may be.
    return readLines(this.text.split('\r\n').slice(0, -1));
  }
}

/** Puts an `Sdp` together from its lines. @throws WireError when an m= line is not one. */
export function buildSdp(
  session: readonly string[],
  sections: readonly (readonly string[])[],
): Sdp {
  const defaults = readSessionDefaults(session);
  return { session, media: sections.map((lines, index) => readMedia(lines, index, defaults)) };
}

/** Reads the o= line; `undefined` when there is none with six parts. */
export function readOrigin(sdp: Sdp): SdpOrigin | undefined {
  const line = sdp.session.find((candidate) => candidate.startsWith('o='));
  const [username, sessionId, version, , , address] = (line ?? '').slice(2).trim().split(/\s+/, 6);
  if (!username || sessionId === undefined || version === undefined || address === undefined) {
    return undefined;
  }
  return { username, sessionId, version, address };
}

/** What media sections inherit from these session lines. */
export function readSessionDefaults(session: readonly string[]): SessionDefaults {
  let connectionAddress: string | undefined;
  let direction: MediaDirection | undefined;
  for (const line of session) {
    if (line.startsWith('c=')) {
      const address = parseConnection(line.slice(2));
      if (address !== undefined) connectionAddress ??= plainAddress(address);
    } else direction ??= parseDirection(line);
  }
  return { connectionAddress, direction: direction ?? 'sendrecv' };
}

function splitLines(text: string): string[] {
  if (text.length > MAX_SDP_LENGTH) {
    throw new WireError(`expected at most ${MAX_SDP_LENGTH} characters, got ${text.length}`);
  }
  const lines: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') continue;
    // A bare CR or NUL could end a line for the next reader and smuggle one past the edits.
    if (line.includes('\r') || line.includes('\0') || !/^[A-Za-z]=/.test(line)) {
      throw new WireError(`expected <letter>=<text>, got ${excerpt(line)}`);
    }
    lines.push(line);
  }
  if (lines.length > MAX_SDP_LINES) {
    throw new WireError(`expected at most ${MAX_SDP_LINES} lines, got ${lines.length}`);
  }
  return lines;
}
