/** Makes the addresses of SDP comparable with those the sockets report. */

import { isIP, isIPv6, SocketAddress } from 'node:net';
import { plainAddress } from '../wire/sdp-address.ts';
import type { LegMedia, RemoteMedia } from './media-engine.ts';

const MAX_PORT = 65_535;
const UNSPECIFIED = new Set(['0.0.0.0', '::']);

/**
 * `media` with its remote address in the form sockets report, or without one where nothing can be
 * sent (an IPv4-mapped address is the IPv4 one): no IP address, another family than `localAddress`, unspecified address, port 0.
 */
export function withUsableRemote(media: LegMedia, localAddress: string): LegMedia {
  const { remote } = media;
  if (remote === undefined) return media;
  const usable = usableRemote(remote, localAddress);
  // As it nearly always is: no second copy for the life of the call.
  return isSame(remote, usable) ? media : { ...media, remote: usable };
}

function isSame(remote: RemoteMedia, usable: RemoteMedia | undefined): boolean {
  return (
    usable?.address === remote.address &&
    usable.rtpPort === remote.rtpPort &&
    usable.rtcpPort === remote.rtcpPort
  );
}

function usableRemote(remote: RemoteMedia, localAddress: string): RemoteMedia | undefined {
  const plain = plainAddress(remote.address);
  if (isIP(plain) === 0 || isIP(plain) !== isIP(localAddress)) return undefined;
  const address = canonicalAddress(plain);
  if (UNSPECIFIED.has(address) || !isPort(remote.rtpPort)) return undefined;
  const rtcpPort = isPort(remote.rtcpPort)
    ? remote.rtcpPort
    : Math.min(remote.rtpPort + 1, MAX_PORT);
  return { address, rtpPort: remote.rtpPort, rtcpPort };
}

/** An IP address in the form sockets report. */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= MAX_PORT;
}
