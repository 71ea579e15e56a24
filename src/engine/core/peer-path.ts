import { getHeaders } from '../../wire/sip-message.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import { parseVia, splitHeaderList } from '../../wire/sip-headers.ts';
import { defaultPort, plainAddress } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';

/** The path a request of the peer came by, and what its Via fields say about that path. */
export interface PeerPath {
  readonly flow: Flow;
  /** No proxy stands between: there is one Via. */
  readonly isDirect: boolean;
  /** The sender takes answers where it sends from (`rport`, RFC 3581). */
  readonly isSymmetric: boolean;
  /** The sender knows itself under another address, or with `rport` under another port: a NAT is between. */
  readonly isTranslated: boolean;
}

/** @param request as it was parsed, so that its Via fields can be read. */
export function pathOf(request: SipRequest, flow: Flow): PeerPath {
  const [top = '', ...others] = getHeaders(request, 'via').flatMap(splitHeaderList);
  const via = parseVia(top);
  const isSymmetric = via.parameters.has('rport');
  const isElsewhere = plainAddress(via.host) !== flow.remoteAddress;
  const hasOtherPort = (via.port ?? defaultPort(flow.protocol)) !== flow.remotePort;
  return {
    flow,
    isDirect: others.length === 0,
    isSymmetric,
    isTranslated: isElsewhere || (isSymmetric && hasOtherPort),
  };
}
