/** Where a node is: its address, or what its name stands for, asked for when told to and not per request. */

import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { DEADLINE_MS } from './ng-exchange.ts';
import type { NgTarget } from './ng-exchange.ts';

export interface NodeAddressOptions {
  /** IPv4 address or name. */
  readonly host: string;
  readonly port: number;
  /** The IPv4 address of a name; rejects when there is none. Default: that of the system. */
  readonly resolve?: (host: string) => Promise<string>;
}

export class NodeAddress {
  readonly #options: NodeAddressOptions;
  #target: NgTarget | undefined;
  #asking: Promise<void> | undefined;

  constructor(options: NodeAddressOptions) {
    this.#options = options;
  }

  /** `undefined` as long as the name has no address. */
  get target(): NgTarget | undefined {
    return this.#target;
  }

  /** Asks what the name stands for now. Waits as long as for an engine; a slower answer counts later. */
  async refresh(): Promise<void> {
    // A name server may be silent for long; it is not asked again meanwhile.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DEADLINE_MS).unref();
    });
    await Promise.race([this.#asking, late]);
    clearTimeout(timer);
  }

  async #ask(): Promise<void> {
    const { host, port, resolve = systemAddress } = this.#options;
    try {
      const address = isIPv4(host) ? host : await resolve(host);
      this.#target = { address, port };
    } catch {
      // The address of before may still be right; without one the node stays down.
    }
  }
}

async function systemAddress(host: string): Promise<string> {
  const { address } = await lookup(host, { family: 4 });
  return address;
}
