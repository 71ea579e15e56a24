/** Streams on a real relay thread between two RTP peers on loopback, all closed again behind a test. */
import { createSocket, type Socket } from 'node:dgram';
import type { LegPorts, MediaStream, StreamUpdate } from '../../../src/media/media-engine.ts';
import { RelayPool, type RelayPoolOptions } from '../../../src/media/relay-pool.ts';
import { freePortRange } from '../../support/free-ports.ts';
import { receivedEvents } from '../../support/rtp-analysis.ts';
import { RtpPeer } from '../../support/rtp-peer.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from './media-samples.ts';

export const HOST = '127.0.0.1';

export interface BedCall {
  readonly pool: RelayPool;
  readonly leg: LegPorts;
  readonly stream: MediaStream;
  readonly caller: RtpPeer;
  readonly callee: RtpPeer;
}

export class MediaBed {
  readonly listener = new RecordingListener();
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** A pool of one thread with a range of eight pairs. */
  async openPool(options: RelayPoolOptions = {}): Promise<{ pool: RelayPool; leg: LegPorts }> {
    const range = await freePortRange(16);
    const pool = new RelayPool({ workers: 1, quarantineMs: 0, ...options });
    this.#closers.push(() => pool.close());
    const leg = { realm: 'core', address: HOST, portMin: range.first, portMax: range.last };
    return { pool, leg };
  }

  async openStream(pool: RelayPool, leg: LegPorts): Promise<MediaStream> {
    const { listener } = this;
    const opened = await pool.openStream({ streamId: 'test', caller: leg, callee: leg, listener });
    if (opened.type === 'failure') throw new Error(opened.reason);
    this.#closers.push(() => opened.close());
    return opened;
  }

  /** Two peers joined by a stream; `change` may alter what was negotiated. */
  async openCall(
    options: RelayPoolOptions = {},
    change: (update: StreamUpdate) => StreamUpdate = (update) => update,
  ): Promise<BedCall> {
    const { pool, leg } = await this.openPool(options);
    const stream = await this.openStream(pool, leg);
    const caller = await RtpPeer.open({ ssrc: 0xaaaa, firstSequenceNumber: 65_500 });
    const callee = await RtpPeer.open({ ssrc: 0xbbbb });
    this.#closers.push(
      () => caller.close(),
      () => callee.close(),
    );
    caller.setRemote(stream.local.caller);
    callee.setRemote(stream.local.callee);
    stream.update(change(sampleUpdate(sampleLeg(caller.rtpPort), sampleLeg(callee.rtpPort))));
    await stream.counters();
    return { pool, leg, stream, caller, callee };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
  }
}

export async function waitForCounters(
  stream: MediaStream,
  isEnough: (counters: Awaited<ReturnType<MediaStream['counters']>>) => boolean,
): Promise<Awaited<ReturnType<MediaStream['counters']>>> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const counters = await stream.counters();
    if (isEnough(counters)) return counters;
  }
  throw new Error('the counters never got there');
}

/** End packets a peer has received. */
export function endsOf(peer: RtpPeer): number {
  const reports = receivedEvents(peer.received, 101).flatMap((event) => event.reports);
  return reports.filter(({ isEnd }) => isEnd).length;
}

export function holdPort(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.bind(port, HOST, () => resolve(socket));
  });
}

export function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`no value at ${index}`);
  return value;
}
