import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { formatHostPort } from '../../wire/sip-uri.ts';
import { familyOf, plainAddress } from './address.ts';
import type { ListenPoint } from './flow.ts';
import { SourceTally } from './source-tally.ts';
import { StreamConnection } from './stream-connection.ts';
import type { ConnectionOwner } from './stream-connection.ts';
import { PlainStreams } from './stream-security.ts';
import type { StreamSecurity } from './stream-security.ts';
import { reasonOf } from './tls-handshakes.ts';
import type { TlsSettings } from './tls-settings.ts';
import { TlsStreams } from './tls-streams.ts';
import type {
  HandshakeFailure,
  RemotePoint,
  SendOutcome,
  TransportEvents,
} from './transport-events.ts';
import type { PortSettings, TransportLimits } from './transport-limits.ts';

let lastConnectionId = 0;

/** Failed handshakes told in one period; a scanner must not fill the log. */
const MAX_REPORTS = 20;
const REPORT_PERIOD_MS = 10_000;

/**
 * SIP over TCP or TLS on one own address (RFC 3261 §18, §26): a listener, and the connections in both directions.
 *
 * A message goes to the connection it names, else to an open one with that peer address and port, else to a new one.
 * With TLS an open connection serves only the host whose name was checked on it.
 */
export class StreamTransport implements ConnectionOwner {
  readonly listenPoint: ListenPoint;
  readonly events: TransportEvents;
  readonly #server: Server;
  #limits: TransportLimits;
  #tls: TlsSettings | undefined;
  #security: StreamSecurity;
  readonly #connections = new Map<number, StreamConnection>();
  /** Connections by peer, or the attempt to open one. */
  readonly #byPeer = new Map<string, StreamConnection | Promise<StreamConnection | Error>>();
  readonly #connecting = new Set<Socket>();
  /** Open connections that peers opened, by their address. */
  readonly #bySource = new SourceTally();
  #reports = { sinceMs: 0, count: 0 };
  #isClosed = false;

