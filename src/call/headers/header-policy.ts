/** What we read from and write into the headers of a call ourselves; which others cross, header-crossing.ts says. */
import { editAllowEvents, type AllowEventsEdit } from '../../wire/allow-events.ts';
import { isMediaType } from '../../wire/event-headers.ts';
import { getHeader, type SipMessage } from '../../wire/sip-message.ts';
import { parseNameAddr } from '../../wire/sip-headers.ts';
import { parseSipUri, uriScheme } from '../../wire/sip-uri.ts';
import { ANONYMOUS_HOST } from './header-topology.ts';

/** Headers that say how a relayed body is to be read. */
const CONTENT_HEADERS = [
  'Content-Type',
  'Content-Encoding',
  'Content-Disposition',
  'Content-Language',
  'Info-Package',
];

/** Our name in User-Agent and Server. */
export const PRODUCT = 'Tonebridge';

/** What describes the body of `message`, for a body that is relayed as it is. */
export function contentHeaders(message: SipMessage): Record<string, string> {
  return pick(message, CONTENT_HEADERS);
}

/** Max-Forwards of a request, 70 when it has none that can be read (RFC 3261 §8.1.1.6). */
export function maxForwardsOf(message: SipMessage): number {
  const value = Number.parseInt(getHeader(message, 'Max-Forwards') ?? '', 10);
  return Number.isNaN(value) || value < 0 || value > 255 ? 70 : value;
}

/** Allow-Events of `message` as the other leg gets it; nothing when no package is left. */
export function allowEventsHeader(
  message: SipMessage,
  edit: AllowEventsEdit,
): { 'Allow-Events'?: string } {
  const value = editAllowEvents(message, edit);
  return value === undefined ? {} : { 'Allow-Events': value };
}

function pick(message: SipMessage, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = getHeader(message, name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

/** Who calls, as shown to the callee: display name and user, never the caller's host. */
export interface CallerIdentity {
  readonly user: string;
  readonly displayName: string | undefined;
  /** The host says that there is none to be known (RFC 3323 §4.1.1.3). */
  readonly isAnonymous: boolean;
}

/** The identity of somebody who is not to be known. */
export const ANONYMOUS: CallerIdentity = {
  user: 'anonymous',
  displayName: 'Anonymous',
  isAnonymous: true,
};

/** Reads From; `anonymous` when it cannot be read. */
export function callerIdentity(message: SipMessage): CallerIdentity {
  return identityIn(getHeader(message, 'From') ?? '');
}

/** Reads the value of a From header; `anonymous` when it cannot be read. */
export function identityIn(from: string): CallerIdentity {
  try {
    const { uri, displayName } = parseNameAddr(from);
    const isAnonymous = /@anonymous\.invalid(?:$|[:;?])/i.test(uri);
    return { user: userOf(uri) ?? ANONYMOUS.user, displayName, isAnonymous };
  } catch {
    return { user: ANONYMOUS.user, displayName: undefined, isAnonymous: false };
  }
}

/** The user part of a sip, sips or tel URI. */
export function userOf(uri: string): string | undefined {
  const tel = /^tel:([^;]+)/i.exec(uri)?.[1];
  if (tel !== undefined) return tel;
  try {
    return parseSipUri(uri).user;
  } catch {
    return undefined;
  }
}

/**
 * From and Contact of an INVITE to the callee; the engine puts its own address in place of `localhost`. The Contact is a
 * sips URI if `requestUri` is one (RFC 3261 §8.1.1.8).
 */
export function callerHeaders(
  identity: CallerIdentity,
  transport: string,
  requestUri = '',
): { From: string; Contact: string } {
  const name = identity.displayName;
  const display = name === undefined || name === '' ? '' : `"${name.replaceAll(/["\\]/g, '')}" `;
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  const isSips = uriScheme(requestUri) === 'sips';
  const contact = isSips
    ? `sips:${identity.user}@localhost`
    : `sip:${identity.user}@localhost${parameter}`;
  const host = identity.isAnonymous ? ANONYMOUS_HOST : 'localhost';
  return { From: `${display}<sip:${identity.user}@${host}>`, Contact: `<${contact}>` };
}

const SDP = 'application/sdp';

/**
 * What to say with a 415 when the body of an offer is no plain session description; `undefined` when it is one or
 * there is none. A body without Content-Type is taken for SDP.
 */
export function unusableContent(message: SipMessage): Record<string, string> | undefined {
  if (message.body.length === 0) return undefined;
  const encoding = getHeader(message, 'Content-Encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity') return { 'Accept-Encoding': 'identity' };
  const contentType = getHeader(message, 'Content-Type');
  return contentType === undefined || isMediaType(contentType, SDP) ? undefined : { Accept: SDP };
}

/** Whether the body held bytes that are no UTF-8: the connection to the SIP engine carries text only. */
export function isDamaged(message: SipMessage): boolean {
  return message.body.includes('\uFFFD');
}
