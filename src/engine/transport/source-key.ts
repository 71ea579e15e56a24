import { plainAddress } from './address.ts';

const GROUPS_OF_A_NETWORK = 4;
const GROUPS = 8;

/**
 * What stands for the sender behind `address` when messages are counted: the IPv4 address itself, and of IPv6 the
 * /64, since a single subscriber may use every address of it.
 *
 * @param address as the system reports it: valid, without brackets.
 */
export function sourceKey(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(':')) return plain;
  const [before = '', after] = plain.replace(/%.*$/, '').split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  // Behind `::` a dotted IPv4 part would count as two groups; it lies outside the first four either way.
  const zeros = after === undefined ? 0 : Math.max(0, GROUPS - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  const network = groups
    .slice(0, GROUPS_OF_A_NETWORK)
    .map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':').toLowerCase()}::/64`;
}
