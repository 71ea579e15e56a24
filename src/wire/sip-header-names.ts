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

/** Spellings that nearly every message uses; each is kept once, whatever number of messages holds it. */
const COMMON_NAMES = [
  ['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Max-Forwards', 'Route', 'Record-Route'],
  ['Content-Length', 'Content-Type', 'Content-Disposition', 'Content-Encoding', 'User-Agent'],
  ['Server', 'Allow', 'Allow-Events', 'Supported', 'Require', 'Event', 'Expires', 'Reason', 'RSeq'],
  ['RAck', 'Subject', 'Priority', 'Accept', 'Accept-Language', 'Accept-Encoding', 'User-to-User'],
  ['P-Asserted-Identity', 'Privacy', 'Subscription-State', 'Retry-After', 'Session-Expires'],
  ['Min-SE', 'Min-Expires', 'Info-Package', 'Authorization', 'Proxy-Authorization', 'Date'],
  [
    'WWW-Authenticate',
    'Proxy-Authenticate',
    'Proxy-Require',
    'Unsupported',
    'Warning',
    'Timestamp',
  ],
].flat();

interface KnownName {
  readonly name: string;
  readonly key: string;
}

/** The common names as they are written, in lower case and in their compact form. */
const KNOWN: ReadonlyMap<string, KnownName> = new Map([
  ...[...COMPACT_FORMS].map(([name, key]): [string, KnownName] => [name, { name, key }]),
  ...COMMON_NAMES.flatMap((name): [string, KnownName][] => {
    const key = name.toLowerCase();
    return [
      [name, { name, key }],
      [key, { name: key, key }],
    ];
  }),
]);

/** The name by which header fields are compared: lower case, compact form expanded. */
export function headerKey(name: string): string {
  const known = KNOWN.get(name);
  if (known !== undefined) return known.key;
  const lower = name.toLowerCase();
  return COMPACT_FORMS.get(lower) ?? lower;
}

/** `name` as a string that does not hold the message it was cut from, if it is a common one. */
export function sharedName(name: string): string {
  return KNOWN.get(name)?.name ?? name;
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
