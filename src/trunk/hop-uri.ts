/** The URIs that routing reads and writes: where a request is to go, and whether that is the SBC itself. */
import { isIP } from 'node:net';
import { isLoopback, isWildcard } from '../config/address.ts';
import type { Config, SessionAgent, SipPort, Transport } from '../config/config.ts';
import { formatSipUri, parseSipUri, type SipUri } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';

/** `undefined` for what is no sip or sips URI. */
export function readUri(text: string): SipUri | undefined {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

export function transportOf(uri: SipUri): Transport {
  const named = uri.parameters.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips' || named === 'tls') return 'tls';
  return named === 'tcp' ? 'tcp' : 'udp';
}

export function isTransportNamed(uri: SipUri): boolean {
  return uri.scheme === 'sips' || uri.parameters.has('transport');
}

export function defaultPort(transport: Transport): number {
  return transport === 'tls' ? 5061 : 5060;
}

/** Where the request to a URI that names no agent is sent. */
export function nextHopOfUri(uri: SipUri): string {
  return formatSipUri({
    scheme: 'sip',
    host: uri.host,
    ...(uri.port === undefined ? {} : { port: uri.port }),
    // What the URI leaves open is left to DNS and to the size of the request (RFC 3263 §4.1).
    parameters: new Map(isTransportNamed(uri) ? [['transport', transportOf(uri)]] : []),
  });
}

export function nextHopOfAgent(agent: SessionAgent): string {
  return formatSipUri({
    scheme: 'sip',
    host: agent.host,
    ...(agent.port === undefined ? {} : { port: agent.port }),
    parameters: new Map(agent.isTransportFixed ? [['transport', agent.transport]] : []),
  });
}

/** Whether a request to `uri` would come straight back to us. */
export function isOwnAddress(config: Config, uri: SipUri): boolean {
  return config.sipInterfaces.some((own) => own.sipPorts.some((port) => isAddressOf(uri, port)));
}

/** Whether `host` is ours, whatever the port; on interfaces that listen on every address each address may be. */
export function isOwnHost(config: Config, host: string): boolean {
  return config.sipInterfaces.some((own) =>
    own.sipPorts.some(({ address }) => host === address || (isWildcard(address) && isIP(host) > 0)),
  );
}

function isAddressOf(uri: SipUri, port: SipPort): boolean {
  if ((uri.port ?? defaultPort(port.transport)) !== port.port) return false;
  return uri.host === port.address || (isWildcard(port.address) && isLoopback(uri.host));
}
