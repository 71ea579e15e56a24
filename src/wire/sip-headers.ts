import { endOfQuoted, isToken, quote, skipSpace, trimSpace, unquote } from './sip-text.ts';
import { formatHostPort, parseHostPort, uriScheme } from './sip-uri.ts';
import { WireError } from './wire-error.ts';

/**
 * Header parameters (`;name=value`): names in lower case, '' for a parameter without value.
 * Quoted strings keep their quotes, so that what was read is written back the same.
 */
export type HeaderParameters = ReadonlyMap<string, string>;

/** The value of From, To, Contact, Route, Refer-To and their like (RFC 3261 §20.10). */
export interface NameAddr {
  /** Quotes and escapes removed. */
  readonly displayName?: string;
  readonly uri: string;
  readonly parameters: HeaderParameters;
}

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** Upper case: UDP, TCP, TLS … */
  readonly transport: string;
  /** Lower case; IPv6 without brackets. */
  readonly host: string;
  readonly port?: number;
  readonly parameters: HeaderParameters;
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

const MAX_UINT32 = 0xffff_ffff;
/** Display name without quotes. Wider than the grammar (phones send accents and brackets); no separators of lists. */
const BARE_DISPLAY_NAME = /^[^",;<>\\]*$/;
const ADDRESS = /^[^\s\p{Cc}<>"]+$/u;

/**
 * Splits a comma list; commas inside quotes and angle brackets do not count, empty elements vanish.
 *
 * @throws WireError when a quote or bracket is not closed.
 */
export function splitHeaderList(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let at = 0;
  while (at < value.length) {
    const character = value[at];
    if (character === '"') {
      at = closing(value, endOfQuoted(value, at), 'closing quote');
    } else if (character === '<') {
      const end = value.indexOf('>', at);
      at = closing(value, end < 0 ? undefined : end + 1, 'closing bracket');
    } else {
      if (character === ',') {
        elements.push(value.slice(start, at));
        start = at + 1;
      }
      at += 1;
    }
  }
  elements.push(value.slice(start));
  return elements.map(trimSpace).filter((element) => element !== '');
}

/** @throws WireError when `value` is not exactly one name-addr or addr-spec. */
export function parseNameAddr(value: string): NameAddr {
  const text = trimSpace(value);
  const open = text.startsWith('"')
    ? skipSpace(text, closing(text, endOfQuoted(text, 0), 'closing quote'))
    : text.indexOf('<');
  if (open < 0) return parseBareAddress(text);
  const end = text.indexOf('>', open);
  if (text[open] !== '<' || end < 0) throw new WireError(`expected <URI>, got ${show(text)}`);
  return {
    ...parseDisplayName(trimSpace(text.slice(0, open))),
    uri: checkedUri(text.slice(open + 1, end)),
    parameters: parseHeaderParameters(text.slice(end + 1)),
  };
}

/** Always writes angle brackets: without them URI parameters would become header parameters. */
export function formatNameAddr(address: NameAddr): string {
  const name = address.displayName === undefined ? '' : `${quote(address.displayName)} `;
  return `${name}<${address.uri}>${formatHeaderParameters(address.parameters)}`;
}

/** The `tag` of a From or To value; `undefined` when it has none or cannot be read. */
export function tagOf(value: string): string | undefined {
  try {
    return parseNameAddr(value).parameters.get('tag');
  } catch {
    return undefined;
  }
}

/** @throws WireError when `value` is not exactly one Via value of SIP/2.0. */
export function parseVia(value: string): Via {
  const match = /^[ \t]*SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([^\s/;]+)[ \t]+([^;]+)(;.*)?$/is.exec(
    value,
  );
  const transport = match?.[1] ?? '';
  const sentBy = (match?.[2] ?? '').split(':').map(trimSpace).join(':');
  if (!isToken(transport)) throw new WireError(`expected a Via, got ${show(value)}`);
  return {
    transport: transport.toUpperCase(),
    ...parseHostPort(sentBy),
    parameters: parseHeaderParameters(match?.[3] ?? ''),
  };
}

export function formatVia(via: Via): string {
  const sentBy = formatHostPort(via.host, via.port);
  return `SIP/2.0/${via.transport} ${sentBy}${formatHeaderParameters(via.parameters)}`;
}

/** @throws WireError when `value` is no number below 2^32 and a method. */
export function parseCSeq(value: string): CSeq {
  const match = /^[ \t]*0*(\d{1,10})[ \t]+(\S+)[ \t]*$/.exec(value);
  const number = Number(match?.[1] ?? Number.NaN);
  const method = match?.[2] ?? '';
  if (!(number <= MAX_UINT32) || !isToken(method)) {
    throw new WireError(`expected a CSeq, got ${show(value)}`);
  }
  return { number, method };
}

/**
 * Reads `;name=value;flag…`; of a repeated name the first one counts.
 *
 * @throws WireError on empty parameters, text between them or an open quote.
 */
export function parseHeaderParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  let at = skipSpace(text, 0);
  while (at < text.length) {
    if (text[at] !== ';') throw new WireError(`expected ";", got ${show(text.slice(at))}`);
    const nameStart = skipSpace(text, at + 1);
    const nameEnd = indexOfAny(text, NAME_END, nameStart);
    const name = text.slice(nameStart, nameEnd).toLowerCase();
    if (!isToken(name)) throw new WireError(`expected a parameter, got ${show(text.slice(at))}`);
    at = skipSpace(text, nameEnd);
    let value = '';
    if (text[at] === '=') {
      const valueStart = skipSpace(text, at + 1);
      const valueEnd =
        text[valueStart] === '"'
          ? closing(text, endOfQuoted(text, valueStart), 'closing quote')
          : indexOfAny(text, VALUE_END, valueStart);
      value = text.slice(valueStart, valueEnd);
      at = skipSpace(text, valueEnd);
    }
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

export function formatHeaderParameters(parameters: HeaderParameters): string {
  let text = '';
  for (const [name, value] of parameters) text += value === '' ? `;${name}` : `;${name}=${value}`;
  return text;
}

const NAME_END = /[;= \t]/g;
const VALUE_END = /[; \t,"<>]/g;

function indexOfAny(text: string, characters: RegExp, from: number): number {
  characters.lastIndex = from;
  return characters.exec(text)?.index ?? text.length;
}

/** addr-spec without brackets: everything from the first semicolon on belongs to the header. */
function parseBareAddress(text: string): NameAddr {
  const semicolon = text.indexOf(';');
  const end = semicolon < 0 ? text.length : semicolon;
  const uri = checkedUri(trimSpace(text.slice(0, end)));
  // RFC 3261 §20: a URI with a comma or question mark must stand in brackets.
  if (/[,?]/.test(uri)) throw new WireError(`expected brackets around ${show(uri)}`);
  return { uri, parameters: parseHeaderParameters(text.slice(end)) };
}

function parseDisplayName(text: string): { displayName?: string } {
  if (text === '') return {};
  if (text.startsWith('"')) return { displayName: unquote(text) };
  if (!BARE_DISPLAY_NAME.test(text)) throw new WireError(`expected a name, got ${show(text)}`);
  return { displayName: text };
}

function checkedUri(uri: string): string {
  if (!ADDRESS.test(uri) || uriScheme(uri) === '') {
    throw new WireError(`expected a URI, got ${show(uri)}`);
  }
  return uri;
}

function closing(text: string, end: number | undefined, what: string): number {
  if (end === undefined) throw new WireError(`expected a ${what} in ${show(text)}`);
  return end;
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
