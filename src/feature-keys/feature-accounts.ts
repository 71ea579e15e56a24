/** What the service remembers of accounts: who watches them, and the state they were last seen in. */

import type { FeatureWatcher } from './feature-service.ts';
import type { AccountState, Presentity } from './feature-state.ts';

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

  /** A state was read or written. */
  remember(presentity: Presentity, state: AccountState, nowMs: number): void {
    this.#known.delete(presentity);
    this.#known.set(presentity, { state, isFresh: true, seenAtMs: nowMs });
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

  /** All watchers are being told this state. */
  tell(presentity: Presentity, state: AccountState): void {
    const watched = this.#watched.get(presentity);
    if (watched !== undefined) watched.told = state;
  }

  watch(presentity: Presentity, watcher: FeatureWatcher, seen: AccountState): void {
    const watched = this.#watched.get(presentity) ?? { watchers: new Set(), told: seen };
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
