import { isIP, isIPv6 } from 'node:net';
import type { Flow, TransportProtocol } from './flow.ts';

export type AddressFamily = 4 | 6;

/** 4 or 6 for an IP address, `undefined` for a host name. */
export function familyOf(address: string): AddressFamily | undefined {
  const family = isIP(address);
  return family === 4 || family === 6 ? family : undefined;
}

/** Whether `address` stands for all own addresses of its family. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || (isIPv6(address) && /^[0:]+$/.test(address));
}

/** An address as Destination wants it: no brackets, and IPv4 for IPv4-mapped IPv6. */
export function plainAddress(address: string): string {
  const bare = address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
}

/** The port when none is given (RFC 3261 §18.1.1, §19.1.2). */
export function defaultPort(protocol: TransportProtocol): number {
  return protocol === 'tls' ? 5061 : 5060;
}

/** What two messages on the same path have in common. */
export function pathKey(
  flow: Pick<Flow, 'protocol' | 'remoteAddress' | 'remotePort' | 'connectionId'>,
): string {
  return `${flow.protocol}/${flow.remoteAddress}/${flow.remotePort}/${flow.connectionId ?? ''}`;
}
