/** A store that can be replaced by another while it is in use: operations end where they began. */

import type { Feature } from '../../wire/feature-event.ts';
import { ALL_ACCOUNTS } from './account-shape.ts';
import type {
  FeatureHistory,
  FeatureProvider,
  FeatureState,
  Presentity,
} from '../feature-state.ts';

export interface OpenedStore {
  readonly provider: FeatureProvider;
  readonly history: FeatureHistory;
}

type Configure = NonNullable<FeatureProvider['configure']>;

type Changed = (presentity: Presentity, feature?: Feature) => void;

interface Holder {
  readonly store: OpenedStore;
  readonly stopWatching: () => void;
  readonly running: Set<Promise<unknown>>;
}

export class StoreSwap {
  /** These two stay the same over every swap. */
  readonly provider: FeatureProvider;
  readonly history: FeatureHistory;
  readonly #listeners = new Set<Changed>();
  #holder: Holder;
  #isClosed = false;

  constructor(first: OpenedStore) {
    this.#holder = this.#hold(first);
    const isConfigurable = first.provider.configure !== undefined;
    this.provider = {
      writesHistory: first.provider.writesHistory,
      getAll: (...call) => this.#run(({ provider }) => provider.getAll(...call)),
      set: (...call) => this.#run(({ provider }) => provider.set(...call)),
      watch: (changed) => this.#watch(changed),
      close: () => this.#close('provider'),
      ...(isConfigurable ? { configure: (...call) => this.#configure(...call) } : {}),
    };
    this.history = {
      add: (row) => this.#run(({ history }) => history.add(row)),
      list: (...call) => this.#run(({ history }) => history.list(...call)),
      close: () => this.#close('history'),
    };
  }

  /**
   * From now on `next` is used. What still runs in the store before ends there, then that store is closed.
   *
   * @throws Error, with `next` closed, when this one is closed, or when `next` can do other things than the first one.
   */
  async replace(next: OpenedStore): Promise<void> {
    const misfit = this.#misfit(next);
    if (misfit !== undefined) {
      await closeStore(next);
      throw new Error(misfit);
    }
    const before = this.#holder;
    this.#holder = this.#hold(next);
    before.stopWatching();
    await Promise.allSettled(before.running);
    await closeStore(before.store);
    // It may hold other values than the one before.
    this.#changed(ALL_ACCOUNTS);
  }

  #misfit(next: OpenedStore): string | undefined {
    if (this.#isClosed) return 'the feature store is closed';
    const { provider } = next;
    const isAlike =
      (provider.configure === undefined) === (this.provider.configure === undefined) &&
      provider.writesHistory === this.provider.writesHistory;
    return isAlike ? undefined : 'this change of the feature provider takes a restart';
  }

  #hold(store: OpenedStore): Holder {
    const stopWatching = store.provider.watch?.((presentity, feature) => {
      this.#changed(presentity, feature);
    });
    return { store, stopWatching: stopWatching ?? (() => undefined), running: new Set() };
  }

  #configure(...call: Parameters<Configure>): Promise<FeatureState> {
    return this.#run(async ({ provider }) => {
      const state = await provider.configure?.(...call);
      if (state === undefined) throw new Error('the feature provider decides these flags itself');
      return state;
    });
  }

  #run<T>(work: (store: OpenedStore) => Promise<T>): Promise<T> {
    const { store, running } = this.#holder;
    const result = work(store);
    running.add(result);
    return result.finally(() => running.delete(result));
  }

  #changed(presentity: Presentity, feature?: Feature): void {
    for (const listener of this.#listeners) listener(presentity, feature);
  }

  #watch(changed: Changed): () => void {
    this.#listeners.add(changed);
    return () => {
      this.#listeners.delete(changed);
    };
  }

  async #close(part: 'provider' | 'history'): Promise<void> {
    this.#isClosed = true;
    const { store, stopWatching } = this.#holder;
    if (part === 'provider') stopWatching();
    await store[part].close();
  }
}

async function closeStore({ provider, history }: OpenedStore): Promise<void> {
  await provider.close();
  await history.close();
}
