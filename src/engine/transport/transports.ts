import { familyOf, isWildcard } from './address.ts';
import type { Flow, ListenPoint } from './flow.ts';
import { Resolver } from './resolve.ts';
import { Routes } from './routes.ts';
import type { Route } from './routes.ts';
import { TcpTransport } from './tcp-transport.ts';
import type { RemotePoint, SendOutcome, TransportEvents } from './transport-events.ts';
import type { TransportLimits } from './transport-limits.ts';
import { UdpTransport } from './udp-transport.ts';

/** All listen points of the engine; the transactions know transports only through this. */
export class Transports {
  readonly listenPoints: readonly ListenPoint[];
  readonly routes: Routes;
  readonly #transports: readonly (UdpTransport | TcpTransport)[];

  private constructor(
    transports: readonly (UdpTransport | TcpTransport)[],
    limits: TransportLimits,
  ) {
    this.#transports = transports;
    this.listenPoints = transports.map(({ listenPoint }) => listenPoint);
    this.routes = new Routes(this.listenPoints, new Resolver(limits.resolveTimeoutMs));
  }

  /** Binds all of `points`, or none: @throws Error naming the listen point that could not be bound. */
  static async open(
    points: readonly ListenPoint[],
    limits: TransportLimits,
    events: TransportEvents,
  ): Promise<Transports> {
    const opened: (UdpTransport | TcpTransport)[] = [];
    try {
      for (const point of points) {
        // One after the other: the result keeps the order asked for, and a failure stops the rest.
        opened.push(await openTransport(point, limits, events));
      }
    } catch (error) {
      await Promise.all(opened.map(async (transport) => transport.close()));
      throw error;
    }
    return new Transports(opened, limits);
  }

  /** Sends a request on its route; failures that show only later are reported as `onPathFailure`. */
  async sendRequest(bytes: Buffer, route: Route): Promise<SendOutcome> {
    const transport = this.#transports.find(({ listenPoint }) => listenPoint === route.listenPoint);
    return await sendOn(transport, bytes, { remote: route.remote, isWatched: true });
  }

  /** Sends a response from where its request came in; a lost connection is replaced by one to `remote`. */
  async sendResponse(bytes: Buffer, flow: Flow, remote: RemotePoint): Promise<SendOutcome> {
    const transport = this.#transports.find(({ listenPoint }) => isOwnEnd(listenPoint, flow));
    return await sendOn(transport, bytes, { remote, isWatched: false });
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map(async (transport) => transport.close()));
  }
}

async function openTransport(
  point: ListenPoint,
  limits: TransportLimits,
  events: TransportEvents,
): Promise<UdpTransport | TcpTransport> {
  if (familyOf(point.address) === undefined) {
    throw new TypeError(`${nameOf(point)}: expected an IP address to listen on`);
  }
  try {
    if (point.protocol === 'udp') return await UdpTransport.open(point, limits, events);
    if (point.protocol === 'tcp') return await TcpTransport.open(point, limits, events);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${nameOf(point)} cannot be bound: ${why}`, { cause: error });
  }
  throw new TypeError(`${nameOf(point)}: transport not supported`);
}

async function sendOn(
  transport: UdpTransport | TcpTransport | undefined,
  bytes: Buffer,
  to: { readonly remote: RemotePoint; readonly isWatched: boolean },
): Promise<SendOutcome> {
  if (transport === undefined) return { type: 'failed', reason: 'no such listen point' };
  if (transport instanceof TcpTransport) return await transport.send(bytes, to.remote);
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
