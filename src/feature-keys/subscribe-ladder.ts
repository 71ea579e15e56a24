/**
 * Whether a SUBSCRIBE for as-feature-event is accepted: checks in a fixed order, the first failure answers.
 *
 *   event 489 -> Require 420 -> size 413 -> digest 401, 400 -> dialog 481, 500 -> account 416, 404 -> identity 403
 *     -> Accept 406 -> Expires 400, 423 -> Content-Type 415 -> body 400 -> number of dialogs 403 -> accepted
 *
 * What a refusal touches: nothing. A dialog in which it is given lives on (RFC 5057 §5.1).
 */
import { requiredExtensions } from '../sip/stray-requests.ts';
import { type EventHeader, parseEvent, parseSeconds } from '../wire/event-headers.ts';
import type { FeatureSet } from '../wire/feature-event.ts';
import { readFeatureSets } from '../wire/feature-sets.ts';
import { parseCSeq, parseNameAddr, tagOf } from '../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipRequest } from '../wire/sip-message.ts';
import { quote } from '../wire/sip-text.ts';
import { WireError } from '../wire/wire-error.ts';
import type { DigestVerdict } from './digest-server.ts';
import { ownsAccount } from './identity.ts';
import { isServed } from './phone-profile.ts';
import { accountOf, type DomainTable, type FeatureAccount } from './presentity.ts';

/** RFC 6665 §8.2.1: compared byte by byte. */
export const FEATURE_PACKAGE = 'as-feature-event';

/** What it is that a SUBSCRIBE is refused for, as its Warning says. */
export type LadderCode =
  | Extract<ReturnType<typeof readFeatureSets>, { type: 'refused' }>['code']
  | 'identity'
  | 'too-many'
  | 'storage'
  | 'timeout';

/** The answer to a SUBSCRIBE that is not accepted. */
export interface Refusal {
  readonly type: 'refused';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly code?: LadderCode;
}

export interface AcceptedSubscribe {
  readonly type: 'accepted';
  readonly account: FeatureAccount;
  /** Digest user, or the one a trusted network asserts. */
  readonly actor: string;
  readonly event: EventHeader;
  readonly cseq: number;
  /** 0: the subscription ends, or is a single question. */
  readonly expiresSeconds: number;
  readonly sets: readonly FeatureSet[];
}

export type LadderResult = Refusal | AcceptedSubscribe;

/** Who somebody says to be, proven or believed. */
export type Identity =
  | { readonly type: 'user'; readonly actor: string; readonly accounts: readonly string[] }
  | Exclude<DigestVerdict, { type: 'user' }>
  /** A trusted network that names nobody. */
  | { readonly type: 'nobody' };

/** The dialog a SUBSCRIBE came in. */
export interface KnownDialog {
  readonly account: FeatureAccount;
  readonly eventId: string | undefined;
  /** Of the last SUBSCRIBE in it. */
  readonly cseq: number;
}

export interface LadderContext {
  readonly domains: DomainTable;
  readonly expires: {
    readonly defaultSeconds: number;
    readonly minSeconds: number;
    readonly maxSeconds: number;
  };
  readonly perAccount: number;
  /** Value of Allow-Events in a 489. */
  readonly allowEvents: string;
  /** Asked once the checks before it are passed. */
  identify(): Identity;
  dialogsOf(account: FeatureAccount): number;
}

const MAX_BODY_BYTES = 16 * 1024;
const ACCEPT = 'application/x-as-feature-event+xml, multipart/mixed';

/** @param dialog where it came in; `undefined` for one outside every dialog that is known. */
export function climb(
  request: SipRequest,
  dialog: KnownDialog | undefined,
  context: LadderContext,
): LadderResult {
  const host = dialog?.account.domain ?? ownHostOf(request.uri, context.domains);
  const refuse = (status: number, code?: LadderCode, text = ''): Refusal =>
    refusal(status, host, code === undefined ? undefined : { code, text });
  const event = request.method === 'SUBSCRIBE' ? featureEventOf(request) : undefined;
  if (event === undefined) return withHeaders(refuse(489), { 'Allow-Events': context.allowEvents });
  const unsupported = requiredExtensions(request);
  if (unsupported.length > 0) {
    return withHeaders(refuse(420), { Unsupported: unsupported.join(', ') });
  }
  if (request.body.length > MAX_BODY_BYTES) return refuse(413, 'limits', 'body too large');
  const identity = context.identify();
  if (identity.type === 'malformed') return refuse(400, 'malformed', 'unusable credentials');
  if (identity.type === 'challenge') {
    return withHeaders(refuse(401), challengeHeaders(identity.challenges));
  }
  const placed = placeOf(request, event, dialog, context.domains);
  if (placed === 500) return refuse(500, 'bad-value', 'CSeq does not grow');
  if (typeof placed === 'number') return refuse(placed);
  const { account, cseq } = placed;
  if (identity.type === 'nobody' || !ownsAccount(identity.accounts, account)) {
    return refuse(403, 'identity', 'not the account of the sender');
  }
  if (!isServed(acceptOf(request))) return withHeaders(refuse(406), { Accept: ACCEPT });
  const expiresSeconds = grantedSeconds(getHeader(request, 'Expires'), context.expires);
  if (expiresSeconds === 'unreadable') return refuse(400, 'bad-value', 'unreadable Expires');
  if (expiresSeconds === 'too-brief') {
    return withHeaders(refuse(423), { 'Min-Expires': String(context.expires.minSeconds) });
  }
  const sets = setsIn(request);
  if (sets.type === 'refused') {
    const refused = refuse(sets.status, sets.code, sets.text);
    return sets.status === 415 ? withHeaders(refused, { Accept: ACCEPT }) : refused;
  }
  if (dialog === undefined && expiresSeconds > 0) {
    const isFull = context.dialogsOf(account) >= context.perAccount;
    if (isFull) return refuse(403, 'too-many', 'too many subscriptions of this account');
  }
  const { actor } = identity;
  return { type: 'accepted', account, actor, event, cseq, expiresSeconds, sets: sets.sets };
}

