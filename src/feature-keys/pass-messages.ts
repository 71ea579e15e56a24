/** What of a SUBSCRIBE, a NOTIFY and their answers crosses when feature keys are passed through: no address, no identity. */

import { isUtf8 } from 'node:buffer';
import { isIP } from 'node:net';
import type { SipHeaders } from '../sip/sip-connection.ts';
import { readUri } from '../trunk/hop-uri.ts';
import { BODY_FIELD, MAX_FIELD_BODY_BYTES } from '../wire/engine-headers.ts';
import { parseNameAddr } from '../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipMessage, type SipRequest } from '../wire/sip-message.ts';
import { formatSipUri } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';

const CONTENT = ['Content-Type', 'Content-Encoding', 'Content-Disposition', 'MIME-Version'];
const SUBSCRIBE = [
  ...CONTENT,
  'Event',
  'Expires',
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Allow-Events',
  'Supported',
  'Require',
  'User-Agent',
];
const NOTIFY = [...CONTENT, 'Event', 'Subscription-State', 'Allow-Events', 'Supported', 'Require'];
const ANSWER = [
  'Expires',
  'Min-Expires',
  'Retry-After',
  'Allow-Events',
  'Accept',
  'Accept-Encoding',
  'Supported',
  'Unsupported',
  'Warning',
];
const CREDENTIALS = ['Authorization', 'Proxy-Authorization'];
const CHALLENGES = ['WWW-Authenticate', 'Proxy-Authenticate'];
/** Each challenge has a spelling of the field of its own. */
const LAST_LETTERS = /[a-z](?=[a-z]{0,3}$)/g;
const MAX_CHALLENGES = 16;

/** A body as it is handed to the SIP engine. */
export interface PassedBody {
  readonly headers: SipHeaders;
  readonly body?: string;
}

/** The fields of a SUBSCRIBE of the phone for the server; inside the dialog From and To are the dialog's. */
export function subscribeFields(request: SipRequest): SipHeaders {
  return { ...picked(request, SUBSCRIBE), ...firstOf(request, CREDENTIALS) };
}

/** From and To of the SUBSCRIBE that opens the dialog: the account, without the phone's address. */
export function subscribeParties(request: SipRequest, uri: string): SipHeaders {
  const from = readUri(uriIn(getHeader(request, 'From') ?? ''));
  const host = readUri(uri)?.host ?? 'localhost';
  const user = from?.user === undefined ? {} : { user: from.user };
  const own = from !== undefined && isIP(from.host) === 0 ? from.host : host;
  const parameters = new Map<string, string>();
  return {
    From: `<${formatSipUri({ scheme: 'sip', ...user, host: own, parameters })}>`,
    To: `<${uri}>`,
  };
}

/** The fields of a NOTIFY of the server for the phone. */
export function notifyFields(request: SipRequest): SipHeaders {
  return { ...picked(request, NOTIFY), ...firstOf(request, CREDENTIALS) };
}

/** The fields of an answer for the other side. */
export function answerFields(message: SipMessage | undefined): SipHeaders {
  if (message === undefined) return {};
  const challenges: Record<string, string> = {};
  for (const name of CHALLENGES) {
    // One field each, with spellings that differ: several may not be joined into a list.
    for (const [index, value] of getHeaders(message, name).slice(0, MAX_CHALLENGES).entries()) {
      challenges[spelling(name, index)] = value;
    }
  }
  return { ...picked(message, ANSWER), ...challenges };
}

/** The fields of the server's answer to a SUBSCRIBE: no more time than the phone asked for (RFC 6665 §4.2.1.1). */
export function grantFields(asked: SipRequest, answer: SipMessage | undefined): SipHeaders {
  const fields = answerFields(answer);
  const wanted = secondsOf(getHeader(asked, 'Expires'));
  const granted = secondsOf(fields['Expires']);
  if (wanted === undefined || granted === undefined || granted <= wanted) return fields;
  return { ...fields, Expires: String(wanted) };
}

/** @param isEmbedded whether the SIP engine takes bodies that are no UTF-8. */
export function passedBody({ body }: SipMessage, isEmbedded: boolean): PassedBody {
  if (body.length === 0) return { headers: {} };
  if (!isEmbedded || isUtf8(body) || body.length > MAX_FIELD_BODY_BYTES) {
    return { headers: {}, body: body.toString() };
  }
  return { headers: { [BODY_FIELD]: body.toString('base64') } };
}

function picked(message: SipMessage, names: readonly string[]): SipHeaders {
  const headers: SipHeaders = {};
  for (const name of names) {
    const values = getHeaders(message, name);
    if (values.length > 0) headers[name] = values.join(', ');
  }
  return headers;
}

function firstOf(message: SipMessage, names: readonly string[]): SipHeaders {
  const headers: SipHeaders = {};
  for (const name of names) {
    const value = getHeader(message, name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

function uriIn(value: string): string {
  try {
    return parseNameAddr(value).uri;
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}

function secondsOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d{1,10}\s*$/.test(value) ? Number(value) : undefined;
}

/** Field names know no letter case: bit n of `index` raises letter n of the last four. */
function spelling(name: string, index: number): string {
  let at = 0;
  return name.replaceAll(LAST_LETTERS, (letter) => {
    const isRaised = (index >> at) % 2 === 1;
    at += 1;
    return isRaised ? letter.toUpperCase() : letter;
  });
}
