import { createSocket } from 'node:dgram';
import { familyOf, isWildcard } from './address.ts';
import type { AddressFamily } from './address.ts';
import type { Destination, ListenPoint, TransportProtocol } from './flow.ts';
import { Locator } from './locate.ts';
import type { Target } from './locate.ts';
import { PeerMemory } from './peer-memory.ts';
import type { Resolver } from './resolve.ts';
import type { RemotePoint } from './transport-events.ts';
import { closeUdp, connectUdp } from './udp-socket.ts';

/** How a destination is reached: from which listen point, under which own address, to which address. */
export interface Route {
  readonly listenPoint: ListenPoint;
  /** The listen point with the address peers can reach in place of a wildcard. */
  readonly local: ListenPoint;
  readonly remote: RemotePoint;
}

/** One request is sent to so many addresses at most. */
export const MAX_TARGETS = 8;
const SOURCE_LIFE_MS = 60_000;
const MAX_SOURCES = 1024;
/** An address that could not be reached is tried after the others for so long. */
const UNREACHABLE_MS = 30_000;

/** Chooses the own end for each destination. */
export class Routes {
  #listenPoints: readonly ListenPoint[];
  /** For what is under way on them. */
  #retiring: readonly ListenPoint[] = [];
  readonly #locator: Locator;
  readonly #unreachable = new PeerMemory(UNREACHABLE_MS);
  readonly #sources = new Map<string, { readonly address: string; readonly expiresAtMs: number }>();

  constructor(listenPoints: readonly ListenPoint[], resolver: Resolver) {
    this.#listenPoints = listenPoints;
    this.#locator = new Locator(resolver);
  }

  /** @param retiring serve destinations that name their port, and all if there is no other listen point at all. */
  setListenPoints(points: readonly ListenPoint[], retiring: readonly ListenPoint[]): void {
    this.#listenPoints = points;
    this.#retiring = retiring;
  }

  /** The listen point that will most likely serve `destination`, known without asking anyone. */
  guess({ protocol, address, localPort }: Destination): ListenPoint | undefined {
    const candidates = this.#candidates({ protocol, localPort }, familyOf(address));
    return candidates.find(({ port }) => port === localPort) ?? candidates[0];
  }

  /** Whether `target` can be reached over `protocol` at all. */
  serves(protocol: TransportProtocol, target: Target): boolean {
    const { localPort } = target;
    return this.#candidates({ protocol, localPort }, familyOf(target.address)).length > 0;
  }

  /** The addresses of `destination` in the order in which they are to be tried, or what stands in the way. */
  async targets(destination: Destination): Promise<readonly Target[] | string> {
    const { protocol, address } = destination;
    if (this.#candidates(destination).length === 0) return `no ${protocol} transport`;
    const found = await this.#locate(destination);
    if (typeof found === 'string') return found;
    const usable = unique(found.filter((target) => this.serves(target.protocol, target)));
    if (usable.length === 0) return `no ${protocol} transport for the addresses of ${address}`;
    const nowMs = performance.now();
    const rankOf = (target: Target): number => this.#rankOf(target, destination, nowMs);
    return usable.toSorted((one, other) => rankOf(one) - rankOf(other)).slice(0, MAX_TARGETS);
  }

  async #locate(destination: Destination): Promise<readonly Target[] | string> {
    const found = await this.#locator.locate(destination);
    const { protocol, lastResort } = destination;
    if (lastResort === undefined) return found;
    const last = { protocol, ...lastResort };
    return typeof found === 'string' ? [last] : [...found.slice(0, MAX_TARGETS - 1), last];
  }

  /** The lowest is tried first; among equals DNS decides. */
  #rankOf(target: Target, { preferred, lastResort }: Destination, nowMs: number): number {
    if (target.connectionId !== undefined && target.connectionId === lastResort?.connectionId) {
      return 4;
    }
    if (target.address === preferred?.address) return target.port === preferred.port ? 0 : 1;
    return this.#unreachable.has(nameOf(target), nowMs) ? 3 : 2;
  }

  /** Nothing came of a request to `target`. */
  noteUnreachable(target: Target): void {
    this.#unreachable.note(nameOf(target), performance.now());
  }

  /** The way to the address that is tried first, or what stands in the way. */
  async find(destination: Destination): Promise<Route | string> {
    const targets = await this.targets(destination);
    if (typeof targets === 'string') return targets;
    const [first] = targets;
    if (first === undefined) throw new RangeError('expected a target');
    return await this.routeTo(first);
  }

  /** @throws RangeError when no listen point serves `target`. */
  async routeTo(target: Target): Promise<Route> {
    const { localPort } = target;
    const remote = remoteOf(target);
    const all = this.#candidates(target, familyOf(target.address));
    const bound = all.filter(({ port }) => port === localPort);
    const candidates = bound.length > 0 ? bound : all;
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

  #candidates(
    { protocol, localPort }: Pick<Target, 'protocol' | 'localPort'>,
    family?: AddressFamily,
  ): readonly ListenPoint[] {
    const fits = (point: ListenPoint): boolean =>
      point.protocol === protocol && (family === undefined || familyOf(point.address) === family);
    const isLeft = this.#listenPoints.length === 0;
    const retiring = this.#retiring.filter(({ port }) => isLeft || port === localPort);
    return [...this.#listenPoints, ...retiring].filter(fits);
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

function unique(targets: readonly Target[]): readonly Target[] {
  return [...new Map(targets.map((target) => [nameOf(target), target])).values()];
}

function remoteOf({ address, port, connectionId, host }: Target): RemotePoint {
  return {
    address,
    port,
    ...(connectionId === undefined ? {} : { connectionId }),
    ...(host === undefined ? {} : { host }),
  };
}

function nameOf({ protocol, address, port }: Target): string {
  return `${protocol}/${address}/${port}`;
}
