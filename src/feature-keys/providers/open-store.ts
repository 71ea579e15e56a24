/** Opens what `feature-keys.provider` names: where the state lives, and where its history does. */

import type { FeatureKeysConfig } from '../../config/feature-keys-config.ts';
import type { Log } from '../../observe/log.ts';
import type { FeatureHistory, FeatureProvider } from '../feature-state.ts';
import { openForeignStore } from './foreign-store.ts';
import { openHttpProvider } from './http-provider.ts';
import { openModuleProvider } from './module-provider.ts';
import { openPostgresStore } from './postgres-provider.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { type OpenedStore, StoreSwap } from './store-swap.ts';

export interface FeatureStoreDeps {
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
}

/** Provider and history keep their identity over a reload; close both. */
export interface FeatureStore {
  readonly provider: FeatureProvider;
  readonly history: FeatureHistory;
  /**
   * Takes a new configuration, and a module anew even if nothing changed. The old store stays where the new one
   * cannot be opened.
   *
   * @throws Error that says why it cannot, or that `provider.kind` changed.
   */
  reload(config: FeatureStoreConfig): Promise<void>;
}

export type FeatureStoreConfig = Pick<FeatureKeysConfig, 'provider' | 'history'>;

/** @throws Error that names the store and says why it cannot be opened. */
export async function openFeatureStore(
  config: FeatureStoreConfig,
  deps: FeatureStoreDeps,
): Promise<FeatureStore> {
  const swap = new StoreSwap(await openKind(config, deps));
  const { provider, history } = swap;
  const reloading = new Reloading(config, swap, deps);
  return { provider, history, reload: (next) => reloading.reload(next) };
}

class Reloading {
  readonly #swap: StoreSwap;
  readonly #deps: FeatureStoreDeps;
  #config: FeatureStoreConfig;
  #last: Promise<void> = Promise.resolve();

  constructor(config: FeatureStoreConfig, swap: StoreSwap, deps: FeatureStoreDeps) {
    this.#config = config;
    this.#swap = swap;
    this.#deps = deps;
  }

  /** One after the other. */
  reload(next: FeatureStoreConfig): Promise<void> {
    const turn = this.#reload(next, this.#last);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #reload(next: FeatureStoreConfig, before: Promise<void>): Promise<void> {
    await before;
    const { kind } = next.provider;
    if (kind !== this.#config.provider.kind) {
      throw new Error('feature-keys.provider.kind cannot change while the SBC runs');
    }
    if (kind !== 'module' && isSame(next, this.#config)) return;
    await this.#swap.replace(await openKind(next, this.#deps));
    this.#config = next;
  }
}

function isSame(left: FeatureStoreConfig, right: FeatureStoreConfig): boolean {
  const text = ({ provider, history }: FeatureStoreConfig): string =>
    JSON.stringify({ provider, history });
  return text(left) === text(right);
}

function openKind(config: FeatureStoreConfig, deps: FeatureStoreDeps): Promise<OpenedStore> {
  const { provider, history } = config;
  if (provider.kind === 'sqlite') {
    const { file, unknownAccount } = provider;
    return openSqliteStore({ file, unknownAccount, keepMs: history.keepMs }, deps);
  }
  if (provider.kind === 'postgres') {
    return openPostgresStore(provider, history.keepMs, deps);
  }
  const { unknownAccount } = provider;
  const options = { historyFile: history.file, keepMs: history.keepMs, unknownAccount };
  return openForeignStore(options, deps, async () =>
    provider.kind === 'http'
      ? openHttpProvider(provider, deps)
      : openModuleProvider(provider, deps),
  );
}
