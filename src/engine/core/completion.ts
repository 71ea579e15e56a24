/**
 * How the SIP text of an application is completed: what it may say, what the engine says for it.
 * Nothing here knows of sockets or time.
 */
import { getHeader } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { isEngineField } from '../../wire/engine-headers.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import { formatNameAddr } from '../../wire/sip-headers.ts';
import { readAddress, readCSeq } from '../dialog/identity.ts';
import type { DialogRequest } from '../dialog/dialog.ts';

/** A finished message, or the reason the application is told. */
export type Completion<Message> =
  | { readonly type: 'complete'; readonly message: Message }
  | { readonly type: 'refused'; readonly reason: string };

/** What a new request gets where the application left something out. */
export interface RequestDefaults {
  /** `host:port` that replaces `@localhost`. */
  readonly hostPort: string;
  readonly contact: string;
  readonly callId: string;
  readonly tag: string;
  readonly cseq: number;
}

export interface ResponseDefaults {
  readonly request: SipRequest;
  readonly hostPort: string;
  /** Contact to add if the application gives none. */
  readonly contact: string | undefined;
  /** Tag of our side; undefined for a 100, which gets none. */
  readonly localTag: string | undefined;
  /** Makes a 1xx reliable (RFC 3262). */
  readonly rseq?: number;
  /** Whether the response creates a dialog and so repeats Record-Route. */
  readonly formsDialog: boolean;
}

/** Fields the engine alone writes, but for what ends the calls of an engine before it. */
const ENGINE_FIELDS = new Set(['via', 'route', 'record-route', 'rseq', 'content-length']);
const IDENTITY_FIELDS = new Set(['from', 'to', 'call-id', 'cseq']);
const ADDRESS_FIELDS = new Set(['from', 'to', 'contact', 'p-asserted-identity']);
/** Requests whose Contact the peer needs to reach us later. */
const NEEDS_CONTACT = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY', 'UPDATE']);
/** One field each: several may not be joined into a list (RFC 3261 §7.3.1). */
const CHALLENGE_FIELDS = new Set(['www-authenticate', 'proxy-authenticate']);
/** The library joins them all the same. */
const NEXT_CHALLENGE = /,[ \t]*(?=Digest[ \t]+realm=)/i;
/** Names whose usual spelling is not one capital per word. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
  ['mime-version', 'MIME-Version'],
  ['rack', 'RAck'],
  ['sip-etag', 'SIP-ETag'],
  ['sip-if-match', 'SIP-If-Match'],
  ['www-authenticate', 'WWW-Authenticate'],
]);
const LOCALHOST = /@localhost(?::\d+)?(?=[;>?,\s"]|$)/gi;

/** Whether requests of `method` carry our Contact. */
export function needsContact(method: string): boolean {
  return NEEDS_CONTACT.has(method);
}

/** Completes a request outside a dialog. */
export function completeRequest(
  request: SipRequest,
  defaults: RequestDefaults,
): Completion<SipRequest> {
  const given = fieldsOf(request, defaults.hostPort);
  const from = withTag(given.get('from') ?? defaults.contact, defaults.tag);
  if (from === undefined) return refused('invalid from header');
  const number = readNumber(given.get('cseq')) ?? defaults.cseq;
  const identity: SipHeader[] = [
    ...repeatedVia(request, given),
    { name: 'From', value: from },
    { name: 'To', value: inBrackets(given.get('to')) ?? `<${request.uri}>` },
    { name: 'Call-ID', value: given.get('call-id') ?? defaults.callId },
    { name: 'CSeq', value: `${number} ${request.method}` },
    ...routeOfLostDialog(request, given),
  ];
  return finish(request, { uri: request.uri, identity, given, contact: defaults.contact });
}

/** Completes a request inside a dialog; its identity and route come from the dialog. */
export function completeDialogRequest(
  request: SipRequest,
  inDialog: DialogRequest,
  defaults: { hostPort: string; contact: string },
): Completion<SipRequest> {
  const given = fieldsOf(request, defaults.hostPort);
  const { uri, headers: identity } = inDialog;
  return finish(request, { uri, identity, given, contact: defaults.contact });
}

