/** Changes that others made in the store: read again, compared with what the phones believe, and told to them. */

import type { Feature } from '../wire/feature-event.ts';
import type { FeatureAccounts } from './feature-accounts.ts';
import type { FeatureRecorder } from './feature-recorder.ts';
import type { FeatureActor, FeatureWatcher, ReadOutcome } from './feature-service.ts';
import type { AccountState, Presentity } from './feature-state.ts';
import { changedFeatures, historyValue, isSameValue } from './feature-view.ts';

/** Pauses after readings that failed or did not show what may be; then the next report or request has to do. */
const RETRIES_MS = [1000, 5000, 30_000];

/** Accounts that are read again at the same time when the store reports all of them. */
const PARALLEL = 16;

/** Who is said to have made a change that the store reports. */
const STORE: FeatureActor = { source: 'provider', actor: 'provider', origin: {} };

/** What happens in the turn of a reading. */
export interface ReadTurn {
  /** The reading begins: changes that are reported from now on may not be in it. */
  readonly begin?: () => void;
  /** Takes the state before the next request has its turn. */
  readonly absorb: (state: AccountState) => void;
}

/** In what a state that was read differs from what the phones were told. */
export interface Difference {
  readonly features: readonly Feature[];
  /** One of them was given to the account, or taken from it. */
  readonly isReassigned: boolean;
}

export interface Reading {
  readonly presentity: Presentity;
  readonly state: AccountState;
  /** In whose name the difference is told; by default the store's. */
  readonly actor?: FeatureActor;
  /** Watchers that whoever reads tells himself. */
  readonly asking?: readonly FeatureWatcher[];
  /** Features whose loss is nobody's news in this turn: who sets one of them hears of it alone. */
  readonly quiet?: readonly Feature[];
}

/** Looks at an account until it can be read. */
interface Search {
  readonly actor: FeatureActor;
  readonly attempt: number;
  /** Of a change that the store may make yet: looks on as often as it may. */
  readonly doubt?: symbol;
}

const SAME: Difference = { features: [], isReassigned: false };

export interface ProviderChangesOptions {
  readonly accounts: FeatureAccounts;
  readonly recorder: FeatureRecorder;
  /** Requests for the account run or wait. */
  readonly isBusy: (presentity: Presentity) => boolean;
  /** The store writes the rows of the changes that are made through it. */
  readonly writesHistory: boolean;
  readonly read: (
    presentity: Presentity,
    actor: FeatureActor,
    turn: ReadTurn,
  ) => Promise<ReadOutcome>;
}

export class ProviderChanges {
  readonly #options: ProviderChangesOptions;
  /** Accounts whose reading waits for its turn. */
  readonly #waiting = new Set<Presentity>();
  readonly #retries = new Set<NodeJS.Timeout>();
  /** The newest search of each account that has one for a change in doubt. */
  readonly #doubts = new Map<Presentity, symbol>();
  #isClosed = false;

  constructor(options: ProviderChangesOptions) {
    this.#options = options;
  }

  /** @param presentity `*` stands for all: the store cannot say which have changed. */
  reported(presentity: Presentity): void {
    const { accounts, isBusy } = this.#options;
    if (presentity === '*') {
      accounts.dropAll();
      void this.#readAll(accounts.watched());
      return;
    }
    accounts.drop(presentity);
    // A reading that is under way may end with the state before the change.
    const isKnown = accounts.told(presentity) !== undefined || isBusy(presentity);
    if (isKnown) void this.#searchSafely(presentity, { actor: STORE, attempt: 0 });
  }

  /** Compares and tells, in the name of `actor`. */
  async readAgain(presentity: Presentity, actor: FeatureActor): Promise<void> {
    await this.#search(presentity, { actor, attempt: 0 });
  }

  /** A change failed, and yet the store may have made it, or may be about to. */
  doubted(presentity: Presentity): void {
    const doubt = Symbol(presentity);
    this.#doubts.set(presentity, doubt);
    void this.#searchSafely(presentity, { actor: STORE, attempt: 0, doubt });
  }

