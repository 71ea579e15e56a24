import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket as TcpSocket } from 'node:net';

/** Collects what arrives and hands it out one by one to whoever waits. */
export class Inbox<Item> {
  readonly #items: Item[] = [];
  readonly #waiting: ((item: Item) => void)[] = [];

  /** What has arrived and was not taken yet. */
  get size(): number {
    return this.#items.length;
  }

  put(item: Item): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#items.push(item);
    else next(item);
  }

  async take(): Promise<Item> {
    const item = this.#items.shift();
    if (item !== undefined) return item;
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

/** A SIP element that knows nothing of SIP: sends text, keeps what it gets. */
export class UdpPeer {
  readonly inbox = new Inbox<string>();
  readonly address: string;
  readonly port: number;
  /** Told the source port of each datagram. */
  onSource: ((port: number) => void) | undefined;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.address = socket.address().address;
    this.port = socket.address().port;
    socket.on('message', (bytes, from) => {
      this.onSource?.(from.port);
      this.inbox.put(bytes.toString());
    });
  }

  static async open(address = '127.0.0.1', port = 0): Promise<UdpPeer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new UdpPeer(socket);
  }

  send(text: string | Buffer, port: number, address = this.address): void {
    this.#socket.send(text, port, address);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

export class TcpPeer {
  readonly socket: TcpSocket;
  /** One item per chunk as it arrives; the tests send so little that chunks are messages. */
  readonly inbox = new Inbox<string>();

  private constructor(socket: TcpSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.inbox.put(chunk.toString());
    });
  }

  static async open(port: number, address = '127.0.0.1'): Promise<TcpPeer> {
    const socket = connect(port, address);
    await once(socket, 'connect');
    return new TcpPeer(socket);
  }

  /** Resolves when the connection is over, by FIN or by reset. */
  async closed(): Promise<void> {
    if (this.socket.closed) return;
    await new Promise((resolve) => {
      this.socket.once('close', resolve);
    });
  }

  static wrap(socket: TcpSocket): TcpPeer {
    return new TcpPeer(socket);
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }
}
