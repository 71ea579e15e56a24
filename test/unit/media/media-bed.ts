/** Streams on a real relay thread between two RTP peers on loopback, all closed again behind a test. */
import { createSocket, type Socket } from 'node:dgram';
import type { LegPorts, MediaStream, StreamUpdate } from '../../../src/media/media-engine.ts';
import { RelayPool, type RelayPoolOptions } from '../../../src/media/relay-pool.ts';
import type { RelayIo } from '../../../src/media/relay-protocol.ts';
import { freePortRange } from '../../support/free-ports.ts';
import { receivedEvents } from '../../support/rtp-analysis.ts';
import { RtpPeer } from '../../support/rtp-peer.ts';
import { sleep } from '../../support/wait-for.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from './media-samples.ts';

export const HOST = '127.0.0.1';

export interface BedCall {
  readonly pool: RelayPool;
  readonly leg: LegPorts;
  readonly stream: MediaStream;
  readonly caller: RtpPeer;
  readonly callee: RtpPeer;
}

/** What moves the packets of a relay thread; what is on a bed holds for each of them. */
export const IOS = ['dgram', 'ffi'] as const;

export class MediaBed {
  readonly listener = new RecordingListener();
  readonly #io: RelayIo;
  readonly #closers: (() => Promise<unknown>)[] = [];

  constructor(io: RelayIo = 'dgram') {
    this.#io = io;
    if (io === 'ffi') this.#closers.push(muteForeignDescriptors());
  }

  /** A pool of one thread with a range of eight pairs. */
  async openPool(options: RelayPoolOptions = {}): Promise<{ pool: RelayPool; leg: LegPorts }> {
    const range = await freePortRange(16);
    const pool = new RelayPool({ workers: 1, quarantineMs: 0, io: this.#io, ...options });
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

/**
 * The thread of a test warns when it closes what another thread has opened, as a pool does for its dead threads; the main
 * thread of a program does not. Resolves when warnings are heard again.
 */
function muteForeignDescriptors(): () => Promise<void> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (String(warning).includes('closed but not opened in unmanaged mode')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  return () => {
    process.emitWarning = emitWarning;
    return Promise.resolve();
  };
}

export async function waitForCounters(
  stream: MediaStream,
  isEnough: (counters: Awaited<ReturnType<MediaStream['counters']>>) => boolean,
): Promise<Awaited<ReturnType<MediaStream['counters']>>> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const counters = await stream.counters();
    if (isEnough(counters)) return counters;
    // A busy kernel delivers later than it takes.
    if (attempt > 50) await sleep(10);
  }
  throw new Error('the counters never got there');
}

/** End packets a peer has received. */
export function endsOf(peer: RtpPeer): number {
  const reports = receivedEvents(peer.received, 101).flatMap((event) => event.reports);
  return reports.filter(({ isEnd }) => isEnd).length;
}

export function holdPort(port: number): Promise<Socket> {
  // Without a look-up a packet is with the kernel when `send` returns.
  const socket = createSocket({
    type: 'udp4',
    lookup: (host, _options, found) => found(null, host, 4),
  });
  return new Promise((resolve) => {
    socket.bind(port, HOST, () => resolve(socket));
  });
}

export function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`no value at ${index}`);
  return value;
}
