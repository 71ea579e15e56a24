import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { AppConnection } from './app-connection.ts';
import type { ConnectionUser, Welcome } from './app-connection.ts';

/** Version told to applications; ping, remove_route and byte lengths need at least v0.8.2. */
export const PROTOCOL_VERSION = 'v0.9.3';

export interface AdminServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly welcome: Welcome;
  readonly user: ConnectionUser;
}

/** The TCP server applications connect to. */
export class AdminServer {
  readonly #server: Server;
  readonly #connections = new Set<AppConnection>();
  /** Where the search for the next application starts, per method. */
  readonly #turns = new Map<string, number>();

  private constructor(options: AdminServerOptions) {
    const user: ConnectionUser = {
      onCommand: (connection, command) => options.user.onCommand(connection, command),
      onGone: (connection) => {
        this.#connections.delete(connection);
        options.user.onGone(connection);
      },
    };
    this.#server = createServer((socket) => {
      this.#connections.add(new AppConnection(socket, options.welcome, user));
    });
  }

  /** Listens; rejects when the address cannot be bound. */
  static async start(options: AdminServerOptions): Promise<AdminServer> {
    const admin = new AdminServer(options);
    admin.#server.listen(options.port, options.host);
    await once(admin.#server, 'listening');
    return admin;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The next application, in turn, that wants new requests of `method`; undefined if none does. */
  pick(method: string): AppConnection | undefined {
    const verb = method.toLowerCase();
    const candidates = [...this.#connections].filter(
      (connection) => connection.isOpen && connection.routes.has(verb),
    );
    if (candidates.length === 0) return undefined;
    const turn = this.#turns.get(verb) ?? 0;
    this.#turns.set(verb, turn + 1);
    return candidates[turn % candidates.length];
  }

  /** Methods that some application takes, in upper case. */
  methods(): readonly string[] {
    const open = [...this.#connections].filter(({ isOpen }) => isOpen);
    return open.flatMap(({ routes }) => [...routes]).map((verb) => verb.toUpperCase());
  }

  /** Disconnects every application and stops listening. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.#connections) connection.close();
    await closed;
  }
}
