import { familyOf } from './address.ts';
import type { AddressFamily } from './address.ts';
import { AnswerCache } from './answer-cache.ts';
import type { Answer } from './answer-cache.ts';
import { systemLookUp } from './name-server.ts';
import type { ServiceRecord } from './service-order.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: AddressFamily;
}

/** Asks a name server; both reject when there is nothing. */
export interface LookUp {
  /** All addresses of a host, best first. */
  addresses(
    host: string,
  ): Promise<readonly { readonly address: string; readonly ttlSeconds?: number }[]>;
  /** The SRV records of a service, such as `_sip._udp.example.com`, in any order. */
  services(name: string): Promise<readonly ServiceRecord[]>;
}

/** Life of an answer without TTL, and of the news that a domain has no such service. */
const ANSWER_LIFE_MS = 30_000;
/** However long a TTL is: a trunk that has moved is found again after this. */
const MAX_LIFE_MS = 300_000;
/** A TTL of 0 still serves those who asked meanwhile. */
const MIN_LIFE_MS = 1000;
const FAILURE_LIFE_MS = 1000;
/** Records of one service that are looked at. */
const MAX_RECORDS = 64;

/**
 * Turns host names into addresses and services into hosts (RFC 3263 §4), with a memory as long as the answers hold:
 * a busy trunk asks once, not once per call, and a name server that is silent does not fill the look-up threads.
 */
export class Resolver {
  readonly #timeoutMs: number;
  readonly #lookUp: LookUp;
  readonly #addresses = new AnswerCache(async (host) => await this.#askAddresses(host));
  readonly #services = new AnswerCache(async (name) => await this.#askServices(name));

  constructor(timeoutMs: number, lookUp: LookUp = systemLookUp) {
    this.#timeoutMs = timeoutMs;
    this.#lookUp = lookUp;
  }

  /** The addresses of `host` in the order the system prefers; empty when there is none or no answer in time. */
  async resolve(host: string): Promise<readonly ResolvedAddress[]> {
    const family = familyOf(host);
    if (family !== undefined) return [{ address: host, family }];
    return await this.#addresses.get(host.toLowerCase());
  }

  /** The SRV records of `name`; empty when there is none or no answer in time. */
  async services(name: string): Promise<readonly ServiceRecord[]> {
    return await this.#services.get(name.toLowerCase());
  }

  async #askAddresses(host: string): Promise<Answer<readonly ResolvedAddress[]>> {
    const found = await this.#inTime(() => this.#lookUp.addresses(host));
    const value = found.flatMap(({ address }) => {
      const family = familyOf(address);
      return family === undefined ? [] : [{ address, family }];
    });
    if (value.length === 0) return { value, lifeMs: FAILURE_LIFE_MS };
    const ttls = found.flatMap(({ ttlSeconds }) => ttlSeconds ?? []);
    const lifeMs = ttls.length === 0 ? ANSWER_LIFE_MS : Math.min(...ttls) * 1000;
    return { value, lifeMs: Math.min(MAX_LIFE_MS, Math.max(MIN_LIFE_MS, lifeMs)) };
  }

  /** Most hosts have no SRV record, and a name server that drops the question must not delay every call. */
  async #askServices(name: string): Promise<Answer<readonly ServiceRecord[]>> {
    const found = await this.#inTime(() => this.#lookUp.services(name));
    const byPriority = found.toSorted((one, other) => one.priority - other.priority);
    return { value: byPriority.slice(0, MAX_RECORDS), lifeMs: ANSWER_LIFE_MS };
  }

  async #inTime<Item>(ask: () => Promise<readonly Item[]>): Promise<readonly Item[]> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<readonly Item[]>((resolve) => {
      timer = setTimeout(() => {
        resolve([]);
      }, this.#timeoutMs);
    });
    try {
      return await Promise.race([ask(), timeout]);
    } catch {
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}