/** Completes a response; what identifies it comes from the request. */
export function completeResponse(
  response: SipResponse,
  defaults: ResponseDefaults,
): Completion<SipResponse> {
  const { request, localTag } = defaults;
  const given = fieldsOf(response, defaults.hostPort);
  const headers = request.headers.filter((header) => headerKey(header.name) === 'via');
  if (defaults.formsDialog) headers.push(...copiesOf(request, 'record-route'));
  const to = getHeader(request, 'To') ?? '';
  headers.push(
    { name: 'From', value: getHeader(request, 'From') ?? '' },
    { name: 'To', value: localTag === undefined ? to : (withTag(to, localTag) ?? to) },
    { name: 'Call-ID', value: getHeader(request, 'Call-ID') ?? '' },
    { name: 'CSeq', value: getHeader(request, 'CSeq') ?? '' },
  );
  const contact = given.get('contact') ?? defaults.contact;
  if (contact !== undefined) headers.push({ name: 'Contact', value: contact });
  if (defaults.rseq !== undefined) headers.push({ name: 'RSeq', value: String(defaults.rseq) });
  headers.push(...otherFields(given));
  addContentType(headers, response.body, given);
  const { status, reason, body } = response;
  return { type: 'complete', message: { type: 'response', status, reason, headers, body } };
}

/** A response the engine makes itself: to a request nobody takes, or in the name of a peer that is silent. */
export function makeResponse(
  request: SipRequest,
  answer: { status: number; reason: string; tag: string | undefined; extra?: readonly SipHeader[] },
): SipResponse {
  const to = getHeader(request, 'To') ?? '';
  const headers = [
    ...request.headers.filter((header) => headerKey(header.name) === 'via'),
    { name: 'From', value: getHeader(request, 'From') ?? '' },
    { name: 'To', value: answer.tag === undefined ? to : (withTag(to, answer.tag) ?? to) },
    { name: 'Call-ID', value: getHeader(request, 'Call-ID') ?? '' },
    { name: 'CSeq', value: getHeader(request, 'CSeq') ?? '' },
    ...(answer.extra ?? []),
  ];
  const { status, reason } = answer;
  return { type: 'response', status, reason, headers, body: Buffer.alloc(0) };
}

/** The CANCEL of an INVITE as sent (RFC 3261 §9.1), with fields of the application. */
export function cancelTextOf(invite: SipRequest, extra: readonly SipHeader[]): SipRequest {
  const via = invite.headers.filter((header) => headerKey(header.name) === 'via').slice(0, 1);
  const number = readNumber(getHeader(invite, 'CSeq')) ?? 0;
  const headers: SipHeader[] = [...via, { name: 'Max-Forwards', value: '70' }];
  for (const key of ['from', 'to', 'call-id']) headers.push(...copiesOf(invite, key));
  headers.push({ name: 'CSeq', value: `${number} CANCEL` }, ...copiesOf(invite, 'route'), ...extra);
  return { type: 'request', method: 'CANCEL', uri: invite.uri, headers, body: Buffer.alloc(0) };
}

/** The tag an application chose for its To; undefined when it chose none. */
export function chosenTag(response: SipResponse): string | undefined {
  return readAddress(getHeader(response, 'To'))?.parameters.get('tag');
}

/** Whether a comma-listed field contains `token`. */
export function hasToken(message: { headers: SipHeader[] }, name: string, token: string): boolean {
  return message.headers
    .filter((header) => headerKey(header.name) === name)
    .flatMap((header) => header.value.split(','))
    .some((element) => element.trim().toLowerCase() === token);
}

/** The branch of an INVITE that says all of its identity: a repetition of one that an engine before this one sent. */
function repeatedVia(request: SipRequest, given: ReadonlyMap<string, string>): SipHeader[] {
  const isWhole = given.has('call-id') && given.has('cseq') && hasTag(given.get('from'));
  if (request.method !== 'INVITE' || !isWhole) return [];
  return copiesOf(request, 'via').slice(0, 1);
}

