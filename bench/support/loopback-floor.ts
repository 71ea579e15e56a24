/** What a datagram takes from one socket of this process to another: the least that a delay measured here can be. */

import type { Socket } from 'node:dgram';
import { openUdp } from '../../test/support/light-sip.ts';

/** Not in step with the 20 ms of audio. */
const INTERVAL_MS = 7;

export class LoopbackFloor {
  delaysMs: number[] = [];
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    to.on('message', (bytes) => {
      this.delaysMs.push(performance.now() - bytes.readDoubleBE(0));
    });
    this.#timer = setInterval(() => this.#probe(), INTERVAL_MS);
  }

  static async open(address: string): Promise<LoopbackFloor> {
    return new LoopbackFloor(await openUdp(address), await openUdp(address));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#from.close();
    this.#to.close();
  }

  #probe(): void {
    const { address, port } = this.#to.address();
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(performance.now(), 0);
    this.#from.send(bytes, port, address);
  }
}
