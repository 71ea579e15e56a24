import type { Socket } from 'node:dgram';
import type { UdpAddress } from './udp-socket.ts';
import { bindUdp, closeUdp, connectUdp, sendUdp } from './udp-socket.ts';

export interface UdpPathEvents {
  onDatagram(bytes: Buffer, remote: UdpAddress): void;
  onRefused(remote: UdpAddress): void;
}

interface Path {
  readonly remote: UdpAddress;
  readonly socket: Promise<Socket | undefined>;
  lastUsedMs: number;
}

/**
 * One connected socket per peer we send requests to, all on the port of the listen point.
 *
 * The kernel reports ICMP port unreachable to connected sockets only. Without it a peer whose process has died
 * would cost the caller 32 s (timer B); with it the next hop is tried at once. Datagrams of that peer arrive on
 * its own socket from then on and are handed up like all others.
 */
export class UdpPaths {
  readonly #local: UdpAddress;
  readonly #limits: { readonly watchedPaths: number; readonly pathIdleMs: number };
  readonly #events: UdpPathEvents;
  readonly #paths = new Map<string, Path>();
  readonly #sweeper: NodeJS.Timeout;
  #isClosed = false;

  constructor(
    local: UdpAddress,
    limits: { readonly watchedPaths: number; readonly pathIdleMs: number },
    events: UdpPathEvents,
  ) {
    this.#local = local;
    this.#limits = limits;
    this.#events = events;
    this.#sweeper = setInterval(() => {
      this.#closeIdle();
    }, limits.pathIdleMs / 4);
    this.#sweeper.unref();
  }

  /** @returns `undefined` when no further path can be watched; the datagram has not been sent then. */
  async send(bytes: Buffer, remote: UdpAddress): Promise<{ error: Error | undefined } | undefined> {
    const socket = await this.#socketFor(remote);
    if (socket === undefined) return undefined;
    const error = await sendUdp(socket, bytes);
    if (error === undefined || !isRefusal(error)) return { error };
    // The error belongs to an earlier datagram and kept this one from leaving.
    return { error: await sendUdp(socket, bytes) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    await Promise.all([...this.#paths.keys()].map(async (key) => this.#closePath(key)));
  }

  async #socketFor(remote: UdpAddress): Promise<Socket | undefined> {
    if (this.#isClosed) return undefined;
    const key = keyOf(remote);
    const known = this.#paths.get(key);
    if (known !== undefined) {
      known.lastUsedMs = performance.now();
      return await known.socket;
    }
    if (this.#paths.size >= this.#limits.watchedPaths) return undefined;
    const path = { remote, socket: this.#open(remote), lastUsedMs: performance.now() };
    this.#paths.set(key, path);
    return await path.socket;
  }

  async #open(remote: UdpAddress): Promise<Socket | undefined> {
    let socket: Socket | undefined;
    try {
      socket = await bindUdp(this.#local, true);
      socket.on('message', (bytes, from) => {
        this.#events.onDatagram(bytes, { address: from.address, port: from.port });
      });
      await connectUdp(socket, remote);
      socket.on('error', (error) => {
        if (isRefusal(error)) this.#events.onRefused(remote);
      });
      return socket;
    } catch {
      // The common socket serves this peer as well, only without error reports.
      if (socket !== undefined) await closeUdp(socket);
      this.#paths.delete(keyOf(remote));
      return undefined;
    }
  }

  #closeIdle(): void {
    const limitMs = performance.now() - this.#limits.pathIdleMs;
    for (const [key, path] of this.#paths) {
      if (path.lastUsedMs < limitMs) void this.#closePath(key);
    }
  }

  async #closePath(key: string): Promise<void> {
    const path = this.#paths.get(key);
    this.#paths.delete(key);
    const socket = await path?.socket;
    if (socket !== undefined) await closeUdp(socket);
  }
}

function keyOf(remote: UdpAddress): string {
  return `${remote.address}/${remote.port}`;
}

function isRefusal(error: Error): boolean {
  return 'code' in error && error.code === 'ECONNREFUSED';
}
