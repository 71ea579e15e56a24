/** Thread of a provider module: loads it, passes requests to it and answers in whatever order it is done. */

import { parentPort, workerData } from 'node:worker_threads';
import { ModuleHost, type ModuleOptions } from './module-host.ts';
import type { ModuleRequest } from './module-provider.ts';
import type { FromThread, ToThread } from './thread-protocol.ts';

const options: ModuleOptions = workerData;
const running = new Map<number, AbortController>();

function post(message: FromThread): void {
  parentPort?.postMessage(message, []);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function ask(host: ModuleHost, request: ModuleRequest, signal: AbortSignal): Promise<unknown> {
  if (request.type === 'close') return host.close();
  const { presentity, context } = request;
  if (request.type === 'get') return host.getAll(presentity, { ...context, signal });
  const { feature, change } = request;
  return host.set(presentity, feature, change, { ...context, signal });
}

async function answer(host: ModuleHost, id: number, request: ModuleRequest): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    // A result that cannot be passed on is a failure of the module as well.
    post({ type: 'done', id, result: await ask(host, request, abort.signal) });
  } catch (error) {
    post({ type: 'failed', id, message: messageOf(error) });
  } finally {
    running.delete(id);
  }
}

async function serve(): Promise<void> {
  const host = await ModuleHost.load(options);
  parentPort?.on('message', (message: ToThread<ModuleRequest>) => {
    if (message.type === 'ping') post({ type: 'pong' });
    else if (message.type === 'abort') running.get(message.id)?.abort();
    else void answer(host, message.id, message.request);
  });
  if (host.isWatching) {
    await host.watch((presentity, feature) => {
      post({ type: 'event', event: { presentity, feature } });
    });
  }
  post({ type: 'ready' });
}

try {
  await serve();
} catch (error) {
  post({ type: 'unusable', message: messageOf(error) });
}
