/** The addresses that nodes report digits from: where each is asked now, and whatever else its name stands for. */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { plainAddress } from '../../wire/sdp-address.ts';

/** Whoever sends from anywhere makes no more work than this for the name server. */
const ASK_AGAIN_MS = 2000;

export interface ReportSourcesOptions {
  /** Addresses and names. */
  readonly hosts: readonly string[];
  /** Where nodes of that host are asked at this moment. */
  readonly controlAddresses: (host: string) => readonly string[];
  /** Every address of a name; rejects when there is none. Default: those of the system. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Monotonic time. Default: that of the system. */
  readonly nowMs?: () => number;
}

export class ReportSources {
  readonly #options: ReportSourcesOptions;
  readonly #names: readonly string[];
  readonly #known = new Map<string, readonly string[]>();
  #isAsking = false;
  #askedAtMs = -Infinity;

  constructor(options: ReportSourcesOptions) {
    this.#options = options;
    for (const host of options.hosts) {
      if (isIP(host) !== 0) this.#known.set(host, [host]);
    }
    this.#names = options.hosts.filter((host) => isIP(host) === 0);
    this.#askAgain();
  }

  /** An address that is not known, or not any more, makes the names be looked up again. */
  has(address: string): boolean {
    if ([...this.#known.values()].some((addresses) => addresses.includes(address))) return true;
    this.#askAgain();
    return this.#names.some((name) => this.#options.controlAddresses(name).includes(address));
  }

  #askAgain(): void {
    if (this.#names.length === 0) return;
    const nowMs = this.#options.nowMs?.() ?? performance.now();
    if (this.#isAsking || nowMs - this.#askedAtMs < ASK_AGAIN_MS) return;
    this.#isAsking = true;
    this.#askedAtMs = nowMs;
    void Promise.all(this.#names.map((name) => this.#ask(name))).finally(() => {
      this.#isAsking = false;
    });
  }

  async #ask(name: string): Promise<void> {
    const { resolve = systemAddresses } = this.#options;
    try {
      this.#known.set(name, await resolve(name));
    } catch {
      // The addresses of before may still be right.
    }
  }
}

async function systemAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => plainAddress(address));
}
