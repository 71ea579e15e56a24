/** How far an IP address reaches. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { isLoopback, isWildcard } from './address.ts';

const internal = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  // Of a provider's NAT (RFC 6598) and of a link (RFC 3927).
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  internal.addSubnet(network, bits, 'ipv4');
}
internal.addSubnet('fc00::', 7, 'ipv6');
internal.addSubnet('fe80::', 10, 'ipv6');

/** Whether the address means something within one network only (RFC 1918, RFC 4193); false for a name. */
export function isInternal(host: string): boolean {
  return isIP(host) !== 0 && internal.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** Whether the whole Internet knows the address; false for a name. */
export function isPublic(host: string): boolean {
  return isIP(host) !== 0 && !isLoopback(host) && !isWildcard(host) && !isInternal(host);
}
