/** A stranger that sprays RTP, telephone-events and RTCP over port ranges, from a thread of its own. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** SSRCs of the stranger lie in the sixteen from here on. */
export const SPRAY_SSRC = 0xbad0_0000;

export interface SprayOrder {
  /** Addresses of the stranger. */
  readonly sources: readonly string[];
  readonly targets: readonly {
    readonly address: string;
    readonly first: number;
    readonly last: number;
  }[];
  readonly packetsPerSecond: number;
}

export interface SprayReport {
  readonly sent: number;
  /** Datagrams that the stranger was sent. */
  readonly leaked: number;
}

export class RtpSpray {
  readonly #worker: Worker;
  #isOver = false;

  constructor(order: SprayOrder) {
    this.#worker = new Worker(new URL('rtp-spray-thread.ts', import.meta.url), {
      workerData: order,
    });
  }

  report(): Promise<SprayReport> {
    return this.#ask('report');
  }

  /** Stops and says the last word. */
  async stop(): Promise<SprayReport> {
    const report = await this.#ask('stop');
    this.#isOver = true;
    await once(this.#worker, 'exit');
    return report;
  }

  async close(): Promise<void> {
    if (!this.#isOver) await this.#worker.terminate();
  }

  async #ask(command: 'report' | 'stop'): Promise<SprayReport> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage(command, []);
    const [report]: SprayReport[] = await answer;
    return report ?? { sent: 0, leaked: 0 };
  }
}

/** Whether bytes at `offset` are an SSRC of the stranger. */
export function isSprayed(ssrc: number): boolean {
  return ssrc >= SPRAY_SSRC && ssrc < SPRAY_SSRC + 16;
}
