import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  EngineCommand,
  EngineChange,
  EngineEvent,
  EngineProblem,
  NamedEngineOptions,
  StartedEngine,
} from './engine-protocol.ts';
import { EngineChanges } from './engine-changes.ts';
import type { CallPacing } from './transaction/call-gate.ts';
import type { OwnAnswer } from './transaction/own-answers.ts';
import type { RefusedCall } from './transaction/refused-calls.ts';
import type { HandshakeFailure } from './transport/transport-events.ts';
import type { DropReport } from './transport/drop-journal.ts';

/** Engines that run in one worker thread of their own. */
export interface EngineThread {
  /** In the order they were asked for. */
  readonly engines: readonly StartedEngine[];
  /** Names the known peers of the engine called `name` anew. */
  setKnownPeers(name: string, networks: readonly string[]): void;
  /** How many new calls all engines together let through; those beyond get 503. */
  paceCalls(pacing: CallPacing): void;
  /**
   * Opens what `engines` need in place of those that run; nothing changes before the commit. What was not given a free
   * port is known by the one it has.
   */
  prepare(engines: readonly NamedEngineOptions[]): Promise<EngineChange | EngineProblem>;
  /** Ends all dialogs and the thread. */
  close(): Promise<void>;
}

export interface EngineThreadListener {
  /** The thread ended although nobody closed it; all its calls are lost. */
  readonly onLost?: (reason: string) => void;
  /** An engine that a change has left out is closed: nothing was under way in it any more. */
  readonly onRetired?: (name: string) => void;
  /** What an engine has dropped since it said so before. */
  readonly onDropped?: (name: string, report: DropReport) => void;
  /** New calls that an engine has refused for the pace. */
  readonly onRefused?: (name: string, calls: readonly RefusedCall[]) => void;
  /** Requests that an engine has answered by itself; refused calls left out. */
  readonly onAnswered?: (answers: readonly OwnAnswer[]) => void;
  /** A TLS handshake came to nothing. */
  readonly onHandshakeFailed?: (name: string, failure: HandshakeFailure) => void;
  /** An exception inside an engine, which goes on. */
  readonly onBug?: (name: string, stack: string) => void;
}

/** A flood makes nothing but short-lived memory: without a bound the collector lets 100 MB of it pile up. */
const YOUNG_MEGABYTES = 24;

/** Starts all `engines` in one worker thread; rejects, with nothing left running, when one cannot start. */
export async function startEngineThread(
  engines: readonly NamedEngineOptions[],
  listener: EngineThreadListener = {},
): Promise<EngineThread> {
  const worker = new Worker(new URL('./engine.worker.ts', import.meta.url), {
    workerData: engines,
    name: 'engine',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
  });
  const send = (command: EngineCommand): void => worker.postMessage(command, []);
  let isClosing = false;
  const changes = new EngineChanges(send);
  const started = await new Promise<readonly StartedEngine[]>((resolve, reject) => {
    worker.on('message', (event: EngineEvent) => {
      if (event.type === 'started') resolve(event.engines);
      if (event.type === 'failed') reject(new Error(event.reason));
      if (event.type === 'retired') listener.onRetired?.(event.name);
      changes.receive(event);
      if (event.type === 'ask') send({ type: 'alive' });
      if (event.type === 'refused') listener.onRefused?.(event.name, event.calls);
      if (event.type === 'answered') listener.onAnswered?.(event.answers);
      if (event.type === 'dropped') listener.onDropped?.(event.name, event.report);
      if (event.type === 'bug') listener.onBug?.(event.name, event.stack);
      if (event.type === 'handshakeFailed') {
        listener.onHandshakeFailed?.(event.name, event.failure);
      }
    });
    worker.on('error', (error) => {
      const reason = error instanceof Error ? error : new Error(String(error));
      reject(reason);
      if (!isClosing) listener.onLost?.(reason.message);
      isClosing = true;
    });
    worker.on('exit', (code) => {
      changes.end();
      reject(new Error(`engine thread ended with code ${code}`));
      if (!isClosing) listener.onLost?.(`engine thread ended with code ${code}`);
    });
  });
  const close = async (): Promise<void> => {
    if (isClosing) return;
    isClosing = true;
    const exited = once(worker, 'exit');
    send({ type: 'close' });
    await exited;
  };
  const setKnownPeers = (name: string, networks: readonly string[]): void => {
    send({ type: 'setKnownPeers', name, networks });
  };
  const paceCalls = (pacing: CallPacing): void => send({ type: 'paceCalls', pacing });
  const prepare: EngineThread['prepare'] = (wanted) => changes.prepare(wanted);
  return { engines: started, setKnownPeers, paceCalls, prepare, close };
}