/** The Route of a request in a dialog that only the application knows of. */
function routeOfLostDialog(request: SipRequest, given: ReadonlyMap<string, string>): SipHeader[] {
  if (!hasTag(given.get('to'))) return [];
  return copiesOf(request, 'route').map(({ value }) => ({ name: 'Route', value }));
}

function hasTag(value: string | undefined): boolean {
  return readAddress(value)?.parameters.has('tag') === true;
}

interface RequestParts {
  readonly uri: string;
  readonly identity: readonly SipHeader[];
  readonly given: ReadonlyMap<string, string>;
  readonly contact: string;
}

function finish(request: SipRequest, parts: RequestParts): Completion<SipRequest> {
  const { given } = parts;
  const headers: SipHeader[] = [
    { name: 'Max-Forwards', value: given.get('max-forwards') ?? '70' },
    ...parts.identity,
  ];
  const contact =
    given.get('contact') ?? (needsContact(request.method) ? parts.contact : undefined);
  if (contact !== undefined && contact !== '') headers.push({ name: 'Contact', value: contact });
  headers.push(...otherFields(given));
  if (!addContentType(headers, request.body, given)) return refused('missing content-type');
  const { method, body } = request;
  return { type: 'complete', message: { type: 'request', method, uri: parts.uri, headers, body } };
}

/** The application's fields by comparable name, `@localhost` replaced, repeated ones joined as a list. */
function fieldsOf(message: SipRequest | SipResponse, hostPort: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const header of message.headers) {
    const key = headerKey(header.name);
    if (ENGINE_FIELDS.has(key) || isEngineField(key)) continue;
    const value = ADDRESS_FIELDS.has(key) ? withOwnAddress(header.value, hostPort) : header.value;
    // The spelling of extension headers is the application's, so it is kept as the key.
    const name = key.startsWith('x-') ? header.name : key;
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return fields;
}

function otherFields(given: ReadonlyMap<string, string>): SipHeader[] {
  const headers: SipHeader[] = [];
  for (const [key, value] of given) {
    if (IDENTITY_FIELDS.has(key) || key === 'contact' || key === 'max-forwards') continue;
    const values = CHALLENGE_FIELDS.has(key) ? value.split(NEXT_CHALLENGE) : [value];
    for (const each of values) headers.push({ name: spelled(key), value: each });
  }
  return headers;
}

/** Adds what the body needs; false when a body is neither SDP nor labelled. */
function addContentType(
  headers: SipHeader[],
  body: Buffer,
  given: ReadonlyMap<string, string>,
): boolean {
  if (body.length === 0 || given.has('content-type')) return true;
  if (body.toString('latin1', 0, 3) !== 'v=0') return false;
  headers.push({ name: 'Content-Type', value: 'application/sdp' });
  return true;
}

function withOwnAddress(value: string, hostPort: string): string {
  const replaced = value.replaceAll(LOCALHOST, `@${hostPort}`);
  return replaced === value ? value : (inBrackets(replaced) ?? replaced);
}

/** A bare URI in brackets, so that nobody takes its parameters for those of the header. */
function inBrackets(value: string | undefined): string | undefined {
  if (value === undefined || value.includes('<')) return value;
  const address = readAddress(value);
  return address === undefined ? value : formatNameAddr(address);
}

function withTag(value: string, tag: string): string | undefined {
  const address = readAddress(value);
  if (address === undefined) return undefined;
  if (address.parameters.has('tag')) return value;
  return value.includes('<')
    ? `${value};tag=${tag}`
    : formatNameAddr({ ...address, parameters: new Map(address.parameters).set('tag', tag) });
}

function copiesOf(message: SipRequest, key: string): SipHeader[] {
  return message.headers.filter((header) => headerKey(header.name) === key);
}

function spelled(key: string): string {
  if (/^x-/i.test(key)) return key;
  return SPELLINGS.get(key) ?? key.split('-').map(capitalised).join('-');
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function readNumber(cseq: string | undefined): number | undefined {
  if (cseq === undefined) return undefined;
  return readCSeq(cseq)?.number ?? (/^\d{1,9}$/.test(cseq) ? Number(cseq) : undefined);
}

function refused(reason: string): { type: 'refused'; reason: string } {
  return { type: 'refused', reason };
}
