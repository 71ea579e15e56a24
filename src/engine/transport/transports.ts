import { familyOf, isWildcard } from './address.ts';
import type { Flow, ListenPoint } from './flow.ts';
import { type OpenPort, PortTable, type PortUser } from './open-port.ts';
import { Resolver } from './resolve.ts';
import type { LookUp } from './resolve.ts';
import { Routes } from './routes.ts';
import type { Route } from './routes.ts';
import { StreamTransport } from './stream-transport.ts';
import type { RemotePoint, SendOutcome } from './transport-events.ts';
import type { PortSettings } from './transport-limits.ts';
import type { UdpTransport } from './udp-transport.ts';

/** What the transports need besides addresses. */
export interface Surroundings extends PortSettings {
  /** What the engines of this thread have bound; absent: there is no other one. */
  readonly ports?: PortTable | undefined;
  /** Absent: the names of this system. */
  readonly lookUp?: LookUp | undefined;
}

/** All listen points of the engine; the transactions know transports only through this. */
export class Transports {
  readonly routes: Routes;
  readonly #user: PortUser;
  #served: readonly OpenPort[] = [];
  /** Left out of what is served; they go on for what is under way on them. */
  #retiring: readonly OpenPort[] = [];
  #listenPoints: readonly ListenPoint[] = [];

  private constructor(user: PortUser, resolver: Resolver) {
    this.#user = user;
    this.routes = new Routes([], resolver);
  }

  /** Binds all of `points`, or none: @throws Error naming the listen point that could not be bound. */
  static async open(
    points: readonly ListenPoint[],
    user: PortUser,
    surroundings: Surroundings,
  ): Promise<Transports> {
    const { ports = new PortTable(), limits, lookUp } = surroundings;
    const opened: OpenPort[] = [];
    try {
      for (const point of points) {
        // One after the other: the result keeps the order asked for, and a failure stops the rest.
        opened.push(await ports.bind(point, surroundings));
      }
    } catch (error) {
      await Promise.all(opened.map(async (port) => port.closeUnused()));
      throw error;
    }
    const transports = new Transports(user, new Resolver(limits.resolveTimeoutMs, lookUp));
    transports.serve(opened, surroundings);
    return transports;
  }

  /** Those served first, in the order asked for, then those that go on for what is under way on them. */
  get listenPoints(): readonly ListenPoint[] {
    return this.#listenPoints;
  }

  get retiring(): readonly OpenPort[] {
    return this.#retiring;
  }

  /** Takes new requests on `ports` from now on, and on no others. */
  serve(ports: readonly OpenPort[], settings: PortSettings): void {
    const before = [...this.#served, ...this.#retiring];
    this.#served = ports;
    this.#retiring = before.filter((port) => !ports.includes(port));
    for (const port of ports) {
      port.own(this.#user);
      if (port.transport instanceof StreamTransport) port.transport.configure(settings);
    }
    for (const port of this.#retiring) port.retire(this.#user);
    this.#tellRoutes();
  }

  /** Nothing is under way on a retiring port any more. */
  async leave(port: OpenPort): Promise<void> {
    this.#retiring = this.#retiring.filter((each) => each !== port);
    this.#tellRoutes();
    await port.leave(this.#user);
  }

  /** Whether nothing new may begin where `flow` came in. */
  isRetiring(flow: Flow): boolean {
    return this.#retiring.some(({ listenPoint }) => isOwnEnd(listenPoint, flow));
  }

  /** Sends a request on its route; failures that show only later are reported as `onPathFailure`. */
  async sendRequest(bytes: Buffer, route: Route): Promise<SendOutcome> {
    const transport =
      this.#withConnection(route.remote.connectionId) ??
      this.#find((listenPoint) => listenPoint === route.listenPoint);
    return await sendOn(transport, bytes, { remote: route.remote, isWatched: true });
  }

  /** Opens the connection that a request on `route` will use; false when there is none. */
  async openRoute(route: Route): Promise<boolean> {
    const transport = this.#find((listenPoint) => listenPoint === route.listenPoint);
    return transport instanceof StreamTransport && (await transport.reach(route.remote));
  }

  /** Sends a response from where its request came in; a lost connection is replaced by one to `remote`. */
  async sendResponse(bytes: Buffer, flow: Flow, remote: RemotePoint): Promise<SendOutcome> {
    const transport = this.#find((listenPoint) => isOwnEnd(listenPoint, flow));
    return await sendOn(transport, bytes, { remote, isWatched: false });
  }

  /** Whether messages can leave on this connection. */
  isConnected(connectionId: number | undefined): boolean {
    return this.#withConnection(connectionId) !== undefined;
  }

  async close(): Promise<void> {
    const ports = [...this.#served, ...this.#retiring];
    this.#served = [];
    this.#retiring = [];
    await Promise.all(ports.map(async (port) => port.leave(this.#user)));
  }

  #tellRoutes(): void {
    const served = pointsOf(this.#served);
    const retiring = pointsOf(this.#retiring);
    this.#listenPoints = [...served, ...retiring];
    this.routes.setListenPoints(served, retiring);
  }

  #find(isWanted: (listenPoint: ListenPoint) => boolean): OpenPort['transport'] | undefined {
    const served = this.#served.find((port) => isWanted(port.listenPoint));
    return (served ?? this.#retiring.find((port) => isWanted(port.listenPoint)))?.transport;
  }

  /** Several listen points may have the same address and transport; only one has the connection. */
  #withConnection(connectionId: number | undefined): StreamTransport | undefined {
    if (connectionId === undefined) return undefined;
    return [...this.#served, ...this.#retiring]
      .map(({ transport }) => transport)
      .filter((transport) => transport instanceof StreamTransport)
      .find((transport) => transport.isOpen(connectionId));
  }
}

function pointsOf(ports: readonly OpenPort[]): readonly ListenPoint[] {
  return ports.map(({ listenPoint }) => listenPoint);
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

/** Whether what came by `flow` came in at `point`. */
export function isOwnEnd(
  point: ListenPoint,
  flow: Pick<Flow, 'protocol' | 'localAddress' | 'localPort'>,
): boolean {
  if (point.protocol !== flow.protocol || point.port !== flow.localPort) return false;
  if (point.address === flow.localAddress) return true;
  return isWildcard(point.address) && familyOf(point.address) === familyOf(flow.localAddress);
}
