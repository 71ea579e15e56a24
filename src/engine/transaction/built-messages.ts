import { parseCSeq, splitHeaderList, tagOf } from '../../wire/sip-headers.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import { getHeader, getHeaders } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';

const NO_BODY = Buffer.alloc(0);

/** Fields of a CANCEL that follow from its INVITE; whoever cancels cannot choose them. */
const FIXED_IN_CANCEL = new Set([
  'via',
  'route',
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'content-length',
  'content-type',
  'require',
  'proxy-require',
  'record-route',
  'contact',
]);

/** The ACK to a final response other than 2xx: part of the INVITE's transaction (RFC 3261 §17.1.1.3). */
export function buildAck(invite: SipRequest, response: SipResponse): SipRequest {
  return buildCompanion(invite, 'ACK', getHeader(response, 'to') ?? '');
}

/** RFC 3261 §9.1; `headers` are added unless they would contradict the INVITE. */
export function buildCancel(invite: SipRequest, headers: readonly SipHeader[]): SipRequest {
  const cancel = buildCompanion(invite, 'CANCEL', getHeader(invite, 'to') ?? '');
  const added = headers.filter(({ name }) => !FIXED_IN_CANCEL.has(headerKey(name)));
  cancel.headers.push(...added);
  return cancel;
}

/**
 * A response with the fields it must share with its request (RFC 3261 §8.2.6.2). `toTag` is added to a To
 * without tag. Of a malformed request whatever is there is copied.
 */
export function buildResponse(
  request: SipRequest,
  status: number,
  reason: string,
  toTag?: string,
): SipResponse {
  const headers: SipHeader[] = getHeaders(request, 'via').map((value) => ({ name: 'Via', value }));
  for (const name of ['From', 'To', 'Call-ID', 'CSeq']) {
    const value = getHeader(request, name);
    if (value === undefined) continue;
    const needsTag = name === 'To' && toTag !== undefined && tagOf(value) === undefined;
    headers.push({ name, value: needsTag ? `${value};tag=${toTag}` : value });
  }
  return { type: 'response', status, reason, headers, body: NO_BODY };
}

/** What a subscriber is told of a body that is too large, in the words of whoever serves its event package. */
export function sizeWarning(request: SipRequest, ownAddress: string): readonly SipHeader[] {
  const eventType = /^[\w.!%*+`'~-]{1,64}/.exec(getHeader(request, 'event') ?? '')?.[0];
  if (eventType === undefined) return [];
  const host = ownAddress.includes(':') ? `[${ownAddress}]` : ownAddress;
  return [{ name: 'Warning', value: `399 ${host} "${eventType}: limits: body too large"` }];
}

/** ACK or CANCEL of an INVITE: same branch, same way. */
function buildCompanion(invite: SipRequest, method: 'ACK' | 'CANCEL', to: string): SipRequest {
  const { number } = parseCSeq(getHeader(invite, 'cseq') ?? '');
  const [via = ''] = splitHeaderList(getHeader(invite, 'via') ?? '');
  const routes = getHeaders(invite, 'route').map((value) => ({ name: 'Route', value }));
  const headers: SipHeader[] = [
    { name: 'Via', value: via },
    ...routes,
    { name: 'From', value: getHeader(invite, 'from') ?? '' },
    { name: 'To', value: to },
    { name: 'Call-ID', value: getHeader(invite, 'call-id') ?? '' },
    { name: 'CSeq', value: `${number} ${method}` },
    { name: 'Max-Forwards', value: getHeader(invite, 'max-forwards') ?? '70' },
  ];
  return { type: 'request', method, uri: invite.uri, headers, body: NO_BODY };
}
