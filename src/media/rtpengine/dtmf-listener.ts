/** The UDP port that rtpengine reports digits to. Datagrams of anybody else are counted and dropped. */

import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { plainAddress } from '../../wire/sdp-address.ts';
import { type DtmfReport, parseDtmfReport } from './dtmf-report.ts';

export interface DtmfListenerOptions {
  readonly address: string;
  readonly port: number;
  /** Names or addresses of the nodes that report here. */
  readonly from: readonly string[];
  readonly onReport: (report: DtmfReport) => void;
  /** A datagram was dropped. */
  readonly onDropped?: ((reason: DroppedReport) => void) | undefined;
}

export type DroppedReport = 'stranger' | 'malformed';

export class DtmfListener {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @throws Error of the system when the address cannot be bound. */
  static async open(options: DtmfListenerOptions): Promise<DtmfListener> {
    const { address, port, from, onReport, onDropped } = options;
    const known = new Set((await Promise.all(from.map((host) => addressesOf(host)))).flat());
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port }, () => {
        socket.removeListener('error', reject);
        resolve();
      });
    });
    // Errors of a socket that only receives concern single datagrams.
    socket.on('error', () => {});
    socket.on('message', (bytes, source) => {
      if (!known.has(plainAddress(source.address))) return onDropped?.('stranger');
      const report = parseDtmfReport(bytes);
      if (report === undefined) return onDropped?.('malformed');
      onReport(report);
    });
    return new DtmfListener(socket);
  }

  /** The bound port. */
  get port(): number {
    return this.#socket.address().port;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }
}

/** Every address of a name; none when nobody knows it. */
async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => plainAddress(address));
  } catch {
    return [];
  }
}
