/** The write path of feature state: every change, whoever makes it, passes here. */

import { randomUUID } from 'node:crypto';
import type { Log } from '../observe/log.ts';
import type { Feature } from '../wire/feature-event.ts';
import { AccountTurns } from './account-turns.ts';
import { CallStates } from './call-states.ts';
import { parseRingCount } from './change-rules.ts';
import { FeatureAccounts } from './feature-accounts.ts';
import { ChangeRun } from './feature-changes.ts';
import type { ChangeRequest, FeatureParts } from './feature-changes.ts';
import { configureFeature } from './feature-configuration.ts';
import { NO_COUNTERS } from './feature-counters.ts';
import type { FeatureCounters } from './feature-counters.ts';
import { FeatureRecorder } from './feature-recorder.ts';
import { CurrentRules } from './feature-rules.ts';
import type { FeatureRules } from './feature-rules.ts';
import type {
  FeatureActor,
  FeatureEvent,
  FeatureMark,
  FeatureOutcome,
  FeatureService,
  FeatureWatcher,
  PhoneSet,
  ReadOutcome,
  SetAllOutcome,
  StoreFailure,
  UnknownAccount,
} from './feature-service.ts';
import type {
  AccountState,
  FeatureFlags,
  FeatureHistory,
  FeatureProvider,
  HistoryQuery,
  Presentity,
  StoredHistoryRow,
} from './feature-state.ts';
import { FeatureStore } from './feature-store.ts';
import type { StoreFailed } from './feature-store.ts';
import type { Turn } from './feature-turn.ts';
import { changedFeatures } from './feature-view.ts';
import { LoopGuard } from './loop-guard.ts';
import { ProviderChanges } from './provider-changes.ts';
import type { ReadTurn } from './provider-changes.ts';

export interface FeatureServiceOptions {
  readonly provider: FeatureProvider;
  readonly history: FeatureHistory;
  /** Asked anew at every use, so that a reload reaches the next request. */
  readonly config: () => FeatureRules;
  readonly log: Log;
  readonly counters?: FeatureCounters;
  /** Whether the dial plan has a way to this SIP URI; by default it has one to all. */
  readonly isRoutable?: (presentity: Presentity, uri: string) => boolean;
}

/** Store and history stay the caller's: `close` of the service leaves them open. */
export function createFeatureService(options: FeatureServiceOptions): FeatureService {
  return new WritePath(options);
}

type ChangesOutcome =
  | Extract<SetAllOutcome, { type: 'done' }>
  | UnknownAccount
  | (StoreFailed & { readonly undone: readonly Feature[] });

/** For whatever is read without anybody asking by name. */
const CALL_ACTOR: FeatureActor = { source: 'call', actor: 'call', origin: {} };

class WritePath implements FeatureService {
  readonly #parts: FeatureParts;
  readonly #history: FeatureHistory;
  readonly #turns: AccountTurns;
  readonly #calls: CallStates;
  readonly #changes: ProviderChanges;
  readonly #endWatch: () => void;

