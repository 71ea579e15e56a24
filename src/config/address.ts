/** Addresses as they stand in the configuration: `host`, `host:port`, `[v6]:port`, `udp/host:port`. */
import { isIP, isIPv6 } from 'node:net';
import type { SipPort, Transport } from './config.ts';

export const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];

const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$/;

export interface HostPort {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/** Reads an IP address or host name with an optional port; `undefined` when it is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  if (isIPv6(text)) return { host: text, port: undefined };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, portText] = match;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port > 65_535) return undefined;
  if (bracketed !== undefined) {
    return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  }
  const host = plain ?? '';
  return isIP(host) !== 0 || isHostName(host) ? { host, port } : undefined;
}

/** Reads `transport/address:port`; the address is an IP literal, port 0 lets the system choose. */
export function parseSipPort(text: string): SipPort | undefined {
  const slash = text.indexOf('/');
  const transport = TRANSPORTS.find((known) => known === text.slice(0, Math.max(slash, 0)));
  const where = parseHostPort(text.slice(slash + 1));
  if (transport === undefined || where?.port === undefined || isIP(where.host) === 0) {
    return undefined;
  }
  return { transport, address: where.host, port: where.port };
}

/** The host as it stands in a URI: IPv6 in brackets. */
export function bracketHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** All addresses of the machine rather than one: nothing a peer could be told to send to. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** A name and not a mistyped address: `10.0.0.300` is refused. */
function isHostName(text: string): boolean {
  return HOST_NAME.test(text) && text.length <= 253 && !/^[\d.]+$/.test(text);
}
