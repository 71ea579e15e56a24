import { createSocket } from 'node:dgram';
import { familyOf, isWildcard } from './address.ts';
import type { AddressFamily } from './address.ts';
import type { Destination, ListenPoint } from './flow.ts';
import { closeUdp, connectUdp } from './udp-socket.ts';
import type { RemotePoint } from './transport-events.ts';
import type { Resolver } from './resolve.ts';

/** How a destination is reached: from which listen point, under which own address, to which address. */
export interface Route {
  readonly listenPoint: ListenPoint;
  /** The listen point with the address peers can reach in place of a wildcard. */
  readonly local: ListenPoint;
  readonly remote: RemotePoint;
}

const SOURCE_LIFE_MS = 60_000;
const MAX_SOURCES = 1024;

/** Chooses the own end for each destination. */
export class Routes {
  readonly #listenPoints: readonly ListenPoint[];
  readonly #resolver: Resolver;
  readonly #sources = new Map<string, { readonly address: string; readonly expiresAtMs: number }>();

  constructor(listenPoints: readonly ListenPoint[], resolver: Resolver) {
    this.#listenPoints = listenPoints;
    this.#resolver = resolver;
  }

  /** The listen point that will most likely serve `destination`, known without asking anyone. */
  guess(destination: Destination): ListenPoint | undefined {
    return this.#candidates(destination, familyOf(destination.address))[0];
  }

  /** @returns what stands in the way instead of a route. */
  async find(destination: Destination): Promise<Route | string> {
    if (this.#candidates(destination).length === 0) {
      return `no ${destination.protocol} transport`;
    }
    const addresses = await this.#resolver.resolve(destination.address);
    if (addresses.length === 0) return `dns: no address for ${destination.address}`;
    const usable = addresses.find(({ family }) => this.#candidates(destination, family).length > 0);
    if (usable === undefined) {
      return `no ${destination.protocol} transport for the addresses of ${destination.address}`;
    }
    const remote = { ...destination, address: usable.address };
    return await this.#choose(this.#candidates(destination, usable.family), remote);
  }

  #candidates(destination: Destination, family?: AddressFamily): readonly ListenPoint[] {
    return this.#listenPoints.filter(
      (point) =>
        point.protocol === destination.protocol &&
        (family === undefined || familyOf(point.address) === family),
    );
  }

  async #choose(candidates: readonly ListenPoint[], remote: RemotePoint): Promise<Route> {
    const [first] = candidates;
    if (first === undefined) throw new RangeError('expected a candidate');
    if (candidates.length === 1 && !isWildcard(first.address)) {
      return { listenPoint: first, local: first, remote };
    }
    const source = await this.#sourceAddress(remote);
    const exact = candidates.find((point) => point.address === source);
    const listenPoint = exact ?? candidates.find((point) => isWildcard(point.address)) ?? first;
    const address = isWildcard(listenPoint.address) ? source : listenPoint.address;
    return { listenPoint, local: { ...listenPoint, address }, remote };
  }

  /** The own address the system would use towards `remote`: a connected UDP socket knows, nothing is sent. */
  async #sourceAddress(remote: RemotePoint): Promise<string> {
    const known = this.#sources.get(remote.address);
    if (known !== undefined && known.expiresAtMs > performance.now()) return known.address;
    const isIpv6 = familyOf(remote.address) === 6;
    const socket = createSocket(isIpv6 ? 'udp6' : 'udp4');
    let address = isIpv6 ? '::1' : '127.0.0.1';
    try {
      await connectUdp(socket, { address: remote.address, port: 9 });
      address = socket.address().address;
    } catch {
      // No way there: sending will say so.
    }
    await closeUdp(socket);
    if (this.#sources.size >= MAX_SOURCES) this.#sources.clear();
    this.#sources.set(remote.address, { address, expiresAtMs: performance.now() + SOURCE_LIFE_MS });
    return address;
  }
}