/** The refusal of a SUBSCRIBE with the Warning of its code. */
export function refusal(
  status: number,
  host: string,
  why?: { readonly code: LadderCode; readonly text: string },
): Refusal {
  if (why === undefined) return { type: 'refused', status, headers: {} };
  const { code, text } = why;
  const headers = { Warning: warning(host, `${code}: ${text}`) };
  return { type: 'refused', status, headers, code };
}

/** The Warning of an accepted SUBSCRIBE whose sets were not granted. */
export function refusedSetWarning(host: string, codes: readonly string[]): string {
  return codes.map((code) => warning(host, `set refused: ${code}`)).join(', ');
}

function warning(host: string, text: string): string {
  return `399 ${host} ${quote(`${FEATURE_PACKAGE}: ${text}`)}`;
}

function withHeaders(refused: Refusal, headers: Readonly<Record<string, string>>): Refusal {
  return { ...refused, headers: { ...refused.headers, ...headers } };
}

/** Challenges may not be joined into a list (RFC 3261 §7.3.1): names that differ by case stay two fields. */
function challengeHeaders([first = '', second]: readonly string[]): Record<string, string> {
  return {
    'WWW-Authenticate': first,
    ...(second === undefined ? {} : { 'Www-Authenticate': second }),
  };
}

function featureEventOf(request: SipRequest): EventHeader | undefined {
  const value = getHeader(request, 'Event');
  const event = value === undefined ? undefined : read(() => parseEvent(value));
  return event?.eventType === FEATURE_PACKAGE ? event : undefined;
}

/** Account and CSeq, or the status that says why there are none. */
function placeOf(
  request: SipRequest,
  event: EventHeader,
  dialog: KnownDialog | undefined,
  domains: DomainTable,
): { readonly account: FeatureAccount; readonly cseq: number } | number {
  const cseq = read(() => parseCSeq(getHeader(request, 'CSeq') ?? ''))?.number;
  if (cseq === undefined) return 400;
  if (dialog !== undefined) {
    if (dialog.eventId !== event.id) return 481;
    return cseq <= dialog.cseq ? 500 : { account: dialog.account, cseq };
  }
  if (tagOf(getHeader(request, 'To') ?? '') !== undefined) return 481;
  const from = read(() => parseNameAddr(getHeader(request, 'From') ?? ''))?.uri;
  const found = accountOf(request.uri, from, domains);
  return found.type === 'refused' ? found.status : { account: found.account, cseq };
}

function acceptOf(request: SipRequest): string | undefined {
  const values = getHeaders(request, 'Accept');
  return values.length === 0 ? undefined : values.join(', ');
}

function grantedSeconds(
  value: string | undefined,
  { defaultSeconds, minSeconds, maxSeconds }: LadderContext['expires'],
): number | 'unreadable' | 'too-brief' {
  if (value === undefined) return defaultSeconds;
  const asked = read(() => parseSeconds(value));
  if (asked === undefined) return 'unreadable';
  if (asked > 0 && asked < minSeconds) return 'too-brief';
  return Math.min(asked, maxSeconds);
}

function setsIn(request: SipRequest): ReturnType<typeof readFeatureSets> {
  if (request.body.length === 0) return { type: 'sets', sets: [] };
  const contentType = getHeader(request, 'Content-Type');
  const contentEncoding = getHeader(request, 'Content-Encoding');
  return readFeatureSets({
    ...(contentType === undefined ? {} : { contentType }),
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
    body: request.body,
  });
}

/** Names the server in its warnings: the domain of the account, as in those of an accepted SUBSCRIBE. */
function ownHostOf(uri: string, domains: DomainTable): string {
  const host = /^sips?:(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)/i.exec(uri)?.[1];
  return domains.domainOf(host ?? '') ?? domains.first ?? 'localhost';
}

function read<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
