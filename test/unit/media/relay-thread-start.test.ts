/** Why no stream can be opened when no relay thread comes up. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { RelayPool } from '../../../src/media/relay-pool.ts';
import type { RelayWorker } from '../../../src/media/relay-thread.ts';
import { RecordingListener } from './media-samples.ts';

const LEG = { realm: 'core', address: '127.0.0.1', portMin: 40_000, portMax: 40_015 };

/** A thread that ends before it hears anything. */
class DeadWorker extends EventEmitter implements RelayWorker {
  constructor(error: Error) {
    super();
    setImmediate(() => {
      this.emit('error', error);
      this.emit('exit');
    });
  }

  postMessage(): void {
    // Nobody hears it.
  }

  terminate(): Promise<number> {
    return Promise.resolve(1);
  }
}

test.each([
  ['Worker initialization failure: EMFILE', 'no-descriptors'],
  ['Worker initialization failure: ENFILE', 'no-descriptors'],
  ['Cannot read package config package.json: too many open files.', 'no-descriptors'],
  ['Worker initialization failure: EAGAIN', 'worker-lost'],
])('%s: %s', async (message, reason) => {
  const pool = new RelayPool({ startWorker: () => new DeadWorker(new Error(message)) });
  const listener = new RecordingListener();
  const request = { streamId: 'test', caller: LEG, callee: LEG, listener };
  expect(await pool.openStream(request)).toEqual({ type: 'failure', reason });
  await pool.close();
});
