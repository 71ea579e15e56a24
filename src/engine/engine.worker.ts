/** Entry of the engine thread: starts the engines of its workerData and waits for the word to close them. */
import { parentPort, workerData } from 'node:worker_threads';
import { EngineSet, type PreparedEngines } from './engine-set.ts';
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
const engines = new EngineSet(
  (name) => ({
    callGate: gate,
    onBug: (error) => tell({ type: 'bug', name, stack: describe(error) }),
    onDropped: (report: DropReport) => tell({ type: 'dropped', name, report }),
    onRefused: (calls) => tell({ type: 'refused', name, calls }),
    onAnswered: (answers) => tell({ type: 'answered', answers }),
    onHandshakeFailed: (failure) => tell({ type: 'handshakeFailed', name, failure }),
  }),
  (name) => tell({ type: 'retired', name }),
);
/** Prepared changes that wait for the word. */
const prepared = new Map<number, PreparedEngines>();

port.on('message', (command: EngineCommand) => {
  switch (command.type) {
    case 'close':
      void shutDown();
      return;
    case 'paceCalls':
      pace(command.pacing);
      return;
    case 'alive':
      gate.answered();
      return;
    case 'setKnownPeers':
      engines.get(command.name)?.setKnownPeers(command.networks);
      return;
    case 'prepare':
      void prepare(command.id, command.engines);
      return;
    case 'commit':
    case 'rollback':
      void settle(command.id, command.type);
  }
});

async function prepare(id: number, wanted: readonly NamedEngineOptions[]): Promise<void> {
  const result = await engines.prepare(wanted);
  if (result.type === 'problem') {
    tell({ type: 'unprepared', id, problem: result });
    return;
  }
  prepared.set(id, result);
  tell({ type: 'prepared', id, engines: result.engines });
}

async function settle(id: number, how: 'commit' | 'rollback'): Promise<void> {
  const change = prepared.get(id);
  prepared.delete(id);
  if (how === 'commit') change?.commit();
  else await change?.rollback();
  tell({ type: 'settled', id });
}

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
  const result = await engines.prepare(wanted);
  if (result.type === 'problem') {
    tell({ type: 'failed', reason: result.reason });
    await shutDown();
    return;
  }
  result.commit();
  tell({ type: 'started', engines: result.engines });
}

async function shutDown(): Promise<void> {
  await engines.close();
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
