import type { SipHeader } from './sip-message.ts';

/** The one-letter forms of header names and what they stand for, lower case (IANA SIP header registry). */
const COMPACT_FORMS: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** The name by which header fields are compared: lower case, compact form expanded. */
export function headerKey(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT_FORMS.get(lower) ?? lower;
}

/** The values of all fields called `name` in any spelling, in order. */
export function headerValues(headers: readonly SipHeader[], name: string): string[] {
  const key = headerKey(name);
  const values: string[] = [];
  for (const header of headers) {
    if (headerKey(header.name) === key) values.push(header.value);
  }
  return values;
}
