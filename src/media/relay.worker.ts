/** Entry of a relay thread: commands in, events out; everything else is RelayHost. */

import { parentPort, workerData } from 'node:worker_threads';
import { secureRandom } from './random.ts';
import { RelayHost } from './relay-host.ts';
import type { RelayCommand, RelayWorkerOptions } from './relay-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('relay.worker.ts runs as a worker thread only');

// What startRelayWorker passes.
const worker: RelayWorkerOptions = workerData;
const host = new RelayHost({
  worker,
  post: (event) => port.postMessage(event),
  random: secureRandom,
});
port.on('message', (command: RelayCommand) => void host.receive(command));
