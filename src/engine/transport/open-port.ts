import { familyOf } from './address.ts';
import type { Flow, ListenPoint } from './flow.ts';
import { StreamTransport } from './stream-transport.ts';
import type { HandshakeFailure, TransportEvents } from './transport-events.ts';
import type { PortSettings } from './transport-limits.ts';
import { UdpTransport } from './udp-transport.ts';

/** An engine as its listen points see it. */
export interface PortUser extends TransportEvents {
  /** Whether a message belongs to a dialog or answers a request of this engine: a cheap guess. */
  isUnderWay(bytes: Buffer): boolean;
  /** Whether a message repeats, acknowledges or cancels a request that this engine answers. */
  hasTransaction(bytes: Buffer): boolean;
}

/**
 * One bound listen point, which engines of a thread hand to each other without closing it.
 *
 *   message ─┬─ of something under way at a former owner ─► that one
 *            └─ any other ─┬─ there is an owner ──────────► the owner
 *                          └─ none ───────────────────────► the last owner, which takes nothing new
 *
 * Before the first owner comes it lets nothing in. It is closed when neither owner nor former owner is left.
 */
export class OpenPort implements TransportEvents {
  /** The port as it was asked for, with the one that was bound in place of 0. */
  readonly name: string;
  readonly transport: UdpTransport | StreamTransport;
  readonly #onClosed: (port: OpenPort) => void;
  #owner: PortUser | undefined;
  /** Oldest first. */
  #former: readonly PortUser[] = [];
  /** Changes under way that count on it. */
  #reservations = 0;

  private constructor(
    transport: UdpTransport | StreamTransport,
    name: string,
    onClosed: (port: OpenPort) => void,
  ) {
    this.transport = transport;
    this.name = name;
    this.#onClosed = onClosed;
  }

  /** @throws Error naming the listen point, of the system or OpenSSL. */
  static async bind(
    point: ListenPoint,
    settings: PortSettings,
    onClosed: (port: OpenPort) => void,
  ): Promise<OpenPort> {
    let port: OpenPort | undefined;
    const events: TransportEvents = {
      isAdmitted: (bytes, address) => port?.isAdmitted(bytes, address) ?? false,
      isConnectionAdmitted: (address, open) => port?.isConnectionAdmitted(address, open) ?? false,
      onMessage: (bytes, flow) => port?.onMessage(bytes, flow),
      onBroken: (head, problem, flow) => port?.onBroken(head, problem, flow),
      onPathFailure: (flow, reason) => port?.onPathFailure(flow, reason),
      onHandshakeFailed: (failure) => port?.onHandshakeFailed(failure),
    };
    const transport = await openTransport(point, settings, events);
    const name = portName({ ...point, port: transport.listenPoint.port });
    port = new OpenPort(transport, name, onClosed);
    return port;
  }

  get listenPoint(): ListenPoint {
    return this.transport.listenPoint;
  }

  /** `user` gets what is new from now on; who had it before keeps what is under way. */
  own(user: PortUser): void {
    if (this.#owner === user) return;
    const before = this.#owner === undefined ? [] : [this.#owner];
    this.#former = [...this.#former, ...before].filter((each) => each !== user);
    this.#owner = user;
  }

  /** `user` takes nothing new any more. */
  retire(user: PortUser): void {
    if (this.#owner !== user) return;
    this.#owner = undefined;
    this.#former = [...this.#former, user];
  }

  /** `user` has nothing under way here any more; the last one closes the socket. */
  async leave(user: PortUser): Promise<void> {
    if (this.#owner === user) this.#owner = undefined;
    this.#former = this.#former.filter((each) => each !== user);
    await this.closeUnused();
  }

  /** Keeps the socket open until `release`. */
  reserve(): void {
    this.#reservations += 1;
  }

  async release(): Promise<void> {
    this.#reservations -= 1;
    await this.closeUnused();
  }

  /** Closes the socket unless somebody has it. */
  async closeUnused(): Promise<void> {
    const isUsed = this.#owner !== undefined || this.#former.length > 0;
    if (isUsed || this.#reservations > 0) return;
    this.#onClosed(this);
    await this.transport.close();
  }

  isAdmitted(bytes: Buffer, remoteAddress: string): boolean {
    const user = this.#former.find((each) => each.isUnderWay(bytes)) ?? this.#newest;
    if (user === undefined) return false;
    return user.isAdmitted?.(bytes, remoteAddress) ?? true;
  }

  isConnectionAdmitted(remoteAddress: string, open: number): boolean {
    const user = this.#newest;
    if (user === undefined) return false;
    return user.isConnectionAdmitted?.(remoteAddress, open) ?? true;
  }

  onMessage(bytes: Buffer, flow: Flow): void {
    const former = this.#former.find(
      (each) => each.isUnderWay(bytes) || each.hasTransaction(bytes),
    );
    (former ?? this.#newest)?.onMessage(bytes, flow);
  }

  onBroken(
    head: Buffer | undefined,
    problem: { reason: string; status: number },
    flow: Flow,
  ): void {
    this.#newest?.onBroken(head, problem, flow);
  }

  onPathFailure(flow: Flow, reason: string): void {
    for (const former of this.#former) former.onPathFailure(flow, reason);
    this.#owner?.onPathFailure(flow, reason);
  }

  onHandshakeFailed(failure: HandshakeFailure): void {
    this.#newest?.onHandshakeFailed?.(failure);
  }

  get #newest(): PortUser | undefined {
    return this.#owner ?? this.#former.at(-1);
  }
}

/** The listen points that engines of one thread have bound. */
export class PortTable {
  readonly #ports = new Map<string, OpenPort>();

  /** The bound listen point, which may be in use by somebody. */
  find(point: ListenPoint): OpenPort | undefined {
    return this.#ports.get(portName(point));
  }

  /** Binds a listen point that nobody owns yet; @throws like {@link OpenPort.bind}. */
  async bind(point: ListenPoint, settings: PortSettings): Promise<OpenPort> {
    const port = await OpenPort.bind(point, settings, (closed) => {
      if (this.#ports.get(closed.name) === closed) this.#ports.delete(closed.name);
    });
    this.#ports.set(port.name, port);
    return port;
  }
}

/** `udp/192.0.2.1:5060` */
export function portName(point: ListenPoint): string {
  return `${point.protocol}/${point.address}:${point.port}`;
}

async function openTransport(
  point: ListenPoint,
  { limits, tls }: PortSettings,
  events: TransportEvents,
): Promise<UdpTransport | StreamTransport> {
  if (familyOf(point.address) === undefined) {
    throw new TypeError(`${portName(point)}: expected an IP address to listen on`);
  }
  if (point.protocol === 'tls' && tls === undefined) {
    throw new TypeError(`${portName(point)}: expected a certificate and a key`);
  }
  try {
    if (point.protocol === 'udp') return await UdpTransport.open(point, limits, events);
    const security = point.protocol === 'tls' ? tls : undefined;
    return await StreamTransport.open(point, security, limits, events);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${portName(point)} cannot be bound: ${why}`, { cause: error });
  }
}
