/** Refer-To (RFC 3515 §2.1), its Replaces (RFC 3891 §4) and the bodies of NOTIFY for `refer` (RFC 3420). */
import { formatReplaces, parseReplaces, type Replaces } from './replaces.ts';
import { parseNameAddr } from './sip-headers.ts';
import { formatSipUri, parseSipUri, uriScheme } from './sip-uri.ts';
import { WireError } from './wire-error.ts';

/** What a REFER asks its recipient to do. */
export type ReferTo =
  /** To call `uri` (sip, sips or tel), which has no headers and no `method`; in place of a dialog if there is one. */
  | { readonly type: 'call'; readonly uri: string; readonly replaces: Replaces | undefined }
  /** To send something else than an INVITE. */
  | { readonly type: 'method'; readonly method: string }
  /** To look at a resource that is no SIP or telephone URI. */
  | { readonly type: 'scheme'; readonly scheme: string };

/** The first line of a message/sipfrag body that is a response. */
export interface SipFragment {
  readonly status: number;
  readonly reason: string;
}

/** Content-Type of the bodies that tell how a referral goes (RFC 3515 §2.4.5). */
export const SIPFRAG_TYPE = 'message/sipfrag;version=2.0';

const TEL = /^tel:\+?[0-9A-Fa-f*#().-]+(?:;[^\s<>"?]*)?$/i;

/** @throws WireError when the value is not exactly one address or its Replaces names no dialog. */
export function parseReferTo(value: string): ReferTo {
  const { uri } = parseNameAddr(value);
  const scheme = uriScheme(uri);
  if (scheme === 'tel') {
    if (!TEL.test(uri)) throw new WireError('expected a telephone number');
    return { type: 'call', uri, replaces: undefined };
  }
  if (scheme !== 'sip' && scheme !== 'sips') return { type: 'scheme', scheme };
  const { headers, ...target } = parseSipUri(uri);
  const parameters = new Map(target.parameters);
  const method = (parameters.get('method') ?? 'INVITE').toUpperCase();
  if (method !== 'INVITE') return { type: 'method', method };
  parameters.delete('method');
  return {
    type: 'call',
    uri: formatSipUri({ ...target, parameters }),
    replaces: replacesIn(headers ?? ''),
  };
}

/** `<uri>`, with `replaces` as an escaped header of the URI. */
export function formatReferTo(uri: string, replaces?: Replaces): string {
  if (replaces === undefined) return `<${uri}>`;
  return `<${uri}?Replaces=${encodeURIComponent(formatReplaces(replaces))}>`;
}

/** The status line that a sipfrag body begins with; `undefined` when it begins with anything else. */
export function parseSipfrag(body: string): SipFragment | undefined {
  const match = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n]{0,200}))?(?:\r?\n|$)/.exec(body);
  if (match === null) return undefined;
  return { status: Number(match[1]), reason: match[2] ?? '' };
}

export function formatSipfrag({ status, reason }: SipFragment): string {
  return `SIP/2.0 ${status} ${reason}\r\n`;
}

function replacesIn(headers: string): Replaces | undefined {
  const values = headers.split('&').flatMap((header) => {
    const equals = header.indexOf('=');
    const isReplaces =
      equals > 0 && unescaped(header.slice(0, equals)).toLowerCase() === 'replaces';
    return isReplaces ? [unescaped(header.slice(equals + 1))] : [];
  });
  if (values.length > 1) throw new WireError('expected one Replaces');
  return values[0] === undefined ? undefined : parseReplaces(values[0]);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new WireError('expected escapes of UTF-8');
  }
}
