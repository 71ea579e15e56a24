/** Addresses as SDP writes them: `IN IP4 192.0.2.1`, `IN IP6 2001:db8::1` (RFC 8866 §5.7). */

export type AddressFamily = 'IP4' | 'IP6';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
const HEX_GROUP = /^[0-9a-f]{1,4}$/i;
const LONGEST_ADDRESS = 45;

/** The family of a literal IP address; `undefined` for a host name or anything else. */
export function addressFamily(address: string): AddressFamily | undefined {
  if (address.length > LONGEST_ADDRESS) return undefined;
  if (IPV4.test(address)) return 'IP4';
  return isIpv6(address) ? 'IP6' : undefined;
}

/** The address that media goes to: an IPv4-mapped IPv6 one is the IPv4 address in it (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  if (addressFamily(address) !== 'IP6') return address;
  const [head = '', tail = ''] = address.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const between = Array<number>(8 - first.length - last.length).fill(0);
  const groups = [...first, ...between, ...last];
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return address;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The 16-bit groups of a part of an IPv6 address without `::`. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The value of a c= line (and the tail of an o= line) for a literal address. */
export function formatConnection(address: string): string {
  return `IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`;
}

/**
 * The address of `IN IP4 224.2.1.1/127/3`, without TTL and count.
 *
 * @returns `undefined` when the value does not have three parts.
 */
export function parseConnection(value: string): string | undefined {
  const [network, family, address] = value.trim().split(/\s+/, 3);
  if (network === undefined || family === undefined || address === undefined) return undefined;
  return address.split('/', 1)[0];
}

/** Whether the address is the "nowhere" of an old-style hold: 0.0.0.0 or :: (RFC 3264 §8.4). */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || (addressFamily(address) === 'IP6' && /^[0:]+$/.test(address));
}

/** Whether media may be sent there: one literal unicast host. Host names are never resolved. */
export function isMediaTarget(address: string): boolean {
  const family = addressFamily(address);
  if (family === undefined || isUnspecified(address)) return false;
  if (family === 'IP6') return !/^ff/i.test(address);
  const first = Number(address.split('.', 1)[0]);
  return first > 0 && first < 224;
}

/** Whether the literal address is that of a group of hosts. */
export function isMulticast(address: string): boolean {
  if (addressFamily(address) === 'IP6') return /^ff/i.test(address);
  const first = Number(address.split('.', 1)[0]);
  return first >= 224 && first < 240;
}

function isIpv6(address: string): boolean {
  const halves = address.split('::');
  if (halves.length > 2 || !address.includes(':')) return false;
  let groups = 0;
  for (const [position, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    const isLastHalf = position === halves.length - 1;
    for (const [index, part] of parts.entries()) {
      if (isLastHalf && index === parts.length - 1 && IPV4.test(part)) groups += 2;
      else if (HEX_GROUP.test(part)) groups += 1;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}
