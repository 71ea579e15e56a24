import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  EngineCommand,
  EngineEvent,
  NamedEngineOptions,
  StartedEngine,
} from './engine-protocol.ts';

/** Engines that run in one worker thread of their own. */
export interface EngineThread {
  /** In the order they were asked for. */
  readonly engines: readonly StartedEngine[];
  /** Ends all dialogs and the thread. */
  close(): Promise<void>;
}

export interface EngineThreadListener {
  /** The thread ended although nobody closed it; all its calls are lost. */
  readonly onLost?: (reason: string) => void;
  /** An exception inside an engine, which goes on. */
  readonly onBug?: (name: string, stack: string) => void;
}

/** Starts all `engines` in one worker thread; rejects, with nothing left running, when one cannot start. */
export async function startEngineThread(
  engines: readonly NamedEngineOptions[],
  listener: EngineThreadListener = {},
): Promise<EngineThread> {
  const worker = new Worker(new URL('./engine.worker.ts', import.meta.url), {
    workerData: engines,
    name: 'engine',
  });
  let isClosing = false;
  const started = await new Promise<readonly StartedEngine[]>((resolve, reject) => {
    worker.on('message', (event: EngineEvent) => {
      if (event.type === 'started') resolve(event.engines);
      if (event.type === 'failed') reject(new Error(event.reason));
      if (event.type === 'bug') listener.onBug?.(event.name, event.stack);
    });
    worker.on('error', (error) => {
      const reason = error instanceof Error ? error : new Error(String(error));
      reject(reason);
      if (!isClosing) listener.onLost?.(reason.message);
      isClosing = true;
    });
    worker.on('exit', (code) => {
      reject(new Error(`engine thread ended with code ${code}`));
      if (!isClosing) listener.onLost?.(`engine thread ended with code ${code}`);
    });
  });
  const close = async (): Promise<void> => {
    if (isClosing) return;
    isClosing = true;
    const exited = once(worker, 'exit');
    const command: EngineCommand = { type: 'close' };
    worker.postMessage(command, []);
    await exited;
  };
  return { engines: started, close };
}
