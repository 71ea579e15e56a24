import { parseSipUri } from '../../wire/sip-uri.ts';
import type { SipUri } from '../../wire/sip-uri.ts';
import { defaultPort, familyOf } from '../transport/address.ts';
import type { Destination, Flow, ListenPoint, TransportProtocol } from '../transport/flow.ts';

const PROTOCOLS: readonly TransportProtocol[] = ['udp', 'tcp', 'tls'];

/**
 * Where a URI sends a request (RFC 3261 §18.1, RFC 3263 §4.1 without NAPTR); undefined for what is no SIP URI
 * or names an unknown transport. `flow` is the path the dialog came in on: a connection of the peer is
 * used again, and it decides the transport where the URI does not. `forced` decides it against the URI.
 */
export function destinationOf(
  uri: string,
  points: readonly ListenPoint[],
  flow?: Flow,
  forced?: TransportProtocol,
): Destination | undefined {
  const parsed = readUri(uri);
  if (parsed === undefined) return undefined;
  const address = parsed.parameters.get('maddr') ?? parsed.host;
  const known = flow?.remoteAddress === address ? flow : undefined;
  const named = forced ?? parsed.parameters.get('transport')?.toLowerCase();
  const standard = points.some((point) => point.protocol === 'udp') ? 'udp' : points[0]?.protocol;
  // What came over TLS goes on over TLS, also to another host of the peer.
  const kept = known?.protocol ?? (flow?.protocol === 'tls' ? 'tls' : undefined);
  const wanted = parsed.scheme === 'sips' ? securedTransport(named) : (named ?? kept ?? standard);
  const protocol = PROTOCOLS.find((candidate) => candidate === wanted);
  if (protocol === undefined) return undefined;
  const isChosen = named !== undefined || parsed.scheme === 'sips';
  const asks = parsed.port === undefined && hasServices(address);
  const isReusable = known?.protocol === protocol && known.connectionId !== undefined;
  return {
    protocol,
    address,
    port: parsed.port ?? defaultPort(protocol),
    ...(isReusable ? { connectionId: known.connectionId } : {}),
    ...(asks
      ? { services: isChosen || protocol === 'tls' ? [protocol] : transportsOf(points) }
      : {}),
    ...(flow === undefined || known !== undefined ? {} : wayBack(flow, protocol)),
    ...(named === undefined ? {} : { isTransportFixed: true }),
  };
}

/** What carries a sips URI: TLS, which `transport=tcp` means as well (RFC 3261 §26.2.2). */
function securedTransport(named: string | undefined): TransportProtocol | undefined {
  return named === undefined || named === 'tcp' || named === 'tls' ? 'tls' : undefined;
}

/** How the peer of a dialog is reached beside its Contact: phones behind NAT name addresses of their own network. */
function wayBack(
  flow: Flow,
  protocol: TransportProtocol,
): Pick<Destination, 'preferred' | 'lastResort'> {
  const preferred = { address: flow.remoteAddress, port: flow.remotePort };
  const { connectionId } = flow;
  if (connectionId === undefined || flow.protocol !== protocol) return { preferred };
  return { preferred, lastResort: { ...preferred, connectionId } };
}

/** A SIP URI; undefined for what is none. */
export function readUri(uri: string): SipUri | undefined {
  try {
    return parseSipUri(uri);
  } catch {
    return undefined;
  }
}

/** Names of this machine have no SRV records (RFC 6761 §6.3). */
function hasServices(host: string): boolean {
  return familyOf(host) === undefined && !/(?:^|\.)localhost\.?$/i.test(host);
}

/** The transports a sip URI without one may use, UDP first; TLS is for sips and where it is asked for. */
function transportsOf(points: readonly ListenPoint[]): readonly TransportProtocol[] {
  return PROTOCOLS.filter(
    (protocol) => protocol !== 'tls' && points.some((point) => point.protocol === protocol),
  );
}

/** What a dialog says of the way to its peer. */
interface InDialog {
  readonly flow: Flow | undefined;
  readonly isTransportFixed: boolean;
  /** Its own end, which its requests leave from as long as they keep the transport. */
  readonly local?: ListenPoint;
}

/** Where a request inside a dialog goes whose next hop is `uri`. */
export function destinationInDialog(
  uri: string,
  points: readonly ListenPoint[],
  dialog: InDialog,
): Destination | undefined {
  const destination = destinationOf(uri, points, dialog.flow);
  if (destination === undefined) return undefined;
  const { local, isTransportFixed } = dialog;
  return {
    ...destination,
    ...(local?.protocol === destination.protocol ? { localPort: local.port } : {}),
    ...(isTransportFixed ? { isTransportFixed } : {}),
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
