import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { familyOf, isWildcard } from './address.ts';
import type { ListenPoint } from './flow.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { ConnectionOwner } from './tcp-connection.ts';
import type { RemotePoint, SendOutcome, TransportEvents } from './transport-events.ts';
import type { TransportLimits } from './transport-limits.ts';

let lastConnectionId = 0;

/**
 * SIP over TCP on one own address (RFC 3261 §18): a listener, and the connections in both directions.
 *
 * A message goes to the connection it names, else to an open one with that peer address and port, else to a new one.
 */
export class TcpTransport implements ConnectionOwner {
  readonly listenPoint: ListenPoint;
  readonly limits: TransportLimits;
  readonly events: TransportEvents;
  readonly #server: Server;
  readonly #connections = new Map<number, TcpConnection>();
  /** Connections by peer, or the attempt to open one. */
  readonly #byPeer = new Map<string, TcpConnection | Promise<TcpConnection | Error>>();
  readonly #connecting = new Set<Socket>();
  #isClosed = false;

  private constructor(server: Server, limits: TransportLimits, events: TransportEvents) {
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('expected a TCP server');
    this.listenPoint = { protocol: 'tcp', address: bound.address, port: bound.port };
    this.limits = limits;
    this.events = events;
    this.#server = server;
    server.on('connection', (socket) => {
      this.#accept(socket);
    });
    // A connection that failed while it was accepted is no reason to stop listening.
    server.on('error', () => undefined);
  }

  /** @throws Error of the system when the address cannot be bound. */
  static async open(
    point: ListenPoint,
    limits: TransportLimits,
    events: TransportEvents,
  ): Promise<TcpTransport> {
    const server = createServer();
    server.listen({
      host: point.address,
      port: point.port,
      ipv6Only: familyOf(point.address) === 6,
      exclusive: true,
    });
    await once(server, 'listening');
    return new TcpTransport(server, limits, events);
  }

  async send(bytes: Buffer, remote: RemotePoint): Promise<SendOutcome> {
    const open = this.#openConnection(remote);
    if (open !== undefined) {
      const error = await open.send(bytes);
      if (error === undefined) return { type: 'sent', flow: open.flow };
      // The peer has closed it without our knowing yet: a new one may do.
      open.abort(error.message);
    }
    const where = `tcp ${remote.address}:${remote.port}`;
    const fresh = await this.#connectionTo(remote);
    if (fresh instanceof Error) return { type: 'failed', reason: `${where}: ${fresh.message}` };
    const error = await fresh.send(bytes);
    if (error === undefined) return { type: 'sent', flow: fresh.flow };
    return { type: 'failed', reason: `${where}: ${error.message}` };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const socket of this.#connecting) socket.destroy(new Error('engine closed'));
    for (const connection of this.#connections.values()) connection.abort('engine closed');
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  onClosed(connection: TcpConnection): void {
    this.#connections.delete(connection.flow.connectionId);
    const key = peerKey(connection.flow.remoteAddress, connection.flow.remotePort);
    if (this.#byPeer.get(key) === connection) this.#byPeer.delete(key);
  }

  #accept(socket: Socket): void {
    if (this.#isClosed || this.#connections.size >= this.limits.connections) {
      socket.destroy();
      return;
    }
    // Without a remote address the peer has gone before we looked.
    if (socket.remoteAddress === undefined) socket.destroy();
    else this.#adopt(socket);
  }

  #openConnection(remote: RemotePoint): TcpConnection | undefined {
    const named = this.#connections.get(remote.connectionId ?? 0);
    if (named?.isOpen === true) return named;
    const known = this.#byPeer.get(peerKey(remote.address, remote.port));
    return known instanceof TcpConnection && known.isOpen ? known : undefined;
  }

  async #connectionTo(remote: RemotePoint): Promise<TcpConnection | Error> {
    if (this.#isClosed) return new Error('engine closed');
    const key = peerKey(remote.address, remote.port);
    const known = this.#byPeer.get(key);
    if (known instanceof Promise) return await known;
    if (this.#connections.size + this.#connecting.size >= this.limits.connections) {
      return new Error('too many connections');
    }
    const opening = this.#connect(remote, key);
    this.#byPeer.set(key, opening);
    return await opening;
  }

  async #connect(remote: RemotePoint, key: string): Promise<TcpConnection | Error> {
    const { address } = this.listenPoint;
    const socket = connect({
      host: remote.address,
      port: remote.port,
      ...(isWildcard(address) ? {} : { localAddress: address }),
    });
    this.#connecting.add(socket);
    const signal = AbortSignal.timeout(this.limits.connectTimeoutMs);
    try {
      await once(socket, 'connect', { signal });
      const connection = this.#adopt(socket);
      this.#byPeer.set(key, connection);
      return connection;
    } catch (error) {
      socket.on('error', () => undefined);
      socket.destroy();
      this.#byPeer.delete(key);
      if (signal.aborted) return new Error('connect timed out');
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#connecting.delete(socket);
    }
  }

  #adopt(socket: Socket): TcpConnection {
    lastConnectionId += 1;
    const connection = new TcpConnection(socket, lastConnectionId, this);
    this.#connections.set(lastConnectionId, connection);
    const { remoteAddress, remotePort } = connection.flow;
    const key = peerKey(remoteAddress, remotePort);
    if (!this.#byPeer.has(key)) this.#byPeer.set(key, connection);
    return connection;
  }
}

function peerKey(address: string, port: number): string {
  return `${address}/${port}`;
}
