/** What the service remembers of accounts: who watches them, and the state they were last seen in. */

import type { FeatureWatcher } from './feature-service.ts';
import type { AccountState, Presentity } from './feature-state.ts';
import { FEATURES, type Feature } from '../wire/feature-event.ts';
import { changedFeatures } from './feature-view.ts';

/** States of accounts that no phone watches; the least recently seen goes first. */
const UNWATCHED_LIMIT = 20_000;

/** Accounts that are looked at in one search for some to forget. */
const LOOKS = 64;

interface Known {
  readonly state: AccountState;
  /** Counts for calls while true; afterwards only as the last known one. */
  isFresh: boolean;
  readonly seenAtMs: number;
}

interface Watched {
  readonly watchers: Set<FeatureWatcher>;
  /** What all watchers together have been told. */
  told: AccountState;
  /** Features of which a single one may have been told otherwise since. */
  readonly doubted: Set<Feature>;
}

export class FeatureAccounts {
  readonly #known = new Map<Presentity, Known>();
  readonly #watched = new Map<Presentity, Watched>();
  readonly #limit: number;

  constructor(limit: number = UNWATCHED_LIMIT) {
    this.#limit = limit;
  }

  /** The newest state that was read or written. */
  known(presentity: Presentity): Known | undefined {
    return this.#known.get(presentity);
  }

  /** A state was read, or told to nobody but those who asked. */
  remember(presentity: Presentity, state: AccountState, nowMs: number): void {
    this.#known.delete(presentity);
    this.#known.set(presentity, { state, isFresh: true, seenAtMs: nowMs });
    const watched = this.#watched.get(presentity);
    if (watched !== undefined) {
      for (const feature of changedFeatures(watched.told, state)) watched.doubted.add(feature);
    }
    this.#shrink();
  }

  /** What was remembered may be out of date. */
  drop(presentity: Presentity): void {
    const known = this.#known.get(presentity);
    if (known !== undefined) known.isFresh = false;
  }

  dropAll(): void {
    for (const known of this.#known.values()) known.isFresh = false;
  }

  /** What the watchers believe; without watchers, the last known state. */
  told(presentity: Presentity): AccountState | undefined {
    return this.#watched.get(presentity)?.told ?? this.#known.get(presentity)?.state;
  }

  /** Features of which the watchers do not believe the same, or not what `fresh` says. */
  unequal(presentity: Presentity, fresh: AccountState): readonly Feature[] {
    const watched = this.#watched.get(presentity);
    const believed = this.told(presentity);
    const changed = believed === undefined ? [] : changedFeatures(believed, fresh);
    const doubted = watched?.doubted ?? new Set();
    return FEATURES.filter((feature) => changed.includes(feature) || doubted.has(feature));
  }

  /** All watchers are being told this state; features taken over from what was told before are told to nobody. */
  tell(presentity: Presentity, state: AccountState): void {
    const watched = this.#watched.get(presentity);
    if (watched === undefined) return;
    for (const feature of FEATURES) {
      if (state[feature] !== watched.told[feature]) watched.doubted.delete(feature);
    }
    watched.told = state;
  }

  watch(presentity: Presentity, watcher: FeatureWatcher, seen: AccountState): void {
    const watched = this.#watched.get(presentity) ?? {
      watchers: new Set(),
      told: seen,
      doubted: new Set(),
    };
    this.#watched.set(presentity, watched);
    watched.watchers.add(watcher);
  }

  /** @returns false when it was not watching. */
  unwatch(presentity: Presentity, watcher: FeatureWatcher): boolean {
    const watched = this.#watched.get(presentity);
    const wasWatching = watched?.watchers.delete(watcher) ?? false;
    if (watched?.watchers.size === 0) this.#watched.delete(presentity);
    return wasWatching;
  }

  watchersOf(presentity: Presentity): readonly FeatureWatcher[] {
    return [...(this.#watched.get(presentity)?.watchers ?? [])];
  }

  watched(): readonly Presentity[] {
    return [...this.#watched.keys()];
  }

  #shrink(): void {
    let excess = this.#known.size - this.#watched.size - this.#limit;
    let looks = LOOKS;
    for (const [presentity, known] of this.#known) {
      if (excess <= 0 || looks === 0) return;
      looks -= 1;
      this.#known.delete(presentity);
      // Watched accounts go to the end, so that the next search does not meet them again.
      if (this.#watched.has(presentity)) this.#known.set(presentity, known);
      else excess -= 1;
    }
  }
}
