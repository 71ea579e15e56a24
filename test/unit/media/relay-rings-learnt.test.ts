/** A ring that SDP does not show: a peer is learnt that is a port of the SBC. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { LegMedia, LocalMedia, MediaStream } from '../../../src/media/media-engine.ts';
import { RelayPool } from '../../../src/media/relay-pool.ts';
import type { RelayCommand } from '../../../src/media/relay-protocol.ts';
import type { RelayWorker } from '../../../src/media/relay-thread.ts';
import type { Side } from '../../../src/wire/side.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from './media-samples.ts';

const LEG = { realm: 'core', address: '127.0.0.1', portMin: 40_000, portMax: 40_015 };
const NAT = { address: '198.51.100.7', port: 61_000 };

/** A thread that binds nothing. */
class FakeWorker extends EventEmitter implements RelayWorker {
  readonly updates: (RelayCommand & { readonly type: 'updateStream' })[] = [];

  postMessage(command: RelayCommand): void {
    if (command.type === 'updateStream') this.updates.push(command);
    if (command.type === 'openStream') {
      const { streamKey } = command;
      setImmediate(() => this.emit('message', { type: 'opened', streamKey }));
    }
  }

  terminate(): Promise<number> {
    return Promise.resolve(0);
  }

  /** The leg of the stream that was updated last has learnt `source`. */
  learns(streamKey: number, side: Side, source: typeof NAT): void {
    const remote = this.updates.findLast((update) => update.streamKey === streamKey)?.update.legs[
      side
    ].remote;
    this.emit('message', { type: 'sourceLearnt', streamKey, side, learnt: { source, remote } });
  }
}

async function openStream(pool: RelayPool): Promise<MediaStream> {
  const listener = new RecordingListener();
  const opened = await pool.openStream({ streamId: 'test', caller: LEG, callee: LEG, listener });
  if (opened.type === 'failure') throw new Error(opened.reason);
  return opened;
}

function towards({ rtpPort }: LocalMedia): LegMedia {
  return sampleLeg(rtpPort);
}

test('the leg that learns it has no peer then; one that learns a peer keeps it', async () => {
  const worker = new FakeWorker();
  const pool = new RelayPool({ workers: 1, startWorker: () => worker });
  const [one, other] = [await openStream(pool), await openStream(pool)];
  const learning = sampleLeg(5000, { mediaSource: 'learn-once' });
  one.update(sampleUpdate(learning, learning));
  other.update(sampleUpdate(towards(one.local.caller), towards(one.local.callee)));

  worker.learns(1, 'callee', NAT);
  expect(worker.updates).toHaveLength(2);
  const { address, rtpPort: port } = other.local.caller;
  worker.learns(1, 'caller', { address, port });
  const last = worker.updates.at(-1);
  expect(last?.streamKey).toBe(1);
  expect(last?.update.legs.caller.remote).toBeUndefined();
  expect(last?.update.legs.callee.remote).toEqual(learning.remote);
});
