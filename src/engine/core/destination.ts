import { parseSipUri } from '../../wire/sip-uri.ts';
import type { Destination, Flow, ListenPoint, TransportProtocol } from '../transport/flow.ts';

const PROTOCOLS: readonly TransportProtocol[] = ['udp', 'tcp', 'tls'];

/**
 * Where a URI sends a request (RFC 3261 §18.1, RFC 3263 §4.1 without NAPTR); undefined for what is no SIP URI
 * or names an unknown transport. `flow` is the path the dialog came in on: a connection of the peer is
 * used again, and it decides the transport where the URI does not.
 */
export function destinationOf(
  uri: string,
  points: readonly ListenPoint[],
  flow?: Flow,
): Destination | undefined {
  let parsed;
  try {
    parsed = parseSipUri(uri);
  } catch {
    return undefined;
  }
  const address = parsed.parameters.get('maddr') ?? parsed.host;
  const isKnown = flow !== undefined && flow.remoteAddress === address;
  const transport = parsed.parameters.get('transport')?.toLowerCase();
  const standard = points.some((point) => point.protocol === 'udp') ? 'udp' : points[0]?.protocol;
  const implied = parsed.scheme === 'sips' ? 'tls' : isKnown ? flow.protocol : standard;
  const protocol = PROTOCOLS.find((candidate) => candidate === (transport ?? implied));
  if (protocol === undefined) return undefined;
  const port = parsed.port ?? (protocol === 'tls' ? 5061 : 5060);
  const isReusable = isKnown && flow.protocol === protocol && flow.connectionId !== undefined;
  return {
    protocol,
    address,
    port,
    ...(isReusable ? { connectionId: flow.connectionId } : {}),
  };
}

/** Whether a request to `destination` would come back to this engine. */
export function isOwnAddress(destination: Destination, points: readonly ListenPoint[]): boolean {
  return points.some(
    (point) =>
      point.protocol === destination.protocol &&
      point.address === destination.address &&
      point.port === destination.port,
  );
}
