/** What a SIP engine in memory adds to the headers of its application. */
import { headerKey } from '../wire/sip-header-names.ts';
import { getHeader, getHeaders, type SipHeader, type SipRequest } from '../wire/sip-message.ts';
import { formatHostPort, parseSipUri } from '../wire/sip-uri.ts';
import type { SipHeaders } from '../sip/sip-connection.ts';
import type { SipPlace } from './memory-network.ts';

/** Fields the engine alone writes. */
const ENGINE_FIELDS = new Set(['via', 'route', 'record-route', 'content-length', 'rseq']);
const IDENTITY_FIELDS = new Set(['from', 'to', 'call-id', 'cseq', 'contact', 'max-forwards']);
const ADDRESS_FIELDS = new Set(['from', 'to', 'contact', 'p-asserted-identity']);
const LOCALHOST = /@localhost(?::\d+)?(?=[;>?,\s"]|$)/gi;
const DEFAULT_PORTS = { udp: 5060, tcp: 5060, tls: 5061 } as const;

/** Where a SIP URI leads. */
export function placeOf(uri: string): SipPlace {
  const { host, port, parameters, scheme } = parseSipUri(uri);
  const named = parameters.get('transport');
  const plain = named === 'tcp' || named === 'tls' ? named : 'udp';
  const transport = scheme === 'sips' ? 'tls' : plain;
  return { transport, host, port: port ?? DEFAULT_PORTS[transport] };
}

export function viaOf(place: SipPlace, branch: string): SipHeader {
  const { transport, host, port } = place;
  const sentBy = formatHostPort(host, port);
  return { name: 'Via', value: `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=${branch}` };
}

export function branchOf(message: { headers: SipHeader[] }): string {
  const [via = ''] = getHeaders(message, 'Via');
  return /;branch=([^;,\s]+)/.exec(via)?.[1] ?? '';
}

/** The value of `name` with our own address in place of `localhost`. */
export function ownValue(headers: SipHeaders, name: string, place: SipPlace): string | undefined {
  const entry = Object.entries(headers).find(([key]) => headerKey(key) === headerKey(name));
  return entry === undefined ? undefined : withOwnAddress(entry[1], place);
}

/** The fields that are the application's own business, in its order. */
export function otherFields(headers: SipHeaders, place: SipPlace): SipHeader[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const key = headerKey(name);
    if (ENGINE_FIELDS.has(key) || IDENTITY_FIELDS.has(key)) return [];
    return [{ name, value: ADDRESS_FIELDS.has(key) ? withOwnAddress(value, place) : value }];
  });
}

/** What every answer copies from its request (RFC 3261 §8.2.6.2), with our `tag` in To. */
export function copiedFields(request: SipRequest, tag: string | undefined): SipHeader[] {
  const to = getHeader(request, 'To') ?? '';
  const hasTag = /;\s*tag=/i.test(to);
  return [
    ...getHeaders(request, 'Via').map((value) => ({ name: 'Via', value })),
    { name: 'From', value: getHeader(request, 'From') ?? '' },
    { name: 'To', value: tag === undefined || hasTag ? to : `${to};tag=${tag}` },
    { name: 'Call-ID', value: getHeader(request, 'Call-ID') ?? '' },
    { name: 'CSeq', value: getHeader(request, 'CSeq') ?? '' },
  ];
}

function withOwnAddress(value: string, { host, port }: SipPlace): string {
  return value.replaceAll(LOCALHOST, `@${formatHostPort(host, port)}`);
}
