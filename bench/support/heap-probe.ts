/** Asks a node process that was started with `--inspect=127.0.0.1:0` how much its heaps hold. */

import { within } from '../../test/support/wait-for.ts';

const REPLY_LIMIT_MS = 10_000;
const ATTACH_MS = 200;

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string; readonly message?: string };
  readonly result?: { readonly usedSize?: number; readonly backingStorageSize?: number };
}

/** One connection to the inspector: the main thread and all workers that run when it is opened. */
export class HeapProbe {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #workers = new Set<string>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
  }

  /** `output` is what the process wrote when it started; it names the inspector's address. */
  static async open(output: string): Promise<HeapProbe> {
    const url = /ws:\/\/\S+/.exec(output)?.[0];
    if (url === undefined) throw new Error(`no inspector in\n${output}`);
    const socket = new WebSocket(url);
    const opened = new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`cannot reach ${url}`)));
    });
    await within('inspector', opened, REPLY_LIMIT_MS);
    const probe = new HeapProbe(socket);
    await probe.#call('NodeWorker.enable', { waitForDebuggerOnStart: false });
    await new Promise((resolve) => {
      setTimeout(resolve, ATTACH_MS);
    });
    return probe;
  }

  /** Bytes that are in use on all threads after a collection, typed arrays' memory included. */
  async usedBytes(): Promise<number> {
    let bytes = 0;
    for (const worker of [undefined, ...this.#workers]) {
      await this.#call('HeapProfiler.collectGarbage', {}, worker);
      const { result } = await this.#call('Runtime.getHeapUsage', {}, worker);
      bytes += (result?.usedSize ?? 0) + (result?.backingStorageSize ?? 0);
    }
    return bytes;
  }

  close(): void {
    this.#socket.close();
  }

  #call(method: string, params: object, worker?: string): Promise<Reply> {
    const replied = new Promise<Reply>((resolve) => {
      const message = JSON.stringify({ id: this.#nextId(resolve), method, params });
      if (worker === undefined) {
        this.#socket.send(message);
        return;
      }
      // A worker is reached through the main thread: its messages travel inside one of those.
      const envelope = { sessionId: worker, message };
      const id = this.#nextId(() => undefined);
      const wrapped = { id, method: 'NodeWorker.sendMessageToWorker', params: envelope };
      this.#socket.send(JSON.stringify(wrapped));
    });
    return within(`reply to ${method}`, replied, REPLY_LIMIT_MS);
  }

  #nextId(onReply: (reply: Reply) => void): number {
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, onReply);
    return this.#lastId;
  }

  #receive(text: string): void {
    const reply: Reply = JSON.parse(text);
    const { sessionId, message } = reply.params ?? {};
    if (reply.method === 'NodeWorker.attachedToWorker' && sessionId !== undefined) {
      this.#workers.add(sessionId);
    }
    if (reply.method === 'NodeWorker.detachedFromWorker' && sessionId !== undefined) {
      this.#workers.delete(sessionId);
    }
    if (reply.method === 'NodeWorker.receivedMessageFromWorker' && message !== undefined) {
      this.#receive(message);
    }
    if (reply.id === undefined) return;
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }
}
