import { lookup } from 'node:dns/promises';
import { familyOf } from './address.ts';
import type { AddressFamily } from './address.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: AddressFamily;
}

/** Asks for all addresses of a host; rejects when there is none. */
export type LookUp = (host: string) => Promise<readonly { readonly address: string }[]>;

interface Answer {
  readonly addresses: Promise<readonly ResolvedAddress[]>;
  readonly expiresAtMs: number;
}

const ANSWER_LIFE_MS = 30_000;
const FAILURE_LIFE_MS = 1000;
const MAX_ANSWERS = 1024;

/**
 * Turns host names into addresses (A and AAAA, RFC 3263 §4.2), with a short memory: a busy trunk asks once, not
 * once per call, and a name server that is silent does not fill the look-up threads.
 */
export class Resolver {
  readonly #answers = new Map<string, Answer>();
  readonly #timeoutMs: number;
  readonly #lookUp: LookUp;

  constructor(timeoutMs: number, lookUp: LookUp = askSystem) {
    this.#timeoutMs = timeoutMs;
    this.#lookUp = lookUp;
  }

  /** The addresses of `host` in the order the system prefers; empty when there is none or no answer in time. */
  async resolve(host: string): Promise<readonly ResolvedAddress[]> {
    const family = familyOf(host);
    if (family !== undefined) return [{ address: host, family }];
    const key = host.toLowerCase();
    const nowMs = performance.now();
    const known = this.#answers.get(key);
    if (known !== undefined && known.expiresAtMs > nowMs) return await known.addresses;
    const addresses = this.#ask(key);
    this.#remember(key, { addresses, expiresAtMs: nowMs + ANSWER_LIFE_MS });
    if ((await addresses).length === 0) {
      this.#remember(key, { addresses, expiresAtMs: performance.now() + FAILURE_LIFE_MS });
    }
    return await addresses;
  }

  async #ask(host: string): Promise<readonly ResolvedAddress[]> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<readonly ResolvedAddress[]>((resolve) => {
      timer = setTimeout(() => {
        resolve([]);
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([found(this.#lookUp(host)), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #remember(host: string, answer: Answer): void {
    const oldest = this.#answers.keys().next().value;
    if (this.#answers.size >= MAX_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.delete(host);
    this.#answers.set(host, answer);
  }
}

async function found(answer: ReturnType<LookUp>): Promise<readonly ResolvedAddress[]> {
  try {
    return (await answer).flatMap(({ address }) => {
      const family = familyOf(address);
      return family === undefined ? [] : [{ address, family }];
    });
  } catch {
    return [];
  }
}

function askSystem(host: string): ReturnType<LookUp> {
  return lookup(host, { all: true, order: 'verbatim' });
}
