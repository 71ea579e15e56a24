import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decodeHep, type HepDatagram } from './hep-decoder.ts';
import { closeAfterTest } from './leak-check.ts';

/** A capture server on a UDP port that keeps every datagram, read and as it came. */
export class HepServer {
  readonly received: HepDatagram[] = [];
  readonly raw: Buffer[] = [];
  readonly port: number;
  readonly #socket: Socket;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (bytes) => {
      this.raw.push(bytes);
      this.received.push(decodeHep(bytes));
    });
  }

  /** On a port of the system's choice; closed after the test. */
  static async open(address = '127.0.0.1', port = 0): Promise<HepServer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return closeAfterTest(new HepServer(socket));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await new Promise<void>((resolve) => {
      this.#socket.close(resolve);
    });
  }
}
