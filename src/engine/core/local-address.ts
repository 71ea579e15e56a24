import { formatHostPort } from '../../wire/sip-uri.ts';
import { isSips } from '../dialog/secure-hop.ts';
import type { Flow, ListenPoint } from '../transport/flow.ts';

/** `host:port` of an own address as it stands in URIs. */
export function hostPortOf(point: ListenPoint): string {
  return formatHostPort(point.address, point.port);
}

/**
 * The Contact the engine writes when the application gives none: no user part, and a sips URI where the request that
 * begins the dialog goes to one (RFC 3261 §8.1.1.8, §12.1.1).
 */
export function contactOf(point: ListenPoint, requestUri = ''): string {
  if (point.protocol === 'tls' && isSips(requestUri)) return `<sips:${hostPortOf(point)}>`;
  const transport = point.protocol === 'udp' ? '' : `;transport=${point.protocol}`;
  return `<sip:${hostPortOf(point)}${transport}>`;
}

/** The listen point a flow belongs to; of a connection we opened ourselves, the one peers can reach us on. */
export function listenPointOf(points: readonly ListenPoint[], flow: Flow): ListenPoint {
  const sameProtocol = points.filter((point) => point.protocol === flow.protocol);
  const sameAddress = sameProtocol.filter((point) => point.address === flow.localAddress);
  const exact = sameAddress.find((point) => point.port === flow.localPort);
  const samePort = sameProtocol.find((point) => point.port === flow.localPort);
  const fallback = { protocol: flow.protocol, address: flow.localAddress, port: flow.localPort };
  const best = exact ?? sameAddress[0] ?? samePort ?? sameProtocol[0] ?? fallback;
  const isWildcard = best.address === '0.0.0.0' || best.address === '::';
  return isWildcard ? { ...best, address: flow.localAddress } : best;
}
