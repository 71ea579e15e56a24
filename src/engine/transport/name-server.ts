import { Resolver, lookup } from 'node:dns/promises';
import type { LookUp } from './resolve.ts';

/** How long the life of an answer is waited for: the address itself is there already. */
const TTL_TIMEOUT_MS = 500;
const SERVICE_TIMEOUT_MS = 1000;

/**
 * The names of this system: addresses by getaddrinfo, which knows /etc/hosts and every other source the system is
 * set up with but no TTL; the TTL and SRV records by DNS.
 */
export const systemLookUp: LookUp = {
  addresses: async (host) => {
    const [found, ttlSeconds] = await Promise.all([
      lookup(host, { all: true, order: 'verbatim' }),
      ttlOf(host),
    ]);
    return found.map(({ address }) =>
      ttlSeconds === undefined ? { address } : { address, ttlSeconds },
    );
  },
  services: async (name) => {
    const resolver = new Resolver({ timeout: SERVICE_TIMEOUT_MS, tries: 2 });
    return await resolver.resolveSrv(name);
  },
};

/** The shortest TTL of the host's addresses; undefined where DNS has none, as for a name of /etc/hosts. */
async function ttlOf(host: string): Promise<number | undefined> {
  if (!host.includes('.')) return undefined;
  const resolver = new Resolver({ timeout: TTL_TIMEOUT_MS, tries: 1 });
  const timer = setTimeout(() => {
    resolver.cancel();
  }, TTL_TIMEOUT_MS);
  const answers = await Promise.allSettled([
    resolver.resolve4(host, { ttl: true }),
    resolver.resolve6(host, { ttl: true }),
  ]);
  clearTimeout(timer);
  const ttls = answers
    .flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    .map(({ ttl }) => ttl);
  return ttls.length === 0 ? undefined : Math.min(...ttls);
}
