/** The requests that a SIP engine in memory writes. */
import { randomBytes } from 'node:crypto';
import type { SipHeaders } from '../sip/sip-connection.ts';
import { parseCSeq, tagOf } from '../wire/sip-headers.ts';
import {
  getHeader,
  getHeaders,
  type SipHeader,
  type SipRequest,
  type SipResponse,
} from '../wire/sip-message.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { MemoryDialog } from './memory-dialogs.ts';
import type { SipPlace } from './memory-network.ts';
import { otherFields, ownValue, viaOf } from './memory-text.ts';

export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly headers: SipHeaders;
  readonly body: string;
  readonly from: SipPlace;
  readonly branch: string;
  readonly dialog: MemoryDialog | undefined;
  /** The number of the INVITE that an ACK is for. */
  readonly ackNumber?: number;
}

const NEEDS_CONTACT = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY', 'UPDATE']);

/** A request as it goes out, in a dialog or outside of all. */
export function writeRequest(parts: RequestParts): SipRequest {
  const { method, uri, headers: given, body, from, branch, dialog, ackNumber } = parts;
  const headers: SipHeader[] = [
    viaOf(from, branch),
    { name: 'Max-Forwards', value: ownValue(given, 'Max-Forwards', from) ?? '70' },
    ...(dialog?.identity(method, ackNumber) ?? newIdentity(parts)),
  ];
  const contact = ownValue(given, 'Contact', from) ?? defaultContact(method, from);
  if (contact !== undefined) headers.push({ name: 'Contact', value: contact });
  headers.push(...otherFields(given, from));
  const hasType = headers.some(({ name }) => name.toLowerCase() === 'content-type');
  if (body.startsWith('v=0') && !hasType) {
    headers.push({ name: 'Content-Type', value: 'application/sdp' });
  }
  return { type: 'request', method, uri, headers, body: Buffer.from(body) };
}

/** The ACK of a refusal (RFC 3261 §17.1.1.3). */
export function writeAck(invite: SipRequest, response: SipResponse): SipRequest {
  const { number } = parseCSeq(getHeader(invite, 'CSeq') ?? '');
  const headers = [
    ...firstVia(invite),
    { name: 'Max-Forwards', value: '70' },
    ...copies(invite, 'From'),
    ...copies(response, 'To'),
    ...copies(invite, 'Call-ID'),
    { name: 'CSeq', value: `${number} ACK` },
  ];
  return { type: 'request', method: 'ACK', uri: invite.uri, headers, body: Buffer.alloc(0) };
}

/** The CANCEL of an INVITE (RFC 3261 §9.1). */
export function writeCancel(invite: SipRequest, headers: SipHeaders, place: SipPlace): SipRequest {
  const { number } = parseCSeq(getHeader(invite, 'CSeq') ?? '');
  const fields = [
    ...firstVia(invite),
    { name: 'Max-Forwards', value: '70' },
    ...copies(invite, 'From'),
    ...copies(invite, 'To'),
    ...copies(invite, 'Call-ID'),
    { name: 'CSeq', value: `${number} CANCEL` },
    ...otherFields(headers, place),
  ];
  const { uri } = invite;
  return { type: 'request', method: 'CANCEL', uri, headers: fields, body: Buffer.alloc(0) };
}

function newIdentity({ headers, uri, method, from }: RequestParts): SipHeader[] {
  const own = `<sip:${formatHostPort(from.host, from.port)}>`;
  const sender = ownValue(headers, 'From', from) ?? own;
  const tagged = tagOf(sender) === undefined ? `${sender};tag=${newId(5)}` : sender;
  const number = parseCSeq(ownValue(headers, 'CSeq', from) ?? `1 ${method}`).number;
  return [
    { name: 'From', value: tagged },
    { name: 'To', value: ownValue(headers, 'To', from) ?? `<${uri}>` },
    { name: 'Call-ID', value: ownValue(headers, 'Call-ID', from) ?? newId(12) },
    { name: 'CSeq', value: `${number} ${method}` },
  ];
}

function defaultContact(method: string, { host, port, transport }: SipPlace): string | undefined {
  if (!NEEDS_CONTACT.has(method)) return undefined;
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  return `<sip:${formatHostPort(host, port)}${parameter}>`;
}

function firstVia(message: SipRequest): SipHeader[] {
  return getHeaders(message, 'Via')
    .slice(0, 1)
    .map((value) => ({ name: 'Via', value }));
}

function copies(message: SipRequest | SipResponse, name: string): SipHeader[] {
  return getHeaders(message, name).map((value) => ({ name, value }));
}

function newId(length: number): string {
  return randomBytes(length).toString('hex');
}
