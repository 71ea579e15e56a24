import { Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import { loadConfigText } from './load-file.ts';
import { loadedLater } from './load.ts';
import type { LoadCommand, LoadReply } from './load-protocol.ts';
import type { ConfigProblem, Path } from './problem.ts';

/** A configuration as it came out of the loading thread. */
export type ThreadLoaded =
  | {
      readonly type: 'config';
      readonly config: Config;
      readonly file: string;
      /** 1-based line of a path of the file or of what it stands in. */
      readonly lineOf: (path: Path) => number | undefined;
    }
  | {
      readonly type: 'invalid';
      readonly file: string;
      readonly problems: readonly ConfigProblem[];
    };

/** Without work for so long the thread ends; starting it takes half a second of another core. */
const IDLE_MS = 60_000;

/** Loads configurations in a thread of its own, one after the other; the event loop goes on meanwhile. */
export class LoadThread {
  readonly #file: string | undefined;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param file as given on the command line */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  /** Loads the file, or `text` as if it stood there; rejects when the thread breaks down. */
  load(text?: string): Promise<ThreadLoaded> {
    const loaded = this.#turn.then(() => this.#load(text));
    this.#turn = loaded.catch(() => undefined);
    return loaded;
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #load(text: string | undefined): Promise<ThreadLoaded> {
    clearTimeout(this.#idle);
    this.#worker ??= new Worker(new URL('./load.worker.ts', import.meta.url), { name: 'config' });
    const worker = this.#worker;
    worker.ref();
    try {
      return await loadIn(worker, { type: 'load', file: this.#file, text });
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      worker.unref();
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
    }
  }
}

async function loadIn(
  worker: Worker,
  command: Extract<LoadCommand, { readonly type: 'load' }>,
): Promise<ThreadLoaded> {
  const first = await ask(worker, command);
  if (first.type === 'invalid') return first;
  if (first.type !== 'head') throw new Error(`expected a configuration, not ${first.type}`);
  const lists = { localPolicies: [], sessionAgents: [], sessionGroups: [] };
  const longLists: Record<keyof typeof lists, unknown[]> = lists;
  for (;;) {
    const reply = await ask(worker, { type: 'next' });
    if (reply.type !== 'slice') break;
    freeze(reply.items);
    longLists[reply.list].push(...reply.items);
  }
  const lines = new Map(first.lines);
  const config = freeze({ ...first.config, ...lists });
  const { text, file } = first;
  loadedLater(config, () => ({ ...loadConfigText(text, command.file), file }));
  return {
    type: 'config',
    config,
    file: first.file,
    lineOf: (path) => lineIn(lines, path),
  };
}

/** One reply for each command. */
function ask(worker: Worker, command: LoadCommand): Promise<LoadReply> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onReply);
      worker.off('error', onError);
      worker.off('exit', onExit);
    };
    const onReply = (reply: LoadReply): void => {
      settle();
      resolve(reply);
    };
    const onError = (error: unknown): void => {
      settle();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onExit = (): void => onError(new Error('the loading thread ended'));
    worker.on('message', onReply);
    worker.on('error', onError);
    worker.on('exit', onExit);
    worker.postMessage(command, []);
  });
}

function lineIn(lines: ReadonlyMap<string, number>, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines.get(JSON.stringify(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return undefined;
}

/** What is frozen already has been gone through. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const child of Object.values(value)) freeze(child);
    Object.freeze(value);
  }
  return value;
}
