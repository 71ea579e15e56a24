import { headerKey } from './sip-header-names.ts';
import { parseCSeq, parseNameAddr, parseVia, splitHeaderList } from './sip-headers.ts';
import type { SipHeader } from './sip-message.ts';
import { parseSipUri, uriScheme } from './sip-uri.ts';
import { WireError } from './wire-error.ts';

/** Fields whose repetition would leave it open which one counts. */
const SINGLE = [
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'content-length',
  'content-type',
] as const;
const MAX_MAX_FORWARDS = 255;

type Fields = ReadonlyMap<string, readonly [string, ...string[]]>;

/** The values of each field by its key. */
export function groupHeaders(headers: readonly SipHeader[]): Fields {
  const fields = new Map<string, [string, ...string[]]>();
  for (const header of headers) {
    const key = headerKey(header.name);
    const values = fields.get(key);
    if (values === undefined) fields.set(key, [header.value]);
    else values.push(header.value);
  }
  return fields;
}

/** @throws WireError when the fields that routing and matching rest on are missing, repeated or unreadable. */
export function checkCommonFields(fields: Fields): void {
  for (const key of SINGLE) {
    if ((fields.get(key)?.length ?? 0) > 1) throw new WireError(`${key} is repeated`);
  }
  const vias = (fields.get('via') ?? []).flatMap(splitHeaderList);
  if (vias.length === 0) throw new WireError('via is missing');
  vias.forEach(parseVia);
  parseNameAddr(mandatory(fields, 'from'));
  parseNameAddr(mandatory(fields, 'to'));
  parseCSeq(mandatory(fields, 'cseq'));
  if (mandatory(fields, 'call-id') === '') throw new WireError('call-id is empty');
}

/** @throws WireError when a request breaks one of the rules that hold for requests only. */
export function checkRequestFields(method: string, uri: string, fields: Fields): void {
  checkRequestUri(uri);
  const cseq = parseCSeq(mandatory(fields, 'cseq'));
  if (cseq.method !== method)
    throw new WireError(`cseq says ${cseq.method}, the request ${method}`);
  const maxForwards = fields.get('max-forwards')?.[0] ?? '70';
  if (!/^\d{1,9}$/.test(maxForwards) || Number(maxForwards) > MAX_MAX_FORWARDS) {
    throw new WireError(`expected max-forwards of 0 to 255, got ${maxForwards.slice(0, 20)}`);
  }
  for (const contact of (fields.get('contact') ?? []).flatMap(splitHeaderList)) {
    if (contact !== '*') parseNameAddr(contact);
  }
}

/** Whether all fields are there that a request and its answers have in common (RFC 3261 §8.2.6.2). */
export function isIdentified(fields: Fields): boolean {
  return ['via', 'from', 'to', 'call-id', 'cseq'].every((key) => fields.has(key));
}

/**
 * The announced body length; `undefined` when none is announced.
 *
 * @throws WireError when it is repeated or no number.
 */
export function contentLengthOf(fields: Fields): number | undefined {
  const values = fields.get('content-length');
  if (values === undefined) return undefined;
  if (values.length > 1) throw new WireError('content-length is repeated');
  const [text] = values;
  if (!/^\d{1,9}$/.test(text)) throw new WireError('content-length is no number');
  return Number(text);
}

function checkRequestUri(uri: string): void {
  const scheme = uriScheme(uri);
  if (scheme === '' || /[<>"\s\p{Cc}]/u.test(uri)) throw new WireError('expected a request URI');
  if (scheme !== 'sip' && scheme !== 'sips') return;
  // Header fields inside a request URI could add a Route or Via of the sender's choice (RFC 4475 §3.1.2.11).
  if (parseSipUri(uri).headers !== undefined) throw new WireError('request URI with header fields');
}

/** Max-Forwards is not among them: RFC 2543 requests have none. */
function mandatory(fields: Fields, key: 'from' | 'to' | 'call-id' | 'cseq'): string {
  const values = fields.get(key);
  if (values === undefined) throw new WireError(`${key} is missing`);
  return values[0];
}