  private constructor(
    server: Server,
    tls: TlsSettings | undefined,
    limits: TransportLimits,
    events: TransportEvents,
  ) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('expected a TCP server');
    const protocol = tls === undefined ? 'tcp' : 'tls';
    this.listenPoint = { protocol, address: bound.address, port: bound.port };
    this.#limits = limits;
    this.#tls = tls;
    this.events = events;
    this.#server = server;
    this.#security = this.#secure();
    server.on('connection', (socket) => {
      this.#accept(socket);
    });
    // A connection that failed while it was accepted is no reason to stop listening.
    server.on('error', () => undefined);
  }

  /**
   * Listens for TLS when there are `tls` settings, else for TCP.
   *
   * @throws Error of the system when the address cannot be bound, of OpenSSL when the certificate is unusable.
   */
  static async open(
    point: ListenPoint,
    tls: TlsSettings | undefined,
    limits: TransportLimits,
    events: TransportEvents,
  ): Promise<StreamTransport> {
    const server = createServer();
    server.listen({
      host: point.address,
      port: point.port,
      ipv6Only: familyOf(point.address) === 6,
      exclusive: true,
    });
    await once(server, 'listening');
    try {
      return new StreamTransport(server, tls, limits, events);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  get limits(): TransportLimits {
    return this.#limits;
  }

  /**
   * Treats connections in another way from now on; those that stand keep their security. Unchanged settings cost nothing.
   *
   * @throws Error of OpenSSL when the certificate is unusable; everything is as before then.
   */
  configure({ limits, tls }: PortSettings): void {
    const isPaceNew = limits.pingIntervalMs !== this.#limits.pingIntervalMs;
    this.#limits = limits;
    if (isPaceNew) for (const connection of this.#connections.values()) connection.pingAnew();
    if (this.#tls === undefined || tls === undefined || isSameTls(tls, this.#tls)) return;
    const [before, settings] = [this.#security, this.#tls];
    this.#tls = tls;
    try {
      this.#security = this.#secure();
    } catch (error) {
      this.#tls = settings;
      throw error;
    }
    // Handshakes under way are brought to their end with the certificate they began with.
    setTimeout(() => before.close(), limits.handshakeTimeoutMs).unref();
  }

  async send(bytes: Buffer, remote: RemotePoint): Promise<SendOutcome> {
    const open = this.#openConnection(remote);
    if (open !== undefined) {
      const error = await open.send(bytes);
      if (error === undefined) return { type: 'sent', flow: open.flow };
      // The peer has closed it without our knowing yet: a new one may do.
      open.abort(error.message);
    }
    const where = `${this.listenPoint.protocol} ${nameOf(remote)}`;
    const fresh = await this.#connectionTo(remote);
    if (fresh instanceof Error) return { type: 'failed', reason: `${where}: ${fresh.message}` };
    const error = await fresh.send(bytes);
    if (error === undefined) return { type: 'sent', flow: fresh.flow };
    return { type: 'failed', reason: `${where}: ${error.message}` };
  }

  /** Makes sure there is a connection to `remote`; false when there cannot be one. */
  async reach(remote: RemotePoint): Promise<boolean> {
    if (this.#openConnection(remote) !== undefined) return true;
    return (await this.#connectionTo(remote)) instanceof StreamConnection;
  }

  /** Whether messages can leave on the connection of this name. */
  isOpen(connectionId: number): boolean {
    return this.#connections.get(connectionId)?.isOpen === true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#security.close();
    for (const socket of this.#connecting) socket.destroy(new Error('engine closed'));
    for (const connection of this.#connections.values()) connection.abort('engine closed');
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  onClosed(connection: StreamConnection, reason: string): void {
    const { flow, peerKey, isOutgoing, hasReceived } = connection;
    this.#connections.delete(flow.connectionId);
    if (this.#byPeer.get(peerKey) === connection) this.#byPeer.delete(peerKey);
    // With TLS 1.3 a server refuses our certificate only after the handshake is over for us.
    if (flow.protocol !== 'tls' || !isOutgoing || hasReceived || this.#isClosed) return;
    const remote = nameOf({ address: flow.remoteAddress, port: flow.remotePort });
    const text = `${reason} before the server said anything`;
    this.#reportFailure({ direction: 'outbound', remote, reason: text });
  }

  #secure(): StreamSecurity {
    const handUp = (socket: Socket): void => this.#adoptIncoming(socket);
    const onFailed = (failure: HandshakeFailure): void => this.#reportFailure(failure);
    return this.#tls === undefined
      ? new PlainStreams(handUp)
      : new TlsStreams(this.#tls, this.#limits, { onSecured: handUp, onFailed });
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const { remoteAddress } = socket;
    const isFull = this.#connections.size >= this.limits.connections;
    // Without a remote address the peer has gone before we looked.
    if (this.#isClosed || isFull || remoteAddress === undefined) socket.destroy();
    else if (this.#isSourceAdmitted(plainAddress(remoteAddress), socket)) {
      this.#security.accept(socket);
    } else socket.destroy();
  }

  /** Counts the connections of each source from the first byte to the last, handshakes included. */
  #isSourceAdmitted(source: string, socket: Socket): boolean {
    const open = this.#bySource.of(source);
    if (this.events.isConnectionAdmitted?.(source, open) === false) return false;
    this.#bySource.add(source);
    socket.on('close', () => {
      this.#bySource.remove(source);
    });
    return true;
  }

  /** The handshake may have taken a while. */
  #adoptIncoming(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    const isUseless = this.#isClosed || remoteAddress === undefined || remotePort === undefined;
    if (isUseless || this.#connections.size >= this.limits.connections) {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.#adopt(socket, { isOutgoing: false, peerKey: keyOf(remoteAddress, remotePort, '') });
  }

  #openConnection(remote: RemotePoint): StreamConnection | undefined {
    const named = this.#connections.get(remote.connectionId ?? 0);
    if (named?.isOpen === true) return named;
    const known = this.#byPeer.get(this.#peerKey(remote));
    return known instanceof StreamConnection && known.isOpen ? known : undefined;
  }

  async #connectionTo(remote: RemotePoint): Promise<StreamConnection | Error> {
    if (this.#isClosed) return new Error('engine closed');
    const key = this.#peerKey(remote);
    const known = this.#byPeer.get(key);
    if (known instanceof Promise) return await known;
    if (this.#connections.size + this.#connecting.size >= this.limits.connections) {
      return new Error('too many connections');
    }
    const opening = this.#connect(remote, key);
    this.#byPeer.set(key, opening);
    return await opening;
  }

  async #connect(remote: RemotePoint, key: string): Promise<StreamConnection | Error> {
    const { socket, readyEvent } = this.#security.connect(remote, this.listenPoint);
    this.#connecting.add(socket);
    let isConnected = false;
    socket.once('connect', () => {
      isConnected = true;
    });
    const signal = AbortSignal.timeout(this.limits.connectTimeoutMs);
    try {
      await once(socket, readyEvent, { signal });
      const connection = this.#adopt(socket, { isOutgoing: true, peerKey: key });
      this.#byPeer.set(key, connection);
      return connection;
    } catch (error) {
      socket.on('error', () => undefined);
      socket.destroy();
      this.#byPeer.delete(key);
      const problem = connectProblem(error, signal.aborted);
      if (!isConnected || this.#isClosed) return problem;
      const reason = signal.aborted ? 'handshake not completed in time' : reasonOf(problem);
      this.#reportFailure({ direction: 'outbound', remote: nameOf(remote), reason });
      return new Error(`handshake failed: ${reason}`);
    } finally {
      this.#connecting.delete(socket);
    }
  }

  #adopt(
    socket: Socket,
    origin: { readonly isOutgoing: boolean; readonly peerKey: string },
  ): StreamConnection {
    lastConnectionId += 1;
    const connection = new StreamConnection(socket, { id: lastConnectionId, ...origin }, this);
    this.#connections.set(lastConnectionId, connection);
    if (!this.#byPeer.has(origin.peerKey)) this.#byPeer.set(origin.peerKey, connection);
    return connection;
  }

  #peerKey(remote: RemotePoint): string {
    return keyOf(remote.address, remote.port, this.#security.identityOf(remote));
  }

  #reportFailure(failure: HandshakeFailure): void {
    const nowMs = performance.now();
    if (nowMs - this.#reports.sinceMs > REPORT_PERIOD_MS) {
      this.#reports = { sinceMs: nowMs, count: 0 };
    }
    this.#reports.count += 1;
    if (this.#reports.count <= MAX_REPORTS) this.events.onHandshakeFailed?.(failure);
  }
}

function isSameTls(one: TlsSettings, other: TlsSettings): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The address, and the name behind which it was found if there is one. */
function nameOf({ address, port, host }: RemotePoint): string {
  const where = formatHostPort(address, port);
  return host === undefined || host === address ? where : `${where} (${host})`;
}

function keyOf(address: string, port: number, identity: string): string {
  return `${plainAddress(address)}/${port}/${identity}`;
}

function connectProblem(error: unknown, isTimeout: boolean): Error {
  if (isTimeout) return new Error('connect timed out');
  return error instanceof Error ? error : new Error(String(error));
}
