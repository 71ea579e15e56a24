/** Changes that others made in the store: read again, compared with what the phones believe, and told to them. */

import type { Feature } from '../wire/feature-event.ts';
import type { FeatureAccounts } from './feature-accounts.ts';
import type { FeatureRecorder } from './feature-recorder.ts';
import type { FeatureActor, ReadOutcome } from './feature-service.ts';
import type { AccountState, Presentity } from './feature-state.ts';
import { historyValue, isSameValue } from './feature-view.ts';

/** Pauses after readings that failed; then the next report or request has to do. */
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

export interface ProviderChangesOptions {
  readonly accounts: FeatureAccounts;
  readonly recorder: FeatureRecorder;
  /** Requests for the account run or wait. */
  readonly isBusy: (presentity: Presentity) => boolean;
  /** The store keeps the history, so a row was written where the change was made. */
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
    if (isKnown) void this.#readAgainSafely(presentity);
  }

  /** Compares and tells, in the name of `actor`. */
  async readAgain(presentity: Presentity, actor: FeatureActor, attempt = 0): Promise<void> {
    if (this.#isClosed || this.#waiting.has(presentity)) return;
    this.#waiting.add(presentity);
    const outcome = await this.#readInTurn(presentity, actor);
    const pauseMs = RETRIES_MS[attempt];
    if (outcome.type !== 'failed' || pauseMs === undefined || this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      void this.#readAgainSafely(presentity, attempt + 1);
    }, pauseMs);
    this.#retries.add(timer);
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#retries) clearTimeout(timer);
    this.#retries.clear();
  }

  /** Nobody waits for the outcome, so a bug must not become a rejection that nobody handles. */
  async #readAgainSafely(presentity: Presentity, attempt = 0): Promise<void> {
    try {
      await this.readAgain(presentity, STORE, attempt);
    } catch (error) {
      this.#options.recorder.unreadable(presentity, 'storage', error);
    }
  }

  async #readInTurn(presentity: Presentity, actor: FeatureActor): Promise<ReadOutcome> {
    let hasBegun = false;
    const outcome = await this.#options.read(presentity, actor, {
      begin: () => {
        hasBegun = true;
        this.#waiting.delete(presentity);
      },
      absorb: (state) => {
        this.#absorb(presentity, actor, state);
      },
    });
    // One that never had its turn must not stop the next; one that had may not touch it.
    if (!hasBegun) this.#waiting.delete(presentity);
    return outcome;
  }

  async #readAll(presentities: readonly Presentity[]): Promise<void> {
    const rest = presentities.values();
    const readers = Array.from({ length: PARALLEL }, async () => {
      for (const presentity of rest) await this.#readAgainSafely(presentity);
    });
    await Promise.all(readers);
  }

  #absorb(presentity: Presentity, actor: FeatureActor, fresh: AccountState): void {
    const { accounts } = this.#options;
    const believed = accounts.told(presentity);
    const features = accounts.unequal(presentity, fresh);
    accounts.remember(presentity, fresh, Date.now());
    if (believed === undefined) return;
    accounts.tell(presentity, fresh);
    if (features.length === 0) return;
    const isReassigned = features.some(
      (feature) => believed[feature].assigned !== fresh[feature].assigned,
    );
    const watchers = accounts.watchersOf(presentity);
    for (const watcher of watchers) {
      watcher.notice({
        mark: isReassigned ? { type: 'full' } : { type: 'features', features },
        state: fresh,
        isOwed: false,
      });
    }
    for (const feature of features) {
      this.#record({ presentity, actor, feature, dialogs: watchers.length }, believed, fresh);
    }
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
    const { feature, presentity } = subject;
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
      hasRow: writesHistory,
    });
  }
}
