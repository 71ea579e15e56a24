/** A relay thread that cannot have sockets of its own takes those of Node and says so. */
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import type { RelayPoolOptions } from '../../../src/media/relay-pool.ts';
import { waitFor } from '../../support/wait-for.ts';
import { audioPacket } from './media-samples.ts';
import { MediaBed } from './media-bed.ts';

const WORKER = new URL('../../../src/media/relay.worker.ts', import.meta.url);

const bed = new MediaBed('ffi');

afterEach(() => bed.close());

test('packets flow, and it is said once for all threads', async () => {
  const reasons: string[] = [];
  const options: RelayPoolOptions = {
    workers: 2,
    onIoFallback: (reason) => reasons.push(reason),
    startWorker: (workerData) =>
      new Worker(WORKER, { workerData, execArgv: ['--no-experimental-ffi'] }),
  };
  const { pool, leg, stream, caller, callee } = await bed.openCall(options);
  const other = await bed.openStream(pool, leg);
  await other.counters();
  caller.sendRaw(audioPacket());
  await waitFor('the packet', () => callee.received.length === 1);
  await waitFor('the reason', () => reasons.length > 0);
  await stream.counters();
  expect(reasons).toEqual([`Node ${process.version} has no node:ffi`]);
});
