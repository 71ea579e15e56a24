/**
 * Our own relay as a subject (see subject.ts): a pool with one thread, streams told what an ordinary call tells them.
 *
 *   node bench/media/relay-subject.ts IO ADDRESS CALLER CALLEE PEERPORT
 *
 * IO is dgram, ffi or kernel.
 */

import { Session } from 'node:inspector';
import { createInterface } from 'node:readline';
import type { LegMedia, MediaListener, StreamUpdate } from '../../src/media/media-engine.ts';
import { RelayPool } from '../../src/media/relay-pool.ts';
import { usedHeapBytes } from './own-heaps.ts';
import { relayPoolOptions } from './relay-io.ts';

const KEYPAD = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const FIRST_PORT = 10_000;
const LAST_PORT = 59_999;
const BUSY_PERIOD_MS = 100;
/** Streams that are opened at a time. */
const PARALLEL = 20;

const [io = '', address = '', caller = '', callee = '', peerPort = ''] = process.argv.slice(2);

const listener: MediaListener = {
  digitPressed: () => {},
  digitReleased: () => {},
  digitSent: () => {},
  digitDropped: () => {},
  inactive: () => {},
  lost: () => {
    console.error('a stream was lost');
    process.exit(1);
  },
};

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function unavailable(reason: string): never {
  answer({ type: 'unavailable', reason });
  process.exit(0);
}

/** A G.711 leg with telephone-event; digits pass as they are. */
function leg(peer: string, rtpPort: number): LegMedia {
  return {
    remote: { address: peer, rtpPort, rtcpPort: rtpPort + 1 },
    mediaSource: 'sdp',
    maySend: true,
    audio: { payloadTypes: [8, 0], clockRate: 8000, packetTimeMs: 20 },
    event: { sendPayloadType: 101, receivePayloadTypes: [101], clockRate: 8000, events: KEYPAD },
    payloadTypeMap: [],
  };
}

const relayed = { mode: 'relay', detect: false } as const;
const ports: [number, number][] = [];
const options = await relayPoolOptions(io, address, unavailable);
const pool = new RelayPool({
  workers: 1,
  quarantineMs: 0,
  onIoFallback: unavailable,
  ...options,
});

async function openCall(call: number): Promise<void> {
  const range = { realm: 'load', address, portMin: FIRST_PORT, portMax: LAST_PORT };
  const stream = await pool.openStream({
    streamId: String(call),
    caller: range,
    callee: range,
    listener,
  });
  if (stream.type === 'failure') throw new Error(`no stream: ${stream.reason}`);
  const port = Number(peerPort) + 2 * call;
  const legs = { caller: leg(caller, port), callee: leg(callee, port) };
  const update: StreamUpdate = { legs, events: { caller: relayed, callee: relayed } };
  stream.update(update);
  ports[call] = [stream.local.caller.rtpPort, stream.local.callee.rtpPort];
}

async function openUntil(calls: number): Promise<void> {
  let next = ports.length;
  const work = async (): Promise<void> => {
    while (next < calls) {
      next += 1;
      await openCall(next - 1);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  answer({ type: 'opened', ports });
}

let busyTimer: ReturnType<typeof setInterval> | undefined;

function keepBusy(busyMs: number): void {
  clearInterval(busyTimer);
  if (busyMs > 0) {
    busyTimer = setInterval(() => {
      const untilMs = performance.now() + busyMs;
      while (performance.now() < untilMs);
    }, BUSY_PERIOD_MS);
  }
  answer({ type: 'busy' });
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, value] = line.split(' ');
  if (command === 'open') await openUntil(Number(value));
  if (command === 'heap') answer({ type: 'heap', bytes: await usedHeapBytes(new Session()) });
  if (command === 'flows') answer({ type: 'flows', carried: options.kernel?.carried ?? 0 });
  if (command === 'busy') keepBusy(Number(value));
}
clearInterval(busyTimer);
await pool.close();
await options.kernel?.close();
process.exit(0);
