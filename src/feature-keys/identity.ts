/** Who a SUBSCRIBE comes from, and whether the account is its own. */

import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { parseNameAddr, splitHeaderList } from '../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipRequest } from '../wire/sip-message.ts';
import { WireError } from '../wire/wire-error.ts';
import { type FeatureAccount, plainUserOf } from './presentity.ts';

/** A sip and a tel URI (RFC 3325 §9.1), and some room for errors. */
const MAX_ASSERTED = 4;

/** Networks whose word is taken. */
export class TrustedNetworks {
  readonly #list = new BlockList();

  /** @param networks addresses, or addresses with prefix length; what is neither is passed over. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/', 2);
      const family = familyOf(address);
      if (family === undefined) continue;
      const bits = Number(prefix ?? (family === 'ipv4' ? 32 : 128));
      if (bits >= 0 && bits <= (family === 'ipv4' ? 32 : 128)) {
        this.#list.addSubnet(address, bits, family);
      }
    }
  }

  has(address: string): boolean {
    const plain = address.replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');
    const family = familyOf(plain);
    return family !== undefined && this.#list.check(plain, family);
  }
}

/** The user a trusted network names: P-Asserted-Identity before From; nothing when neither has one. */
export function assertedUser(request: SipRequest): string | undefined {
  const asserted = getHeaders(request, 'P-Asserted-Identity').flatMap(listOf);
  for (const value of asserted.slice(0, MAX_ASSERTED)) {
    const user = userOf(value);
    if (user !== undefined) return user;
  }
  return userOf(getHeader(request, 'From') ?? '');
}

/** Whether one of `accounts`, users alone or with their domain, is `account`. */
export function ownsAccount(accounts: readonly string[], account: FeatureAccount): boolean {
  const whole = account.presentity.slice('sip:'.length);
  return accounts.some((each) => {
    const name = each.replace(/^sips?:/i, '');
    const at = name.lastIndexOf('@');
    if (at < 0) return name === account.user;
    return `${name.slice(0, at)}@${name.slice(at + 1).toLowerCase()}` === whole;
  });
}

function userOf(nameAddress: string): string | undefined {
  try {
    return plainUserOf(parseNameAddr(nameAddress).uri);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function listOf(value: string): string[] {
  try {
    return splitHeaderList(value);
  } catch {
    return [];
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  if (isIPv4(address)) return 'ipv4';
  return isIPv6(address) ? 'ipv6' : undefined;
}
