import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import { familyOf } from './address.ts';
import type { AddressFamily } from './address.ts';

/** An address of this machine with the length of its network prefix. */
export interface OwnAddress {
  readonly address: string;
  readonly prefixBits: number;
  readonly isLoopback: boolean;
}

const LIFE_MS = 10_000;

/**
 * Tells which own address a peer sees when we listen on a wildcard address: a datagram does not say to which one
 * it was sent. The one in the peer's network, else the first that is no loopback address.
 */
export class OwnAddresses {
  readonly #list: () => readonly OwnAddress[];
  readonly #known = new Map<string, string>();
  #validUntilMs = 0;

  constructor(list: () => readonly OwnAddress[] = listOwnAddresses) {
    this.#list = list;
  }

  /** @returns `fallback` when this machine has no address of the family of `remote`. */
  towards(remote: string, fallback: string): string {
    const nowMs = performance.now();
    if (nowMs > this.#validUntilMs || this.#known.size > 1024) {
      this.#known.clear();
      this.#validUntilMs = nowMs + LIFE_MS;
    }
    const known = this.#known.get(remote);
    if (known !== undefined) return known;
    const address = chooseAddress(remote, this.#list()) ?? fallback;
    this.#known.set(remote, address);
    return address;
  }
}

function chooseAddress(remote: string, own: readonly OwnAddress[]): string | undefined {
  const family = familyOf(remote);
  const candidates = own.filter(({ address }) => familyOf(address) === family);
  const neighbour = candidates.find((candidate) => isInNetwork(remote, candidate, family));
  const outward = candidates.find(({ isLoopback }) => !isLoopback);
  return (neighbour ?? outward ?? candidates[0])?.address;
}

function isInNetwork(remote: string, own: OwnAddress, family: AddressFamily | undefined): boolean {
  const network = new BlockList();
  const type = family === 6 ? 'ipv6' : 'ipv4';
  network.addSubnet(own.address, own.prefixBits, type);
  return network.check(remote, type);
}

function listOwnAddresses(): OwnAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ address, cidr, internal }) => {
      const prefixBits = Number(cidr?.split('/')[1]);
      return Number.isInteger(prefixBits) ? [{ address, prefixBits, isLoopback: internal }] : [];
    });
}
