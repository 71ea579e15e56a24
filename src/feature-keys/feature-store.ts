/** The provider as the write path uses it: within the deadline of a turn, counted, its failures told apart. */

import type { Feature } from '../wire/feature-event.ts';
import type { FeatureCounters, ProviderOperation, ProviderResult } from './feature-counters.ts';
import type { FeatureActor, StoreFailure, UnknownAccount } from './feature-service.ts';
import type {
  AccountState,
  FeatureChange,
  FeatureFlags,
  FeatureProvider,
  FeatureState,
  Presentity,
  ProviderContext,
  SetResult,
} from './feature-state.ts';
import type { Settled, Turn } from './feature-turn.ts';

export type StoreRead =
  | { readonly type: 'state'; readonly state: AccountState }
  | UnknownAccount
  | StoreFailed;

/** A failure with what the log wants to know of it. */
export interface StoreFailed extends StoreFailure {
  readonly error: unknown;
}

/** Who asks, in which turn. */
export interface StoreCaller {
  readonly turn: Turn;
  readonly actor: FeatureActor;
  readonly requestId: string;
  readonly dialogs?: number;
}

export class FeatureStore {
  readonly #provider: FeatureProvider;
  readonly #counters: FeatureCounters;

  constructor(provider: FeatureProvider, counters: FeatureCounters) {
    this.#provider = provider;
    this.#counters = counters;
  }

  async read(presentity: Presentity, caller: StoreCaller): Promise<StoreRead> {
    const startedAtMs = performance.now();
    const settled = await caller.turn.within(
      started(() => this.#provider.getAll(presentity, contextOf(caller))),
    );
    if (settled.type === 'value') {
      const isUnknown = settled.value === undefined;
      this.#count('get', isUnknown ? 'unknown-account' : 'ok', startedAtMs);
      return settled.value === undefined
        ? { type: 'unknown-account' }
        : { type: 'state', state: settled.value };
    }
    this.#count('get', settled.type, startedAtMs);
    return failureOf(settled);
  }

  /**
   * Starts a set.
   *
   * @returns what came of it by the deadline, and the set itself, which may still succeed.
   */
  async set(
    change: { readonly presentity: Presentity; readonly feature: Feature } & FeatureChange,
    caller: StoreCaller,
  ): Promise<{ readonly settled: Settled<SetResult>; readonly running: Promise<SetResult> }> {
    const { presentity, feature, requested, current, proposed } = change;
    const startedAtMs = performance.now();
    const running = started(() =>
      this.#provider.set(presentity, feature, { requested, current, proposed }, contextOf(caller)),
    );
    const settled = await caller.turn.within(running);
    this.#count('set', settled.type === 'value' ? 'ok' : settled.type, startedAtMs);
    return { settled, running };
  }

  /** @returns `undefined` where the store alone decides such things. */
  async configure(
    change: {
      readonly presentity: Presentity;
      readonly feature: Feature;
      readonly flags: FeatureFlags;
    },
    caller: StoreCaller,
  ): Promise<Settled<FeatureState> | undefined> {
    const provider = this.#provider;
    if (provider.configure === undefined) return undefined;
    const { presentity, feature, flags } = change;
    const startedAtMs = performance.now();
    const settled = await caller.turn.within(
      // The method keeps its object: a provider may be a class.
      started(async () => provider.configure?.(presentity, feature, flags, contextOf(caller))),
    );
    this.#count('configure', settled.type === 'value' ? 'ok' : settled.type, startedAtMs);
    if (settled.type !== 'value') return settled;
    return settled.value === undefined ? undefined : { type: 'value', value: settled.value };
  }

  #count(operation: ProviderOperation, result: ProviderResult, startedAtMs: number): void {
    const seconds = (performance.now() - startedAtMs) / 1000;
    this.#counters.providerAnswered(operation, result, seconds);
  }
}

export function failureOf(settled: Exclude<Settled<unknown>, { type: 'value' }>): StoreFailed {
  return settled.type === 'timeout'
    ? { type: 'failed', cause: 'timeout', error: undefined }
    : { type: 'failed', cause: 'storage', error: settled.error };
}

/** A provider that throws at once has failed like one that rejects. */
async function started<T>(operation: () => Promise<T>): Promise<T> {
  return await operation();
}

function contextOf({ turn, actor, requestId, dialogs }: StoreCaller): ProviderContext {
  return {
    source: actor.source,
    actor: actor.actor,
    param: actor.param ?? null,
    requestId,
    deadlineMs: turn.remainingMs,
    signal: turn.signal,
    ...(actor.sip === undefined ? {} : { sip: actor.sip }),
    origin: actor.origin,
    ...(dialogs === undefined ? {} : { dialogs }),
  };
}
