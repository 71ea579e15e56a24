/**
 * Which headers cross the SBC: everything that names a host, a dialog or a software of one leg stays on that leg;
 * the listed rest passes.
 */
import { editAllowEvents, type AllowEventsEdit } from '../wire/allow-events.ts';
import { isMediaType } from '../wire/event-headers.ts';
import { getHeader, type SipMessage } from '../wire/sip-message.ts';
import { parseNameAddr } from '../wire/sip-headers.ts';
import { parseSipUri, uriScheme } from '../wire/sip-uri.ts';

/** Headers that pass unchanged in both directions: they carry no address of a leg. */
const PASSED_HEADERS = [
  'Subject',
  'Priority',
  'Accept-Language',
  'Reason',
  'User-to-User',
  'Retry-After',
];

/** Headers that say how a relayed body is to be read. */
const CONTENT_HEADERS = ['Content-Type', 'Content-Disposition', 'Content-Language', 'Info-Package'];

/** Our name in User-Agent and Server. */
export const PRODUCT = 'Tonebridge';

/** The headers of `message` that may go to the other leg. */
export function passedHeaders(message: SipMessage): Record<string, string> {
  return pick(message, PASSED_HEADERS);
}

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
}

/** Reads From; `anonymous` when it cannot be read. */
export function callerIdentity(message: SipMessage): CallerIdentity {
  return identityIn(getHeader(message, 'From') ?? '');
}

/** Reads the value of a From header; `anonymous` when it cannot be read. */
export function identityIn(from: string): CallerIdentity {
  const anonymous: CallerIdentity = { user: 'anonymous', displayName: undefined };
  try {
    const { uri, displayName } = parseNameAddr(from);
    return { user: userOf(uri) ?? anonymous.user, displayName };
  } catch {
    return anonymous;
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
  return { From: `${display}<sip:${identity.user}@localhost>`, Contact: `<${contact}>` };
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
