/** What the heaps of this process hold, those of its worker threads included, after a collection. */

import type { Session } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';

/** Workers are told of one by one, shortly after they are asked for. */
const ATTACH_MS = 200;

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

interface Reply {
  readonly id: number;
  readonly result?: HeapUsage;
}

/** Typed arrays' memory is included. `session` is new. */
export async function usedHeapBytes(session: Session): Promise<number> {
  session.connect();
  const workers: string[] = [];
  const waiting = new Map<number, (usage: HeapUsage | undefined) => void>();
  session.on('NodeWorker.attachedToWorker', ({ params }) => workers.push(params.sessionId));
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const reply: Reply = JSON.parse(params.message);
    waiting.get(reply.id)?.(reply.result);
  });
  await post(session, 'NodeWorker.enable', { waitForDebuggerOnStart: false });
  await sleep(ATTACH_MS);
  await post(session, 'HeapProfiler.collectGarbage');
  let bytes = sizeOf(await post(session, 'Runtime.getHeapUsage'));
  let id = 0;
  for (const sessionId of workers) {
    for (const method of ['HeapProfiler.collectGarbage', 'Runtime.getHeapUsage']) {
      id += 1;
      const requestId = id;
      const replied = new Promise<HeapUsage | undefined>((resolve) => {
        waiting.set(requestId, resolve);
      });
      const message = JSON.stringify({ id: requestId, method });
      await post(session, 'NodeWorker.sendMessageToWorker', { sessionId, message });
      const usage = await replied;
      if (method === 'Runtime.getHeapUsage') bytes += sizeOf(usage);
    }
  }
  session.disconnect();
  return bytes;
}

function sizeOf(usage: HeapUsage | undefined): number {
  return (usage?.usedSize ?? 0) + (usage?.backingStorageSize ?? 0);
}

function post(session: Session, method: string, params: object = {}): Promise<HeapUsage> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => {
      if (error === null) resolve({ usedSize: 0, ...result });
      else reject(error);
    });
  });
}
