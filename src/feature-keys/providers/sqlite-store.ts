/** Feature state and its history in one SQLite file, which one thread writes and another one reads. */

import { Worker } from 'node:worker_threads';
import type { Feature } from '../../wire/feature-event.ts';
import type {
  AccountState,
  FeatureChange,
  FeatureFlags,
  FeatureHistory,
  FeatureProvider,
  FeatureState,
  HistoryQuery,
  HistoryRow,
  Presentity,
  ProviderContext,
  SetResult,
  StoredHistoryRow,
} from '../feature-state.ts';
import { DEFAULT_ACCOUNT } from './account-shape.ts';
import { traceOf } from './history-shape.ts';
import { HistoryPruning } from './history-pruning.ts';
import type { FeatureStoreDeps } from './open-store.ts';
import type {
  SqliteAccess,
  SqliteRequest,
  SqliteResults,
  SqliteWorkerOptions,
} from './sqlite-protocol.ts';
import { ThreadCalls } from './thread-calls.ts';

/** Time to write down what was asked before. */
const CLOSE_MS = 5000;

export interface SqliteStoreOptions {
  readonly file: string;
  /** 0: history is kept for ever. */
  readonly keepMs: number;
  readonly unknownAccount: 'accept' | 'reject';
}

/** The thread of one file. */
export class SqliteThread {
  readonly #calls: ThreadCalls;

  private constructor(calls: ThreadCalls) {
    this.#calls = calls;
  }

  /** @throws Error that names the file and says why it cannot be used. */
  static async open(
    file: string,
    deps: FeatureStoreDeps,
    access: SqliteAccess = 'write',
  ): Promise<SqliteThread> {
    const workerData: SqliteWorkerOptions = { file, access };
    const calls = await ThreadCalls.start({
      name: `thread of feature database ${file}`,
      start: () =>
        new Worker(new URL('./sqlite.worker.ts', import.meta.url), {
          name: access === 'write' ? 'feature-store' : 'feature-reader',
          workerData,
          // Node 24 warns that its SQLite is young.
          execArgv: ['--disable-warning=ExperimentalWarning'],
        }),
      onDeath: (reason) => deps.log.error({ file, reason }, 'thread of the feature database died'),
    });
    return new SqliteThread(calls);
  }

  /** The thread answers each request with the result of its type. */
  ask<Request extends SqliteRequest>(
    request: Request,
    signal?: AbortSignal,
  ): Promise<SqliteResults[Request['type']]> {
    return this.#calls.call<SqliteResults[Request['type']]>(request, signal);
  }

  close(): Promise<void> {
    const last: SqliteRequest = { type: 'close' };
    return this.#calls.close(last, CLOSE_MS);
  }
}

/** @throws Error that names the file and says why it cannot be used. */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  deps: FeatureStoreDeps,
): Promise<{ readonly provider: FeatureProvider; readonly history: FeatureHistory }> {
  const thread = await SqliteThread.open(options.file, deps);
  const reader = await openReader(thread, options.file, deps);
  const closeHalf = closeAfter(2, async () => {
    // The last one to close takes what the journal holds into the file, and must be able to write.
    if (reader !== thread) await reader.close();
    await thread.close();
  });
  const provider = new SqliteProvider({ thread, reader, options, deps, closed: closeHalf });
  return { provider, history: sqliteHistory(thread, options.keepMs, deps, closeHalf) };
}

/** A thread of its own for reading: a write that waits for another process would hold up every phone that fetches. */
async function openReader(
  thread: SqliteThread,
  file: string,
  deps: FeatureStoreDeps,
): Promise<SqliteThread> {
  if (file === ':memory:') return thread;
  try {
    return await SqliteThread.open(file, deps, 'read');
  } catch (error) {
    await thread.close();
    throw error;
  }
}

/** The history alone, for stores that keep the state elsewhere. */
export function sqliteHistory(
  thread: SqliteThread,
  keepMs: number,
  deps: FeatureStoreDeps,
  closed: () => Promise<void>,
): FeatureHistory {
  const pruning = new HistoryPruning({
    keepMs,
    nowMs: deps.nowMs,
    step: (before) => thread.ask({ type: 'prune', before }),
    onFailure: (error) => deps.log.warn({ err: error }, 'feature history was not pruned'),
  });
  return new SqliteHistory(thread, pruning, closed);
}

/** Gives what is called once for each of `parts` and closes with the last one. */
export function closeAfter(parts: number, close: () => Promise<void>): () => Promise<void> {
  let left = parts;
  return async () => {
    left -= 1;
    if (left === 0) await close();
  };
}

class SqliteProvider implements FeatureProvider {
  readonly writesHistory = true;
  readonly #thread: SqliteThread;
  readonly #reader: SqliteThread;
  readonly #rejectsUnknown: boolean;
  readonly #nowMs: () => number;
  readonly #closed: () => Promise<void>;
  #isClosed = false;

  constructor(parts: {
    readonly thread: SqliteThread;
    readonly reader: SqliteThread;
    readonly options: SqliteStoreOptions;
    readonly deps: FeatureStoreDeps;
    readonly closed: () => Promise<void>;
  }) {
    this.#thread = parts.thread;
    this.#reader = parts.reader;
    this.#rejectsUnknown = parts.options.unknownAccount === 'reject';
    this.#nowMs = parts.deps.nowMs;
    this.#closed = parts.closed;
  }

  async getAll(
    presentity: Presentity,
    context: ProviderContext,
  ): Promise<AccountState | undefined> {
    const stored = await this.#reader.ask({ type: 'get', presentity }, context.signal);
    return stored ?? (this.#rejectsUnknown ? undefined : DEFAULT_ACCOUNT);
  }

  async set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult> {
    const { status, values } = change.proposed;
    const { current } = change;
    const [at, trace] = [this.#at(), traceOf(context)];
    const set = { presentity, feature, current, status, values, at, trace };
    const { outcome, state } = await this.#thread.ask({ type: 'set', set }, context.signal);
    return {
      outcome,
      status: state.status,
      values: state.values,
      assigned: state.assigned,
      notify: true,
      version: state.version,
    };
  }

  configure(
    presentity: Presentity,
    feature: Feature,
    flags: FeatureFlags,
    context: ProviderContext,
  ): Promise<FeatureState> {
    const configure = { presentity, feature, flags, at: this.#at() };
    return this.#thread.ask({ type: 'configure', configure }, context.signal);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#closed();
  }

  #at(): string {
    return new Date(this.#nowMs()).toISOString();
  }
}

class SqliteHistory implements FeatureHistory {
  readonly #thread: SqliteThread;
  readonly #pruning: HistoryPruning;
  readonly #closed: () => Promise<void>;
  #isClosed = false;

  constructor(thread: SqliteThread, pruning: HistoryPruning, closed: () => Promise<void>) {
    this.#thread = thread;
    this.#pruning = pruning;
    this.#closed = closed;
  }

  add(row: HistoryRow): Promise<void> {
    return this.#thread.ask({ type: 'add', row });
  }

  list(presentity: Presentity, query: HistoryQuery): Promise<readonly StoredHistoryRow[]> {
    return this.#thread.ask({ type: 'list', presentity, query });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#pruning.close();
    await this.#closed();
  }
}
