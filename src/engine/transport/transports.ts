import { familyOf, isWildcard } from './address.ts';
import type { Flow, ListenPoint } from './flow.ts';
import { Resolver } from './resolve.ts';
import type { LookUp } from './resolve.ts';
import { Routes } from './routes.ts';
import type { Route } from './routes.ts';
import { StreamTransport } from './stream-transport.ts';
import type { TlsSettings } from './tls-settings.ts';
import type { RemotePoint, SendOutcome, TransportEvents } from './transport-events.ts';
import type { TransportLimits } from './transport-limits.ts';
import { UdpTransport } from './udp-transport.ts';

/** What the transports need besides addresses. */
export interface Surroundings {
  /** Needed by listen points of TLS. */
  readonly tls?: TlsSettings | undefined;
  /** Absent: the names of this system. */
  readonly lookUp?: LookUp | undefined;
}

/** All listen points of the engine; the transactions know transports only through this. */
export class Transports {
  readonly listenPoints: readonly ListenPoint[];
  readonly routes: Routes;
  readonly #transports: readonly (UdpTransport | StreamTransport)[];

  private constructor(transports: readonly (UdpTransport | StreamTransport)[], resolver: Resolver) {
    this.#transports = transports;
    this.listenPoints = transports.map(({ listenPoint }) => listenPoint);
    this.routes = new Routes(this.listenPoints, resolver);
  }

  /** Binds all of `points`, or none: @throws Error naming the listen point that could not be bound. */
  static async open(
    points: readonly ListenPoint[],
    limits: TransportLimits,
    events: TransportEvents,
    surroundings: Surroundings = {},
  ): Promise<Transports> {
    const { tls, lookUp } = surroundings;
    const opened: (UdpTransport | StreamTransport)[] = [];
    try {
      for (const point of points) {
        // One after the other: the result keeps the order asked for, and a failure stops the rest.
        opened.push(await openTransport(point, limits, events, tls));
      }
    } catch (error) {
      await Promise.all(opened.map(async (transport) => transport.close()));
      throw error;
    }
    return new Transports(opened, new Resolver(limits.resolveTimeoutMs, lookUp));
  }

  /** Sends a request on its route; failures that show only later are reported as `onPathFailure`. */
  async sendRequest(bytes: Buffer, route: Route): Promise<SendOutcome> {
    const transport =
      this.#withConnection(route.remote.connectionId) ??
      this.#transports.find(({ listenPoint }) => listenPoint === route.listenPoint);
    return await sendOn(transport, bytes, { remote: route.remote, isWatched: true });
  }

  /** Opens the connection that a request on `route` will use; false when there is none. */
  async openRoute(route: Route): Promise<boolean> {
    const transport = this.#transports.find(({ listenPoint }) => listenPoint === route.listenPoint);
    return transport instanceof StreamTransport && (await transport.reach(route.remote));
  }

  /** Sends a response from where its request came in; a lost connection is replaced by one to `remote`. */
  async sendResponse(bytes: Buffer, flow: Flow, remote: RemotePoint): Promise<SendOutcome> {
    const transport = this.#transports.find(({ listenPoint }) => isOwnEnd(listenPoint, flow));
    return await sendOn(transport, bytes, { remote, isWatched: false });
  }

  /** Whether messages can leave on this connection. */
  isConnected(connectionId: number | undefined): boolean {
    return this.#withConnection(connectionId) !== undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map(async (transport) => transport.close()));
  }

  /** Several listen points may have the same address and transport; only one has the connection. */
  #withConnection(connectionId: number | undefined): StreamTransport | undefined {
    if (connectionId === undefined) return undefined;
    return this.#transports
      .filter((transport) => transport instanceof StreamTransport)
      .find((transport) => transport.isOpen(connectionId));
  }
}

async function openTransport(
  point: ListenPoint,
  limits: TransportLimits,
  events: TransportEvents,
  tls: TlsSettings | undefined,
): Promise<UdpTransport | StreamTransport> {
  if (familyOf(point.address) === undefined) {
    throw new TypeError(`${nameOf(point)}: expected an IP address to listen on`);
  }
  if (point.protocol === 'tls' && tls === undefined) {
    throw new TypeError(`${nameOf(point)}: expected a certificate and a key`);
  }
  try {
    if (point.protocol === 'udp') return await UdpTransport.open(point, limits, events);
    const security = point.protocol === 'tls' ? tls : undefined;
    return await StreamTransport.open(point, security, limits, events);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${nameOf(point)} cannot be bound: ${why}`, { cause: error });
  }
}

async function sendOn(
  transport: UdpTransport | StreamTransport | undefined,
  bytes: Buffer,
  to: { readonly remote: RemotePoint; readonly isWatched: boolean },
): Promise<SendOutcome> {
  if (transport === undefined) return { type: 'failed', reason: 'no such listen point' };
  if (transport instanceof StreamTransport) return await transport.send(bytes, to.remote);
  return await transport.send(bytes, to.remote, to.isWatched);
}

function isOwnEnd(point: ListenPoint, flow: Flow): boolean {
  if (point.protocol !== flow.protocol || point.port !== flow.localPort) return false;
  if (point.address === flow.localAddress) return true;
  return isWildcard(point.address) && familyOf(point.address) === familyOf(flow.localAddress);
}

function nameOf(point: ListenPoint): string {
  return `${point.protocol}/${point.address}:${point.port}`;
}
