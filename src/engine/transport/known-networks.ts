import { BlockList } from 'node:net';
import { familyOf, plainAddress } from './address.ts';

/** Addresses and networks of known peers. */
export class KnownNetworks {
  readonly #list = new BlockList();

  /** @param texts IP addresses and CIDR networks; anything else is passed over and so matches nobody. */
  constructor(texts: readonly string[]) {
    for (const text of texts) this.#add(text);
  }

  has(address: string): boolean {
    const plain = plainAddress(address).replace(/%.*$/, '');
    const family = familyOf(plain);
    return family !== undefined && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(text: string): void {
    const [address = '', bits] = text.split('/');
    const family = familyOf(address);
    if (family === undefined) return;
    const type = family === 6 ? 'ipv6' : 'ipv4';
    const prefixBits = bits === undefined ? undefined : Number(bits);
    if (prefixBits === undefined) this.#list.addAddress(address, type);
    else if (prefixBits >= 0 && prefixBits <= (family === 6 ? 128 : 32)) {
      this.#list.addSubnet(address, prefixBits, type);
    }
  }
}
