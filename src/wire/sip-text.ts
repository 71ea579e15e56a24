/**
 * Scanning helpers for SIP header text (RFC 3261 §25.1). All run in linear time on any input.
 * White space is SP and HT only: the wider notion of `trim` and `\s` would eat a BOM or a no-break space.
 */

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** Whether `text` is one token: a method, header name or parameter name. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The first index at or after `at` that is neither SP nor HT. */
export function skipSpace(text: string, at: number): number {
  let next = at;
  while (next < text.length && isSpace(text.charCodeAt(next))) next += 1;
  return next;
}

/** `text` without SP and HT at both ends. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end -= 1;
  const start = skipSpace(text, 0);
  return start < end ? text.slice(start, end) : '';
}

/**
 * The index after the quoted string that begins at `at` (a double quote is there).
 *
 * @returns `undefined` when it is not closed.
 */
export function endOfQuoted(text: string, at: number): number | undefined {
  for (let next = at + 1; next < text.length; next += 1) {
    const code = text.charCodeAt(next);
    if (code === BACKSLASH) next += 1;
    else if (code === QUOTE) return next + 1;
  }
  return undefined;
}

/** The text inside a quoted string, quoted pairs resolved. */
export function unquote(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\([\s\S])/g, '$1');
}

/** `text` as a quoted string. */
export function quote(text: string): string {
  // Control characters may only occur as quoted pairs.
  return `"${text.replaceAll(/["\\\p{Cc}]/gu, '\\$&')}"`;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
