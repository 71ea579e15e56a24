import { sharedName } from './sip-header-names.ts';
import type { SipHeader } from './sip-message.ts';
import { isToken, trimSpace } from './sip-text.ts';

/** Start line and header fields of a message; `problem` names the first line that breaks the rules. */
export interface SipHead {
  readonly startLine: string;
  readonly headers: SipHeader[];
  readonly problem: string | undefined;
}

const LF = 0x0a;
const CR = 0x0d;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The index of the first byte that is neither CR nor LF: empty lines before a message are ignored (RFC 3261 §7.5). */
export function skipEmptyLines(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && (bytes[at] === CR || bytes[at] === LF)) at += 1;
  return at;
}

/**
 * The index after the empty line that ends the head, searched from `from` (a place within or before it).
 * Lines end with CRLF or LF.
 *
 * @returns `undefined` when the empty line is not there yet.
 */
export function findHeadEnd(bytes: Buffer, from: number): number | undefined {
  let lineEnd = bytes.indexOf(LF, from);
  while (lineEnd >= 0) {
    const next = lineEnd + 1;
    if (bytes[next] === LF) return next + 1;
    if (bytes[next] === CR && bytes[next + 1] === LF) return next + 2;
    lineEnd = bytes.indexOf(LF, next);
  }
  return undefined;
}

/** Reads a head: folded lines are joined by one space, the white space around names and values is dropped. */
export function readHead(bytes: Buffer): SipHead {
  const lines = decode(bytes).split('\n');
  const startLine = withoutCarriageReturn(lines.splice(0, 1).join(''));
  let problem: string | undefined;
  const headers: SipHeader[] = [];
  for (const rawLine of lines) {
    const line = withoutCarriageReturn(rawLine);
    if (line === '') continue;
    const fault = holdsControl(line) ?? addLine(headers, line);
    problem ??= fault;
  }
  return { startLine, headers, problem: holdsControl(startLine) ?? problem };
}

/**
 * What forbids `text` on a header line: a CR, LF or NUL could smuggle in further lines.
 * NUL is let through as the quoted pair `\` NUL that RFC 3261 §25.1 allows.
 */
export function holdsControl(text: string): string | undefined {
  if (text.includes('\r') || text.includes('\n')) return 'line break inside a line';
  if (text.includes('\0') && text.replaceAll('\\\0', '').includes('\0')) return 'NUL inside a line';
  return undefined;
}

function addLine(headers: SipHeader[], line: string): string | undefined {
  const last = headers.at(-1);
  if (line.startsWith(' ') || line.startsWith('\t')) {
    if (last === undefined) return 'continuation of no header';
    const more = trimSpace(line);
    const value = last.value === '' || more === '' ? last.value + more : `${last.value} ${more}`;
    headers[headers.length - 1] = { name: last.name, value };
    return undefined;
  }
  const colon = line.indexOf(':');
  const name = trimSpace(line.slice(0, Math.max(colon, 0)));
  if (!isToken(name)) return 'header line without a name';
  headers.push({ name: sharedName(name), value: trimSpace(line.slice(colon + 1)) });
  return undefined;
}

/** UTF-8; text that is not is read as Latin-1, which old phones send in display names. */
function decode(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
