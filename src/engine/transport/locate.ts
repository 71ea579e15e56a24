import { familyOf } from './address.ts';
import type { Destination, TransportProtocol } from './flow.ts';
import type { Resolver } from './resolve.ts';
import { isUnavailable, orderServices } from './service-order.ts';
import type { RemotePoint } from './transport-events.ts';

/** One address a request may be sent to. */
export interface Target extends RemotePoint {
  readonly protocol: TransportProtocol;
  readonly localPort?: number | undefined;
}

interface Server {
  readonly protocol: TransportProtocol;
  readonly host: string;
  readonly port: number;
}

const SERVICE_PREFIXES: Readonly<Record<TransportProtocol, string>> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
};
/** Servers of a domain whose addresses are asked for; more are not tried for one request anyway. */
const MAX_SERVERS = 8;

/**
 * Finds the servers of a domain (RFC 3263 §4.1, §4.2, without NAPTR):
 *
 *   the first of the asked transports with SRV records   those servers, in the order of RFC 2782
 *   a record that denies the service, and no other       nobody
 *   no SRV records                                       the addresses of the domain itself
 */
export class Locator {
  readonly #resolver: Resolver;
  readonly #random: () => number;

  constructor(resolver: Resolver, random: () => number = Math.random) {
    this.#resolver = resolver;
    this.#random = random;
  }

  /** @returns all addresses in the order in which they are to be tried, or why there is none. */
  async locate(destination: Destination): Promise<readonly Target[] | string> {
    const servers = await this.#serversOf(destination);
    if (servers.length === 0) return `dns: ${destination.address} offers no such service`;
    const found = await Promise.all(servers.map(async (server) => await this.#targetsOf(server)));
    const targets = found.flat();
    if (targets.length === 0) return `dns: no address for ${destination.address}`;
    const { connectionId, address, localPort } = destination;
    return targets.map((each) => ({
      ...each,
      ...(connectionId === undefined ? {} : { connectionId }),
      ...(localPort === undefined ? {} : { localPort }),
      // The certificate speaks for the domain that was asked for, not for its servers (RFC 5922 §4).
      ...(each.protocol === 'tls' || familyOf(address) === undefined ? { host: address } : {}),
    }));
  }

  async #serversOf(destination: Destination): Promise<readonly Server[]> {
    const { protocol, address, port, services = [] } = destination;
    const itself = [{ protocol, host: address, port }];
    if (services.length === 0 || familyOf(address) !== undefined) return itself;
    const answers = await Promise.all(
      services.map(async (service) => ({
        service,
        records: await this.#resolver.services(`${SERVICE_PREFIXES[service]}.${address}`),
      })),
    );
    const offered = answers.find(({ records }) => records.length > 0 && !isUnavailable(records));
    if (offered === undefined) {
      return answers.some(({ records }) => isUnavailable(records)) ? [] : itself;
    }
    return orderServices(offered.records, this.#random)
      .slice(0, MAX_SERVERS)
      .map((record) => ({ protocol: offered.service, host: record.name, port: record.port }));
  }

  async #targetsOf({ protocol, host, port }: Server): Promise<readonly Target[]> {
    const addresses = await this.#resolver.resolve(host);
    return addresses.map(({ address }) => ({ protocol, address, port }));
  }
}
