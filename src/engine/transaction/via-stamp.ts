import { parseVia, splitHeaderList } from '../../wire/sip-headers.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import { defaultPort, plainAddress } from '../transport/address.ts';
import type { Flow } from '../transport/flow.ts';
import type { RemotePoint } from '../transport/transport-events.ts';
import { topVia } from './transaction-keys.ts';

const RPORT = /;[ \t]*rport(?:[ \t]*=[^;"]*|[ \t]*)(?=;|$)/i;
const RECEIVED = /;[ \t]*received[ \t]*=[^;"]*(?=;|$)/i;

/**
 * Notes in the topmost Via where the request really came from: `received` when the sender names another host or
 * asks for it with `rport` (RFC 3261 §18.2.1, RFC 3581 §4). What the sender wrote there itself is replaced.
 */
export function stampVia(request: SipRequest, flow: Flow): void {
  const index = request.headers.findIndex(({ name }) => headerKey(name) === 'via');
  const header = request.headers[index];
  const [first = '', ...others] = splitHeaderList(header?.value ?? '');
  if (header === undefined) return;
  const via = parseVia(first);
  const hasRport = via.parameters.has('rport');
  let stamped = first.replace(RECEIVED, '');
  if (hasRport) stamped = stamped.replace(RPORT, `;rport=${flow.remotePort}`);
  if (hasRport || plainAddress(via.host) !== flow.remoteAddress) {
    stamped += `;received=${flow.remoteAddress}`;
  }
  request.headers[index] = { name: header.name, value: [stamped, ...others].join(', ') };
}

/**
 * Where the responses to a request go (RFC 3261 §18.2.2): its connection, or the source address with the source
 * port if `rport` asks for that, else with the port of the Via. `maddr` is not obeyed: it would let a stranger aim
 * our answers at anybody.
 */
export function responseTarget(request: SipRequest, flow: Flow): RemotePoint {
  const via = topVia(request);
  const viaPort = via.port ?? defaultPort(flow.protocol);
  if (flow.protocol === 'udp') {
    const port = via.parameters.has('rport') ? flow.remotePort : viaPort;
    return { address: flow.remoteAddress, port };
  }
  const { connectionId } = flow;
  const target = { address: flow.remoteAddress, port: viaPort };
  return connectionId === undefined ? target : { ...target, connectionId };
}
