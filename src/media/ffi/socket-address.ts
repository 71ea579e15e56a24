/**
 * Addresses and ports as the kernel takes and gives them: `sockaddr_in` and `sockaddr_in6` of a little-endian Linux.
 *
 *   IPv4   family 2  | port 2 | address 4 | zeros 8
 *   IPv6   family 2  | port 2 | flow 4 | address 16 | scope 4
 */

import type { PacketSource } from '../source-lock.ts';
import { addressFamily } from '../../wire/sdp-address.ts';

export const SOCKET_ADDRESS_BYTES = 28;
export const IPV4_ADDRESS_BYTES = 16;

const FAMILY_IPV4 = 2;
const FAMILY_IPV6 = 10;
const IPV6_AT = 8;
const SCOPE_AT = 24;
const GROUPS = 8;
const MAX_PORT = 65_535;

/** Names and numbers of network interfaces; only link-local addresses have them. */
export interface Scopes {
  /** 0 for none. */
  indexOf(name: string): number;
  nameOf(index: number): string | undefined;
}

/**
 * Writes address and port to `bytes`, SOCKET_ADDRESS_BYTES of them.
 *
 * @returns the bytes that count; 0 when it is no IP address with a port, or its interface is unknown.
 */
export function writeSocketAddress(
  bytes: DataView,
  { address, port }: PacketSource,
  scopes: Scopes,
): number {
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) return 0;
  const [host = '', scope] = address.split('%', 2);
  const family = addressFamily(host);
  if (family === undefined) return 0;
  for (let offset = 0; offset < SOCKET_ADDRESS_BYTES; offset++) bytes.setUint8(offset, 0);
  bytes.setUint16(2, port);
  if (family === 'IP4') {
    if (scope !== undefined) return 0;
    bytes.setUint16(0, FAMILY_IPV4, true);
    for (const [index, part] of host.split('.').entries()) bytes.setUint8(4 + index, Number(part));
    return IPV4_ADDRESS_BYTES;
  }
  bytes.setUint16(0, FAMILY_IPV6, true);
  for (const [index, group] of groupsOf(host).entries())
    bytes.setUint16(IPV6_AT + 2 * index, group);
  if (scope === undefined) return SOCKET_ADDRESS_BYTES;
  const scopeIndex = /^\d+$/.test(scope) ? Number(scope) : scopes.indexOf(scope);
  if (scopeIndex === 0) return 0;
  bytes.setUint32(SCOPE_AT, scopeIndex, true);
  return SOCKET_ADDRESS_BYTES;
}

/**
 * Reads what `writeSocketAddress` or the kernel wrote; `length` bytes count. Addresses are written as Node's own
 * sockets write them: shortened and in small letters, link-local ones with their interface.
 */
export function readSocketAddress(
  bytes: DataView,
  length: number,
  scopes: Scopes,
): PacketSource | undefined {
  if (length < IPV4_ADDRESS_BYTES) return undefined;
  const family = bytes.getUint16(0, true);
  const port = bytes.getUint16(2);
  if (family === FAMILY_IPV4) return { address: readIpv4(bytes, 4), port };
  if (family !== FAMILY_IPV6 || length < SOCKET_ADDRESS_BYTES) return undefined;
  return { address: `${readIpv6(bytes)}${readScope(bytes, scopes)}`, port };
}

function readIpv4(bytes: DataView, at: number): string {
  return `${bytes.getUint8(at)}.${bytes.getUint8(at + 1)}.${bytes.getUint8(at + 2)}.${bytes.getUint8(at + 3)}`;
}

function readIpv6(bytes: DataView): string {
  const groups: number[] = [];
  for (let index = 0; index < GROUPS; index++) groups.push(bytes.getUint16(IPV6_AT + 2 * index));
  const [gap, gapLength] = longestGap(groups);
  // IPv4 inside: mapped (::ffff:192.0.2.1) or compatible (::192.0.2.1).
  const isMapped = gapLength === 5 && groups[5] === 0xffff;
  if (gap === 0 && (isMapped || gapLength === 6)) {
    return `${isMapped ? '::ffff:' : '::'}${readIpv4(bytes, IPV6_AT + 12)}`;
  }
  const hex = groups.map((group) => group.toString(16));
  if (gapLength < 2) return hex.join(':');
  return `${hex.slice(0, gap).join(':')}::${hex.slice(gap + gapLength).join(':')}`;
}

/** Where the longest run of zeros begins, the first of several, and its length. */
function longestGap(groups: readonly number[]): [at: number, length: number] {
  let [bestAt, bestLength] = [0, 0];
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > bestLength) [bestAt, bestLength] = [index + 1 - length, length];
  }
  return [bestAt, bestLength];
}

function readScope(bytes: DataView, scopes: Scopes): string {
  const isLinkLocal = (bytes.getUint16(IPV6_AT) & 0xffc0) === 0xfe80;
  const scope = bytes.getUint32(SCOPE_AT, true);
  if (!isLinkLocal || scope === 0) return '';
  return `%${scopes.nameOf(scope) ?? scope}`;
}

/** The eight groups of a well-formed IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = [], tail] = address.split('::', 2).map((half) => halfOf(half));
  if (tail === undefined) return head;
  const between = Array<number>(GROUPS - head.length - tail.length).fill(0);
  return [...head, ...between, ...tail];
}

function halfOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
