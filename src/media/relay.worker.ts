/** Entry of a relay thread: commands in, events out; everything else is RelayHost. */

import { parentPort, workerData } from 'node:worker_threads';
import { openFfiIo } from './ffi/ffi-io.ts';
import { FastLanes } from './fast-lanes.ts';
import { FfiLoop } from './ffi/ffi-loop.ts';
import { secureRandom } from './random.ts';
import { RelayHost } from './relay-host.ts';
import type { RelayCommand, RelayEvent, RelayWorkerOptions } from './relay-protocol.ts';
import { preferThisThread } from './thread-priority.ts';

const port = parentPort;
if (port === null) throw new Error('relay.worker.ts runs as a worker thread only');

preferThisThread();

// What startRelayWorker passes.
const worker: RelayWorkerOptions = workerData;
const post = (event: RelayEvent): void => port.postMessage(event);
const lanes = new FastLanes();
const io = worker.io === 'ffi' ? openFfiIo(worker.descriptors, lanes) : undefined;
const loop = io === undefined || 'type' in io ? undefined : new FfiLoop(io);
const host = new RelayHost({
  worker,
  post,
  random: secureRandom,
  lanes,
  ...(io !== undefined && 'open' in io && { openSockets: io.open }),
  ...(loop !== undefined && { setTimer: (atMs, run) => loop.setTimer(atMs, run) }),
});
port.on('message', (command: RelayCommand) => void host.receive(command));
if (io !== undefined && 'type' in io) post({ type: 'ioFallback', reason: io.reason });
loop?.start();