  constructor({ provider, history, config, log, isRoutable, ...options }: FeatureServiceOptions) {
    const counters = options.counters ?? NO_COUNTERS;
    const recorder = new FeatureRecorder({ history, log, counters });
    const accounts = new FeatureAccounts();
    const { writesHistory } = provider;
    this.#history = history;
    this.#parts = {
      store: new FeatureStore(provider, counters),
      accounts,
      recorder,
      rules: new CurrentRules(config, isRoutable),
      guard: new LoopGuard(),
      writesHistory,
      onLateChange: (presentity, actor) => void this.#changes.readAgain(presentity, actor),
      onDoubt: (presentity) => this.#changes.doubted(presentity),
      absorb: (reading) => this.#changes.absorb(reading),
    };
    this.#turns = new AccountTurns(() => this.#parts.rules.deadlineMs);
    this.#calls = new CallStates({
      accounts,
      read: (presentity) => this.read(presentity, CALL_ACTOR),
    });
    this.#changes = new ProviderChanges({
      accounts,
      recorder,
      isBusy: (presentity) => this.#turns.isBusy(presentity),
      writesHistory,
      read: async (presentity, actor, turn) => await this.#read(presentity, actor, turn),
    });
    this.#endWatch =
      provider.watch?.((presentity) => {
        this.#changes.reported(presentity);
      }) ?? (() => {});
  }

  async read(
    presentity: Presentity,
    actor: FeatureActor,
    asker?: FeatureWatcher,
  ): Promise<ReadOutcome> {
    const asking = asker === undefined ? [] : [asker];
    return await this.#read(presentity, actor, {
      absorb: (state) => {
        this.#changes.absorb({ presentity, state, asking });
      },
    });
  }

  async set(...request: Parameters<FeatureService['set']>): Promise<FeatureOutcome> {
    const [presentity, feature, requested, actor, { ifVersion, setter } = {}] = request;
    const change = { feature, requested, ...(ifVersion === undefined ? {} : { ifVersion }) };
    const outcome = await this.#change(presentity, [change], actor, setter);
    if (outcome.type !== 'done') return this.#answered(presentity, actor, outcome);
    const [first] = outcome.outcomes;
    return first ?? { type: 'failed', cause: 'storage' };
  }

  async setAll(
    presentity: Presentity,
    sets: readonly PhoneSet[],
    actor: FeatureActor,
    setter?: FeatureWatcher,
  ): Promise<SetAllOutcome> {
    const requests = sets.map(requestOf);
    const outcome = await this.#change(presentity, requests, actor, setter);
    return outcome.type === 'done' ? outcome : this.#answered(presentity, actor, outcome);
  }

  async configure(
    presentity: Presentity,
    feature: Feature,
    flags: FeatureFlags,
    actor: FeatureActor,
  ): Promise<FeatureOutcome> {
    const outcome = await this.#turns.run(presentity, (turn) =>
      configureFeature(
        this.#parts,
        { presentity, feature, flags, actor },
        {
          turn,
          requestId: randomUUID(),
        },
      ),
    );
    if (outcome.type !== 'failed' || !('error' in outcome)) return outcome;
    return this.#answered(presentity, actor, { ...outcome, undone: [feature] });
  }

  async refresh(
    presentity: Presentity,
    actor: FeatureActor,
  ): ReturnType<FeatureService['refresh']> {
    let watchers: readonly FeatureWatcher[] = [];
    const absorb = (state: AccountState): void => {
      watchers = this.watchersOf(presentity);
      this.#changes.absorb({ presentity, state, asking: watchers });
      for (const watcher of watchers) {
        watcher.notice({ mark: { type: 'full' }, state, isOwed: false });
      }
    };
    const outcome = await this.#read(presentity, actor, { absorb });
    if (outcome.type !== 'state') return outcome;
    return { type: 'refreshed', subscribers: watchers.length, notified: watchers.length };
  }

  history(presentity: Presentity, query: HistoryQuery): Promise<readonly StoredHistoryRow[]> {
    return this.#history.list(presentity, query);
  }

  forCall(presentity: Presentity): Promise<AccountState | undefined> {
    return this.#calls.stateOf(presentity);
  }

  watch(presentity: Presentity, watcher: FeatureWatcher, seen: AccountState): () => void {
    const { accounts } = this.#parts;
    const newest = accounts.known(presentity)?.state ?? seen;
    const isFirst = accounts.watchersOf(presentity).length === 0;
    accounts.watch(presentity, watcher, isFirst ? newest : seen);
    const changed = changedFeatures(seen, newest);
    if (changed.length > 0) {
      const isReassigned = changed.some(
        (feature) => seen[feature].assigned !== newest[feature].assigned,
      );
      const mark: FeatureMark = isReassigned
        ? { type: 'full' }
        : { type: 'features', features: changed };
      watcher.notice({ mark, state: newest, isOwed: false });
    }
    this.#watching('feature-subscribed', presentity);
    return () => {
      if (accounts.unwatch(presentity, watcher)) {
        this.#watching('feature-unsubscribed', presentity);
      }
    };
  }

  watchersOf(presentity: Presentity): readonly FeatureWatcher[] {
    return this.#parts.accounts.watchersOf(presentity);
  }

  onEvent(listener: (event: FeatureEvent) => void): () => void {
    return this.#parts.recorder.onEvent(listener);
  }

  async close(): Promise<void> {
    this.#endWatch();
    this.#changes.close();
    await this.#turns.idle();
  }

  #watching(type: 'feature-subscribed' | 'feature-unsubscribed', presentity: Presentity): void {
    const subscribers = this.watchersOf(presentity).length;
    const at = new Date().toISOString();
    this.#parts.recorder.emit({ type, presentity, subscribers, at });
  }

  async #read(
    presentity: Presentity,
    actor: FeatureActor,
    { begin, absorb }: ReadTurn,
  ): Promise<ReadOutcome> {
    const read = await this.#turns.run(presentity, async (turn) => {
      begin?.();
      const outcome = await this.#parts.store.read(presentity, {
        turn,
        actor,
        requestId: randomUUID(),
      });
      if (outcome.type === 'state') absorb(outcome.state);
      return outcome;
    });
    if (read.type !== 'failed') return read;
    this.#parts.recorder.unreadable(presentity, read.cause, read.error);
    return { type: 'failed', cause: read.cause };
  }

  async #change(
    presentity: Presentity,
    requests: readonly ChangeRequest[],
    actor: FeatureActor,
    setter: FeatureWatcher | undefined,
  ): Promise<ChangesOutcome> {
    const outcome = await this.#turns.run(presentity, (turn) =>
      this.#changeInTurn(turn, { presentity, actor, setter }, requests),
    );
    const undone = requests.map(({ feature }) => feature);
    return outcome.type === 'failed' ? { undone, ...outcome } : outcome;
  }

  async #changeInTurn(
    turn: Turn,
    who: {
      readonly presentity: Presentity;
      readonly actor: FeatureActor;
      readonly setter: FeatureWatcher | undefined;
    },
    requests: readonly ChangeRequest[],
  ): Promise<ChangesOutcome | StoreFailed> {
    const session = { ...who, turn, requestId: randomUUID() };
    const read = await this.#parts.store.read(who.presentity, session);
    if (read.type !== 'state') return read;
    const run = new ChangeRun(this.#parts, session, read.state);
    run.absorb(
      read.state,
      requests.map(({ feature }) => feature),
    );
    const outcomes: FeatureOutcome[] = [];
    for (const request of requests) {
      const outcome = await run.change(request);
      if (outcome.type === 'unknown-account') {
        run.tell(true);
        return outcome;
      }
      if (outcome.type === 'failed') {
        run.tell(true);
        const undone = requests.slice(outcomes.length).map(({ feature }) => feature);
        return { ...outcome, undone };
      }
      outcomes.push(outcome);
    }
    run.tell(false);
    await run.recorded();
    return { type: 'done', outcomes, state: run.state };
  }

  /** Records a failure, and takes from it what only the log may know. */
  #answered(
    presentity: Presentity,
    actor: FeatureActor,
    outcome: Exclude<ChangesOutcome, { type: 'done' }>,
  ): StoreFailure | UnknownAccount {
    if (outcome.type === 'unknown-account') return outcome;
    const { cause, error, undone } = outcome;
    for (const feature of undone) {
      void this.#parts.recorder.failed({ presentity, feature, actor }, cause, error);
    }
    return { type: 'failed', cause };
  }
}

/** A phone that means to keep its count leaves it out; one that cannot be read is judged like a wrong one. */
function requestOf({ feature, status, forwardTo, ringCount }: PhoneSet): ChangeRequest {
  return {
    feature,
    requested: {
      status,
      ...(forwardTo === undefined ? {} : { forwardTo }),
      ...(ringCount === undefined ? {} : { ringCount: parseRingCount(ringCount) }),
    },
  };
}
