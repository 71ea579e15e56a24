/** State in a store of somebody else, history in a file of ours, which also counts versions where that store does not. */

import type { Feature } from '../../wire/feature-event.ts';
import type {
  AccountState,
  FeatureChange,
  FeatureHistory,
  FeatureProvider,
  HistoryValue,
  Presentity,
  ProviderContext,
  SetResult,
} from '../feature-state.ts';
import { DEFAULT_ACCOUNT, accountOf, historyValue } from './account-shape.ts';
import type { ForeignAccount } from './foreign-account.ts';
import type { FeatureStoreDeps } from './open-store.ts';
import type { SeenVersion } from './sqlite-protocol.ts';
import { SqliteThread, closeAfter, sqliteHistory } from './sqlite-store.ts';

/** What answers for an http or module provider; a rejected promise is a failure. */
export interface ForeignStore {
  /** @returns `undefined`: it says that there is no such account. */
  getAll(presentity: Presentity, context: ProviderContext): Promise<ForeignAccount | undefined>;
  set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult>;
  watch?(changed: (presentity: Presentity, feature?: Feature) => void): () => void;
  close(): Promise<void>;
}

export interface ForeignStoreOptions {
  readonly historyFile: string;
  readonly keepMs: number;
  readonly unknownAccount: 'accept' | 'reject';
}

/**
 * Opens the history file first, then the store itself.
 *
 * @throws Error that names what cannot be opened and says why.
 */
export async function openForeignStore(
  options: ForeignStoreOptions,
  deps: FeatureStoreDeps,
  open: () => Promise<ForeignStore>,
): Promise<{ readonly provider: FeatureProvider; readonly history: FeatureHistory }> {
  const thread = await SqliteThread.open(options.historyFile, deps);
  const closeHalf = closeAfter(2, () => thread.close());
  try {
    const store = await open();
    const isLenient = options.unknownAccount === 'accept';
    return {
      provider: new ForeignProvider({ store, thread, deps, isLenient, closed: closeHalf }),
      history: sqliteHistory(thread, options.keepMs, deps, closeHalf),
    };
  } catch (error) {
    await thread.close();
    throw error;
  }
}

interface Parts {
  readonly store: ForeignStore;
  readonly thread: SqliteThread;
  readonly deps: FeatureStoreDeps;
  /** True: an account that the store does not know has every feature, off. */
  readonly isLenient: boolean;
  readonly closed: () => Promise<void>;
}

class ForeignProvider implements FeatureProvider {
  readonly writesHistory = false;
  readonly watch?: NonNullable<FeatureProvider['watch']>;
  readonly #parts: Parts;
  /** The store counts versions itself: it did so in its last answer. */
  #isCounting = false;
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { store } = parts;
    if (store.watch !== undefined) {
      this.watch = (changed) => store.watch?.(changed) ?? (() => undefined);
    }
  }

  async getAll(
    presentity: Presentity,
    context: ProviderContext,
  ): Promise<AccountState | undefined> {
    if (this.#isClosed) throw new Error('the feature store is closed');
    const { store, isLenient } = this.#parts;
    const account = await store.getAll(presentity, context);
    if (account === undefined) return isLenient ? DEFAULT_ACCOUNT : undefined;
    this.#isCounting = Object.values(account).every(({ version }) => version !== undefined);
    const seen = await this.#remember(
      presentity,
      accountOf((feature) => historyValue(account[feature])),
    );
    return accountOf((feature) => {
      const { version, updatedAt, ...state } = account[feature];
      return {
        ...state,
        version: version ?? seen?.[feature].version ?? 0,
        updatedAt: updatedAt ?? seen?.[feature].updatedAt ?? '',
      };
    });
  }

  async set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult> {
    if (this.#isClosed) throw new Error('the feature store is closed');
    const result = await this.#parts.store.set(presentity, feature, change, context);
    if (result.outcome !== 'applied' || !result.assigned) return result;
    const seen = await this.#remember(presentity, { [feature]: historyValue(result) });
    if (result.version !== undefined) return result;
    const next = change.current.version + 1;
    const version = this.#isCounting ? next : (seen?.[feature].version ?? next);
    return { ...result, version };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#parts.store.close();
    await this.#parts.closed();
  }

  /** Versions are a convenience: without the file that counts them, the store itself still decides. */
  async #remember(
    presentity: Presentity,
    values: Partial<Record<Feature, HistoryValue>>,
  ): Promise<Readonly<Record<Feature, SeenVersion>> | undefined> {
    const { thread, deps } = this.#parts;
    const at = new Date(deps.nowMs()).toISOString();
    try {
      return await thread.ask({ type: 'remember', sighting: { presentity, values, at } });
    } catch (error) {
      deps.log.warn({ err: error, presentity }, 'versions of features were not counted');
      return undefined;
    }
  }
}
