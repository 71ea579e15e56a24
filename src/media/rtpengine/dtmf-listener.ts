/** The UDP port that rtpengine reports digits to. Datagrams of anybody else are counted and dropped. */

import { createSocket, type Socket } from 'node:dgram';
import { plainAddress } from '../../wire/sdp-address.ts';
import { type DtmfReport, parseDtmfReport } from './dtmf-report.ts';
import type { ReportSources } from './report-sources.ts';

export interface DtmfListenerOptions {
  readonly address: string;
  readonly port: number;
  /** The nodes that report here. */
  readonly from: ReportSources;
  readonly onReport: (report: DtmfReport) => void;
  /** A datagram of the address `source` was dropped. */
  readonly onDropped?: ((reason: DroppedReport, source: string) => void) | undefined;
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
    socket.on('message', (bytes, remote) => {
      const source = plainAddress(remote.address);
      if (!from.has(source)) return onDropped?.('stranger', source);
      const report = parseDtmfReport(bytes);
      if (report === undefined) return onDropped?.('malformed', source);
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