  /** Takes a state that was read: tells and records in what it differs from what the phones were told. */
  absorb({ presentity, state, actor = STORE, asking = [], quiet = [] }: Reading): Difference {
    const { accounts } = this.#options;
    const believed = accounts.told(presentity);
    accounts.remember(presentity, state, Date.now());
    if (believed === undefined) return SAME;
    const untold = quiet.filter((feature) => isTaken(feature, believed, state));
    accounts.tell(
      presentity,
      untold.reduce((told, feature) => ({ ...told, [feature]: believed[feature] }), state),
    );
    const features = changedFeatures(believed, state).filter(
      (feature) => !untold.includes(feature),
    );
    if (features.length === 0) return SAME;
    const isReassigned = features.some(
      (feature) => believed[feature].assigned !== state[feature].assigned,
    );
    const mark = isReassigned ? { type: 'full' as const } : { type: 'features' as const, features };
    const watchers = accounts.watchersOf(presentity);
    for (const watcher of watchers) {
      if (!asking.includes(watcher)) watcher.notice({ mark, state, isOwed: false });
    }
    for (const feature of features) {
      this.#record({ presentity, actor, feature, dialogs: watchers.length }, believed, state);
    }
    return { features, isReassigned };
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#retries) clearTimeout(timer);
    this.#retries.clear();
    this.#doubts.clear();
  }

  /** Nobody waits for the outcome, so a bug must not become a rejection that nobody handles. */
  async #searchSafely(presentity: Presentity, search: Search): Promise<void> {
    try {
      await this.#search(presentity, search);
    } catch (error) {
      this.#options.recorder.unreadable(presentity, 'storage', error);
    }
  }

  async #search(presentity: Presentity, search: Search): Promise<void> {
    const { actor, attempt, doubt } = search;
    if (this.#isSettled(presentity, doubt)) return;
    const isRead = await this.#find(presentity, actor);
    // What differs need not be the change in doubt, nor the only one: such a search goes on to its end.
    const isFound = doubt === undefined && isRead;
    const pauseMs = RETRIES_MS[attempt];
    if (this.#isSettled(presentity, doubt)) return;
    if (isFound || pauseMs === undefined) {
      if (doubt !== undefined) this.#doubts.delete(presentity);
      return;
    }
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      void this.#searchSafely(presentity, { ...search, attempt: attempt + 1 });
    }, pauseMs);
    this.#retries.add(timer);
  }

  /** There is nothing to be looked for any more, or a later search does it. */
  #isSettled(presentity: Presentity, doubt: symbol | undefined): boolean {
    return this.#isClosed || (doubt !== undefined && this.#doubts.get(presentity) !== doubt);
  }

  /** @returns whether the account could be read. */
  async #find(presentity: Presentity, actor: FeatureActor): Promise<boolean> {
    // The reading that waits will do for both.
    if (this.#waiting.has(presentity)) return true;
    this.#waiting.add(presentity);
    let hasBegun = false;
    const outcome = await this.#options.read(presentity, actor, {
      begin: () => {
        hasBegun = true;
        this.#waiting.delete(presentity);
      },
      absorb: (state) => {
        this.absorb({ presentity, state, actor });
      },
    });
    // One that never had its turn must not stop the next; one that had may not touch it.
    if (!hasBegun) this.#waiting.delete(presentity);
    return outcome.type !== 'failed';
  }

  async #readAll(presentities: readonly Presentity[]): Promise<void> {
    const rest = presentities.values();
    const readers = Array.from({ length: PARALLEL }, async () => {
      for (const presentity of rest) {
        await this.#searchSafely(presentity, { actor: STORE, attempt: 0 });
      }
    });
    await Promise.all(readers);
  }

  #record(
    subject: {
      readonly presentity: Presentity;
      readonly actor: FeatureActor;
      readonly feature: Feature;
      readonly dialogs: number;
    },
    believed: AccountState,
    fresh: AccountState,
  ): void {
    const { recorder, writesHistory } = this.#options;
    const { actor, feature, presentity } = subject;
    const [old, now] = [believed[feature], fresh[feature]];
    if (old.assigned !== now.assigned) {
      const at = new Date().toISOString();
      recorder.emit({ type: 'feature-configured', presentity, feature, at });
    }
    if (isSameValue(old, now)) return;
    void recorder.applied({
      ...subject,
      old: historyValue(old),
      new: historyValue(now),
      version: now.version,
      // Of changes that were not made through the store's own writing it has none; of others it takes no second one.
      hasRow: writesHistory && actor.source !== 'provider',
    });
  }
}

/** The account has lost the feature since. */
function isTaken(feature: Feature, believed: AccountState, fresh: AccountState): boolean {
  return believed[feature].assigned && !fresh[feature].assigned;
}
