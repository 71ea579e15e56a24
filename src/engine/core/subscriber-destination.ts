import { plainAddress } from '../transport/address.ts';
import { KnownNetworks } from '../transport/known-networks.ts';
import type { Destination, Flow, ListenPoint } from '../transport/flow.ts';
import { destinationOf, readUri } from './destination.ts';
import type { PeerPath } from './peer-path.ts';

/** Who opened a dialog with SUBSCRIBE. */
export interface Subscriber {
  /** Of its newest accepted SUBSCRIBE. */
  readonly path: PeerPath;
  /** Proxies want to stay in the way (Record-Route). */
  readonly hasRoute: boolean;
  /** The connection of `path` stands. */
  readonly isConnected: boolean;
}

/** Networks that mean another place elsewhere (RFC 1918, 3927, 4193, 4291, 6598). */
const LOCAL_NETWORKS = new KnownNetworks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
]);
/** Names that nobody can look up (RFC 6761, 6762). */
const LOCAL_NAME = /\.(?:invalid|local|localhost)\.?$/i;

/**
 * Where a request to a subscriber goes whose next hop is `uri`: the NOTIFY uses the transport of the subscription.
 *
 *   connection stands       that connection, whatever the Contact says
 *   connection is gone      the address of `uri`, over the same transport
 *   UDP from behind a NAT   where the SUBSCRIBE came from (RFC 3581 §4)
 *   UDP, Contact says TCP   the same
 *   other UDP               the address of `uri`
 *
 * A proxy that does not stay in the way is no way back; sips is never sent in clear text.
 */
export function destinationOfSubscriber(
  uri: string,
  points: readonly ListenPoint[],
  { path, hasRoute, isConnected }: Subscriber,
): Destination | undefined {
  const { flow } = path;
  const ordinary = destinationOf(uri, points, flow);
  const parsed = readUri(uri);
  if (ordinary === undefined || parsed === undefined) return ordinary;
  const isSecured = parsed.scheme === 'sips';
  if (!(hasRoute || path.isDirect) || (isSecured && flow.protocol !== 'tls')) return ordinary;
  const back = { address: flow.remoteAddress, port: flow.remotePort, isTransportFixed: true };
  const { protocol, connectionId } = flow;
  if (connectionId !== undefined) {
    return isConnected
      ? { protocol, ...back, connectionId }
      : destinationOf(uri, points, undefined, protocol);
  }
  // The port of a Contact that names TCP says nothing of UDP.
  const isHidden =
    ordinary.protocol === 'tcp' ||
    (ordinary.protocol === 'udp' && isBehindNat(ordinary.address, path));
  return isHidden && !hasRoute ? { protocol, ...back, localPort: flow.localPort } : ordinary;
}

/** Whether the address that a subscriber names cannot be the one it is reached at. */
function isBehindNat(address: string, { flow, isSymmetric, isTranslated }: PeerPath): boolean {
  if (plainAddress(address) === flow.remoteAddress) return false;
  if (isTranslated) return true;
  return isLocal(address) && (isSymmetric || !isFromNearby(flow));
}

function isLocal(address: string): boolean {
  return LOCAL_NETWORKS.has(address) || LOCAL_NAME.test(address);
}

function isFromNearby({ remoteAddress }: Flow): boolean {
  return LOCAL_NETWORKS.has(remoteAddress);
}
