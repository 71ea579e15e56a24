/**
 * Whether bytes are exactly one dictionary of the ng protocol, looked at before any decoder sees them:
 *
 *   d  4:code i7e  6:result 2:ok  4:tags  l 1:a 1:b e  e
 *
 * The decoder behind it trusts lengths: a negative one sends it back to what it has read, for ever.
 */

const DICTIONARY = 0x64;
const LIST = 0x6c;
const INTEGER = 0x69;
const END = 0x65;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** An answer to `query` has about eight. */
const MAX_DEPTH = 32;
const MAX_LENGTH_DIGITS = 6;
const MAX_INTEGER_DIGITS = 19;

/** What is open around the next item; a dictionary wants a key, then a value. */
type Open = 'list' | 'key' | 'value';

/** Looks at `bytes` from `start` to the end; nothing may follow the dictionary. */
export function isNgDictionary(bytes: Uint8Array, start = 0): boolean {
  if (bytes[start] !== DICTIONARY) return false;
  const open: Open[] = ['key'];
  let at = start + 1;
  while (open.length > 0) {
    const next = itemEnd(bytes, at, open);
    if (next === undefined) return false;
    at = next;
  }
  return at === bytes.length;
}

/** Where the item at `at` ends, or begins to have items in it; keeps `open`. */
function itemEnd(bytes: Uint8Array, at: number, open: Open[]): number | undefined {
  const inside = open.at(-1);
  const byte = bytes[at];
  if (byte === END) {
    if (inside === 'value') return undefined;
    open.pop();
    return at + 1;
  }
  if (inside === 'key') {
    open[open.length - 1] = 'value';
    return textEnd(bytes, at);
  }
  if (inside === 'value') open[open.length - 1] = 'key';
  if (byte === INTEGER) return integerEnd(bytes, at + 1);
  if (byte !== DICTIONARY && byte !== LIST) return textEnd(bytes, at);
  if (open.length === MAX_DEPTH) return undefined;
  open.push(byte === LIST ? 'list' : 'key');
  return at + 1;
}

function textEnd(bytes: Uint8Array, start: number): number | undefined {
  const colon = digitsEnd(bytes, start, MAX_LENGTH_DIGITS);
  if (colon === start || bytes[colon] !== COLON) return undefined;
  let length = 0;
  for (let at = start; at < colon; at += 1) length = length * 10 + (bytes[at] ?? ZERO) - ZERO;
  const end = colon + 1 + length;
  return end <= bytes.length ? end : undefined;
}

function integerEnd(bytes: Uint8Array, start: number): number | undefined {
  const first = bytes[start] === MINUS ? start + 1 : start;
  const end = digitsEnd(bytes, first, MAX_INTEGER_DIGITS);
  return end > first && bytes[end] === END ? end + 1 : undefined;
}

function digitsEnd(bytes: Uint8Array, start: number, limit: number): number {
  let at = start;
  while (at - start < limit) {
    const byte = bytes[at];
    if (byte === undefined || byte < ZERO || byte > NINE) break;
    at += 1;
  }
  return at;
}
