import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import { loadConfigText } from './load-file.ts';
import type { LintFinding } from './lint.ts';
import { type LoadedConfig, loadedLater } from './load.ts';
import { type LoadCommand, type LoadReply, slicesOf } from './load-protocol.ts';
import type { ConfigPlan } from './plan.ts';
import type { ConfigProblem, Path } from './problem.ts';
import { returnItems } from './thread-parts.ts';

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

/** What the linter says about a configuration that is valid. */
export interface ThreadChecked {
  readonly type: 'checked';
  readonly findings: readonly LintFinding[];
}

/** What a configuration would change. */
export interface ThreadPlanned {
  readonly type: 'planned';
  /** Without agents, groups and policies. */
  readonly config: Config;
  readonly lineOf: (path: Path) => number | undefined;
  readonly plan: ConfigPlan;
}

export type ThreadInvalid = Extract<ThreadLoaded, { readonly type: 'invalid' }>;

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
    return this.#inTurn((worker) => loadIn(worker, { type: 'load', file: this.#file, text }));
  }

  /** Looks through the file, or `text` in its place. */
  check(text?: string): Promise<ThreadChecked | ThreadInvalid> {
    return this.#inTurn((worker) => checkIn(worker, { type: 'check', file: this.#file, text }));
  }

  /**
   * Compares the file, or `text` in its place, with what is in use.
   *
   * @returns `undefined` when `inUse.text` cannot be read as a file any more.
   */
  plan(inUse: InUse, text?: string): Promise<ThreadPlanned | ThreadInvalid | undefined> {
    const command = { type: 'plan', file: this.#file, text } as const;
    return this.#inTurn((worker) => planIn(worker, inUse, command));
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #inTurn<T>(task: (worker: Worker) => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.#do(task));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #do<T>(task: (worker: Worker) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#worker ??= new Worker(new URL('./load.worker.ts', import.meta.url), { name: 'config' });
    const worker = this.#worker;
    worker.ref();
    try {
      return await task(worker);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      worker.unref();
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
    }
  }
}

/** A configuration in use and what it was loaded from. */
export interface InUse {
  readonly config: Config;
  readonly text: string;
}

type Command<T extends LoadCommand['type']> = Extract<LoadCommand, { readonly type: T }>;

async function checkIn(
  worker: Worker,
  command: Command<'check'>,
): Promise<ThreadChecked | ThreadInvalid> {
  const checked = await ask(worker, command);
  if (checked.type === 'invalid') return checked;
  if (checked.type !== 'checked') throw new Error(`expected findings, not ${checked.type}`);
  await takeParts(worker, checked);
  return checked;
}

async function planIn(
  worker: Worker,
  { config, text }: InUse,
  command: Command<'plan'>,
): Promise<ThreadPlanned | ThreadInvalid | undefined> {
  const { head, slices } = slicesOf(config);
  const tell = (inUse: LoadCommand): void => worker.postMessage(inUse, []);
  tell({ type: 'in-use', config: head, text });
  for (const { list, items } of slices) {
    tell({ type: 'in-use-slice', list, items });
    await setImmediate();
  }
  const planned = await ask(worker, command);
  if (planned.type === 'invalid') return planned;
  if (planned.type === 'unplanned') return undefined;
  if (planned.type !== 'planned') throw new Error(`expected a plan, not ${planned.type}`);
  await takeParts(worker, planned);
  const lines = new Map(planned.lines);
  const { config: next, plan } = planned;
  return { type: 'planned', config: next, plan, lineOf: (path) => lineIn(lines, path) };
}

async function takeParts(worker: Worker, answer: object): Promise<void> {
  for (;;) {
    const reply = await ask(worker, { type: 'next' });
    if (reply.type !== 'part') return;
    returnItems(answer, reply.part);
  }
}

async function loadIn(worker: Worker, command: Command<'load'>): Promise<ThreadLoaded> {
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
  const load = (): LoadedConfig => ({ ...loadConfigText(text, command.file), file });
  loadedLater(config, load, { text, file });
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
