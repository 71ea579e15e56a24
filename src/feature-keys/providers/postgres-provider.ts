/** Feature state and its history in PostgreSQL, which several nodes may share. */

import { randomUUID } from 'node:crypto';
import type { FeatureProviderConfig } from '../../config/feature-keys-config.ts';
import type { Feature } from '../../wire/feature-event.ts';
import { PostgresClient, type PostgresSession } from '../postgres-client.ts';
import type {
  AccountState,
  FeatureChange,
  FeatureFlags,
  FeatureProvider,
  FeatureState,
  Presentity,
  ProviderContext,
  SetResult,
} from '../feature-state.ts';
import { ALL_ACCOUNTS, DEFAULT_ACCOUNT, historyValue } from './account-shape.ts';
import { HistoryPruning } from './history-pruning.ts';
import { traceOf } from './history-shape.ts';
import type { FeatureStoreDeps } from './open-store.ts';
import {
  type AccountSetDone,
  type PostgresAccounts,
  StatementAccounts,
  TableAccounts,
} from './postgres-accounts.ts';
import { PostgresHistory, addHistoryRow, lockAccount, pruneHistory } from './postgres-history.ts';
import { preparePostgres } from './postgres-schema.ts';
import { PostgresWatch } from './postgres-watch.ts';
import { closeAfter } from './sqlite-store.ts';
import type { OpenedStore } from './store-swap.ts';

export type PostgresProviderConfig = Extract<FeatureProviderConfig, { readonly kind: 'postgres' }>;

const CHANNEL = 'dfks_changed';

/** @throws Error that says why the database cannot be used; its address, which holds the password, is not named. */
export async function openPostgresStore(
  config: PostgresProviderConfig,
  keepMs: number,
  deps: FeatureStoreDeps,
): Promise<OpenedStore> {
  const accounts = accountsOf(config);
  const client = new PostgresClient(config.url);
  const closeHalf = closeAfter(2, () => client.close());
  try {
    await preparePostgres(client);
    const isLenient = config.unknownAccount === 'accept';
    const provider = new PostgresProvider({ client, accounts, deps, isLenient, closed: closeHalf });
    await provider.start();
    const pruning = new HistoryPruning({
      keepMs,
      nowMs: deps.nowMs,
      step: (before) => pruneHistory(client, before),
      onFailure: (error) => deps.log.warn({ err: error }, 'feature history was not pruned'),
    });
    return {
      provider: accounts instanceof TableAccounts ? configurable(provider, accounts) : provider,
      history: new PostgresHistory(client, pruning, closeHalf),
    };
  } catch (error) {
    await client.close();
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`feature provider postgres cannot be used: ${text}`, { cause: error });
  }
}

function accountsOf({ getSql, setSql }: PostgresProviderConfig): PostgresAccounts {
  if (getSql === undefined && setSql === undefined) return new TableAccounts();
  if (getSql === undefined || setSql === undefined) {
    throw new Error('feature provider postgres: get-sql and set-sql belong together');
  }
  return new StatementAccounts({ getSql, setSql });
}

interface Parts {
  readonly client: PostgresClient;
  readonly accounts: PostgresAccounts;
  readonly deps: FeatureStoreDeps;
  /** True: an account that is not stored has every feature, off. */
  readonly isLenient: boolean;
  readonly closed: () => Promise<void>;
}

class PostgresProvider implements FeatureProvider {
  readonly writesHistory = true;
  readonly #parts: Parts;
  readonly #listeners = new Set<(presentity: Presentity) => void>();
  /** Marks what this node tells the others: no account name has a space in it. */
  readonly #mark = ` ${randomUUID()}`;
  #isClosed = false;
  #watch: PostgresWatch | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { client, deps } = this.#parts;
    this.#watch = await PostgresWatch.start({
      listen: (heard, ended) => client.listen(CHANNEL, heard, ended),
      onNotification: (payload) => {
        if (payload.endsWith(this.#mark)) return;
        const [presentity = ''] = payload.split(' ');
        if (presentity !== '') this.#changed(presentity);
      },
      onLost: () => deps.log.warn('changes in the feature database are not heard for now'),
      onBack: () => {
        deps.log.info('changes in the feature database are heard again');
        // What was told while nobody listened is made up for.
        this.#changed(ALL_ACCOUNTS);
      },
    });
  }

  async getAll(
    presentity: Presentity,
    context: ProviderContext,
  ): Promise<AccountState | undefined> {
    context.signal.throwIfAborted();
    this.#refuseClosed();
    const { client, accounts, isLenient } = this.#parts;
    const account = await accounts.read(client, presentity);
    return account ?? (isLenient ? DEFAULT_ACCOUNT : undefined);
  }

  async set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult> {
    const at = new Date(this.#parts.deps.nowMs()).toISOString();
    const set = { presentity, feature, change, at };
    return this.inTurn(presentity, context.signal, async (session) => {
      const done = await this.#parts.accounts.set(session, set);
      if (done.result.outcome === 'applied') {
        await addHistoryRow(session, { ...traceOf(context), ...appliedRow(set, done) });
        await this.tellOthers(session, presentity);
      }
      return done.result;
    });
  }

  /** A transaction that no other one of this account, on whatever node, runs beside. */
  inTurn<T>(
    presentity: Presentity,
    signal: AbortSignal,
    work: (session: PostgresSession) => Promise<T>,
  ): Promise<T> {
    this.#refuseClosed();
    return this.#parts.client.transaction(async (session) => {
      await lockAccount(session, presentity);
      return work(session);
    }, signal);
  }

  /** When the transaction is committed. */
  async tellOthers(session: PostgresSession, presentity: Presentity): Promise<void> {
    await session.query('SELECT pg_notify($1, $2)', [CHANNEL, presentity + this.#mark]);
  }

  watch(changed: (presentity: Presentity, feature?: Feature) => void): () => void {
    this.#listeners.add(changed);
    return () => {
      this.#listeners.delete(changed);
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#watch?.close();
    await this.#parts.closed();
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new Error('the feature store is closed');
  }

  #changed(presentity: Presentity): void {
    for (const listener of this.#listeners) listener(presentity);
  }
}

/** With tables of ours, features are assigned and locked there as well. */
function configurable(provider: PostgresProvider, tables: TableAccounts): FeatureProvider {
  return {
    writesHistory: provider.writesHistory,
    getAll: (...call) => provider.getAll(...call),
    set: (...call) => provider.set(...call),
    watch: (changed) => provider.watch(changed),
    close: () => provider.close(),
    configure: async (
      presentity: Presentity,
      feature: Feature,
      flags: FeatureFlags,
      context: ProviderContext,
    ): Promise<FeatureState> =>
      provider.inTurn(presentity, context.signal, async (session) => {
        const state = await tables.configure(session, { presentity, feature }, flags);
        await provider.tellOthers(session, presentity);
        return state;
      }),
  };
}

function appliedRow(
  set: { readonly presentity: Presentity; readonly feature: Feature; readonly at: string },
  { result, old }: AccountSetDone,
) {
  const { presentity, feature, at } = set;
  const { version = 0 } = result;
  return {
    at,
    presentity,
    feature,
    outcome: 'applied' as const,
    old,
    new: historyValue(result),
    version,
  };
}
