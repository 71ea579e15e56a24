/**
 * Bodies of type multipart (RFC 2046 §5.1): parts between the lines of a boundary.
 *
 *   preamble, ignored
 *   --boundary
 *   Content-Type: ...      head, may be missing
 *                          empty line
 *   bytes of the part      the line break before the next delimiter belongs to the delimiter
 *   --boundary--
 *   epilogue, ignored
 */

import { parseHeaderParameters } from './sip-headers.ts';
import { unquote } from './sip-text.ts';
import { WireError } from './wire-error.ts';

export interface MultipartPart {
  /** By lower-case name; of a repeated name the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** A view into the whole body. */
  readonly body: Buffer;
}

const MAX_BYTES = 65_536;
const MAX_PARTS = 32;
const MAX_HEAD_BYTES = 4096;

/** RFC 2046 has 70; longer ones are in nobody's way. */
const MAX_BOUNDARY = 200;

const LF = 0x0a;
const CR = 0x0d;
const HYPHENS = '--';
const LF_BYTES = Buffer.from('\n');

/**
 * Takes a body apart; line ends may be CRLF or LF.
 *
 * @throws WireError when there is no boundary, no part, more than 32 of them, no closing delimiter, or more than 64 KiB.
 */
export function readMultipart(contentType: string, body: Buffer): readonly MultipartPart[] {
  if (body.length > MAX_BYTES) throw new WireError(`expected at most ${MAX_BYTES} bytes`);
  const delimiter = Buffer.from(HYPHENS + boundaryOf(contentType), 'latin1');
  const parts: MultipartPart[] = [];
  let partStart: number | undefined;
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    const line = delimiterLine(body, at, delimiter.length);
    if (line === undefined) continue;
    if (partStart !== undefined) parts.push(readPart(body, partStart, at));
    if (parts.length > MAX_PARTS) throw new WireError(`expected at most ${MAX_PARTS} parts`);
    if (line.isClosing) {
      if (parts.length === 0) throw new WireError('expected at least one part');
      return parts;
    }
    partStart = line.end;
  }
  throw new WireError('expected a closing delimiter');
}

function boundaryOf(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  const parameters = parseHeaderParameters(semicolon < 0 ? '' : contentType.slice(semicolon));
  const value = parameters.get('boundary') ?? '';
  const boundary = value.startsWith('"') ? unquote(value) : value;
  if (boundary === '' || boundary.length > MAX_BOUNDARY) throw new WireError('expected a boundary');
  return boundary;
}

/** Judges what looks like a delimiter: it fills its line, blanks at the end apart. */
function delimiterLine(
  body: Buffer,
  at: number,
  length: number,
): { isClosing: boolean; end: number } | undefined {
  if (at > 0 && body[at - 1] !== LF) return undefined;
  const isClosing = body.toString('latin1', at + length, at + length + 2) === HYPHENS;
  const lineEnd = body.indexOf(LF_BYTES, at);
  const end = lineEnd < 0 ? body.length : lineEnd;
  const rest = body.toString('latin1', at + length + (isClosing ? 2 : 0), end);
  return /^[ \t]*\r?$/.test(rest) ? { isClosing, end: end + 1 } : undefined;
}

function readPart(body: Buffer, start: number, delimiterAt: number): MultipartPart {
  const end = beforeLineBreak(body, start, delimiterAt);
  const headers = new Map<string, string>();
  let at = start;
  let name = '';
  while (at < end) {
    if (at - start > MAX_HEAD_BYTES) throw new WireError('expected a shorter head of a part');
    const lineEnd = body.indexOf(LF_BYTES, at);
    const next = lineEnd < 0 || lineEnd > end ? end : lineEnd + 1;
    const line = body.toString('latin1', at, Math.min(next, at + MAX_HEAD_BYTES)).trimEnd();
    at = next;
    if (line === '') return { headers, body: body.subarray(Math.min(at, end), end) };
    if (/^[ \t]/.test(line)) {
      const begun = headers.get(name);
      if (begun === undefined) throw new WireError('expected a header line in a part');
      headers.set(name, `${begun} ${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) throw new WireError('expected a header line in a part');
    name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return { headers, body: body.subarray(end, end) };
}

function beforeLineBreak(body: Buffer, start: number, delimiterAt: number): number {
  let end = delimiterAt;
  if (end > start && body[end - 1] === LF) end -= 1;
  if (end > start && body[end - 1] === CR) end -= 1;
  return end;
}
