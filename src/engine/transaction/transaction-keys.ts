import { parseCSeq, parseVia, splitHeaderList, tagOf } from '../../wire/sip-headers.ts';
import type { Via } from '../../wire/sip-headers.ts';
import { getHeader } from '../../wire/sip-message.ts';
import type { SipMessage, SipRequest } from '../../wire/sip-message.ts';
import { formatHostPort } from '../../wire/sip-uri.ts';

/** What the branch of every RFC 3261 element begins with. */
export const MAGIC_COOKIE = 'z9hG4bK';

/** The topmost Via of a message that has been parsed, and so has one. */
export function topVia(message: SipMessage): Via {
  return parseVia(splitHeaderList(getHeader(message, 'via') ?? '')[0] ?? '');
}

/** Number of Via values; a response for us has exactly one. */
export function countVias(message: SipMessage): number {
  return message.headers
    .filter(({ name }) => ['via', 'v'].includes(name.toLowerCase()))
    .reduce((count, { value }) => count + splitHeaderList(value).length, 0);
}

/**
 * What all copies of one request have in common (RFC 3261 §17.2.3), for `method` in place of the request's own:
 * an ACK and a CANCEL find their INVITE by its key. Call before anything is added to the Via.
 *
 * Requests of RFC 2543 elements have no usable branch: there the other identifying fields together are the key.
 */
export function serverKey(request: SipRequest, method: string): string {
  const via = topVia(request);
  const branch = via.parameters.get('branch') ?? '';
  const sentBy = formatHostPort(via.host, via.port);
  if (branch.startsWith(MAGIC_COOKIE) && branch.length > MAGIC_COOKIE.length) {
    return join(method, branch, sentBy);
  }
  const number = parseCSeq(getHeader(request, 'cseq') ?? '').number;
  return join(method, `${identity(request)}\n${number}\n${request.uri}`, `${sentBy}\n${branch}`);
}

/**
 * What the copies of one request that arrived over different ways have in common (RFC 3261 §8.2.2.2);
 * `undefined` for requests inside a dialog.
 */
export function mergeKey(request: SipRequest): string | undefined {
  if (tagOf(getHeader(request, 'to') ?? '') !== undefined) return undefined;
  return `${identity(request)}\n${getHeader(request, 'cseq') ?? ''}`;
}

/** What a response has in common with the request it answers (RFC 3261 §17.1.3). */
export function clientKey(message: SipMessage): string {
  const branch = topVia(message).parameters.get('branch') ?? '';
  return clientKeyOf(parseCSeq(getHeader(message, 'cseq') ?? '').method, branch);
}

/** `clientKey` of the message with this method in CSeq and this branch in its topmost Via. */
export function clientKeyOf(method: string, branch: string): string {
  return join(method, branch, '');
}

function identity(request: SipRequest): string {
  const callId = getHeader(request, 'call-id') ?? '';
  return `${callId}\n${tagOf(getHeader(request, 'from') ?? '') ?? ''}`;
}

function join(method: string, branch: string, sentBy: string): string {
  return `${method}\n${branch}\n${sentBy}`;
}
