/** What packets a media section announces (RFC 8866 §5.14, RFC 4568, RFC 5764, RFC 7345, RFC 8841). */

import { parseAttribute } from './sdp-media.ts';
import type { SdpMedia } from './sdp-media.ts';

/**
 * `rtp` plain RTP, `srtp` RTP that only the ends can read, `datagrams` anything else over UDP (fax, data channels,
 * BFCP), `other` what does not go over UDP, or is unknown.
 */
export type MediaTransport = 'rtp' | 'srtp' | 'datagrams' | 'other';

const BY_PROTOCOL: ReadonlyMap<string, MediaTransport> = new Map([
  ['RTP/AVP', 'rtp'],
  ['RTP/AVPF', 'rtp'],
  ['RTP/SAVP', 'srtp'],
  ['RTP/SAVPF', 'srtp'],
  ['UDP/TLS/RTP/SAVP', 'srtp'],
  ['UDP/TLS/RTP/SAVPF', 'srtp'],
  ['UDP', 'datagrams'],
  ['UDPTL', 'datagrams'],
  ['UDP/TLS/UDPTL', 'datagrams'],
  ['UDP/DTLS/SCTP', 'datagrams'],
  ['DTLS/SCTP', 'datagrams'],
  ['UDP/BFCP', 'datagrams'],
  ['UDP/TLS/BFCP', 'datagrams'],
]);

/** Attributes by which the ends agree on keys. */
const KEYING: ReadonlySet<string> = new Set(['crypto', 'fingerprint', 'key-mgmt']);

/** By the m= line alone. */
export function transportOf({ protocol }: SdpMedia): MediaTransport {
  return BY_PROTOCOL.get(protocol.toUpperCase()) ?? 'other';
}

/** The same of an answer, where keys beside plain RTP/AVP say that they are used. */
export function agreedTransportOf(answer: SdpMedia): MediaTransport {
  const transport = transportOf(answer);
  return transport === 'rtp' && hasKeys(answer) ? 'srtp' : transport;
}

function hasKeys({ lines }: SdpMedia): boolean {
  return lines.some((line) => KEYING.has(parseAttribute(line)?.name.toLowerCase() ?? ''));
}
