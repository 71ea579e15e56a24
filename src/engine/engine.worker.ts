/** Entry of the engine thread: starts the engines of its workerData and waits for the word to close them. */
import { parentPort, workerData } from 'node:worker_threads';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import type { DropReport } from './transport/drop-journal.ts';
import { CallGate } from './transaction/call-gate.ts';
import type { CallPacing } from './transaction/call-gate.ts';
import type { EngineCommand, EngineEvent, NamedEngineOptions } from './engine-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('engine.worker.ts runs as a worker thread only');
const tell = (event: EngineEvent): void => port.postMessage(event);

const ASK_MS = 50;
/** One for all engines: they have one application. */
const gate = new CallGate();
let asking: NodeJS.Timeout | undefined;
const running = new Map<string, Engine>();
port.on('message', (command: EngineCommand) => {
  if (command.type === 'close') void shutDown();
  else if (command.type === 'paceCalls') pace(command.pacing);
  else if (command.type === 'alive') gate.answered();
  else running.get(command.name)?.setKnownPeers(command.networks);
});

/** The application is asked while it wants to be, so that its silence is seen while it lasts. */
function pace(pacing: CallPacing): void {
  gate.set(pacing, performance.now());
  if (gate.isWatching) {
    asking ??= setInterval(() => {
      if (gate.ask(performance.now())) tell({ type: 'ask' });
    }, ASK_MS);
    return;
  }
  clearInterval(asking);
  asking = undefined;
}

async function startAll(wanted: readonly NamedEngineOptions[]): Promise<void> {
  const engines = [];
  try {
    for (const { name, ...rest } of wanted) {
      const onBug = (error: unknown): void => tell({ type: 'bug', name, stack: describe(error) });
      const onDropped = (report: DropReport): void => tell({ type: 'dropped', name, report });
      // One after the other, so that a port that is taken leaves nothing half started behind it.
      const engine = await startEngine({
        ...rest,
        onBug,
        onDropped,
        callGate: gate,
        onRefused: (calls) => tell({ type: 'refused', name, calls }),
        onHandshakeFailed: (failure) => tell({ type: 'handshakeFailed', name, failure }),
      });
      running.set(name, engine);
      engines.push({ name, adminPort: engine.adminPort, listenPoints: engine.listenPoints });
    }
    tell({ type: 'started', engines });
  } catch (error) {
    tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
    await shutDown();
  }
}

async function shutDown(): Promise<void> {
  await Promise.all([...running.values()].map((engine) => engine.close()));
  clearInterval(asking);
  tell({ type: 'closed' });
  port?.close();
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

// The main thread is the only one that fills workerData, and it does so with this type.
const options: readonly NamedEngineOptions[] = workerData;
await startAll(options);
