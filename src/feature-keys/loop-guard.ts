/**
 * Stops phones that answer each other's changes: counts the effective changes of one feature of one account.
 *
 *   free --more than `changes` within `withinMs`--> held for `holdMs` --> free, counting from nothing
 */

export interface LoopGuardRule {
  readonly changes: number;
  readonly withinMs: number;
  readonly holdMs: number;
}

interface Watched {
  /** When the changes were made, oldest first; never more than the rule tolerates. */
  times: number[];
  heldUntilMs: number;
  hasRefused: boolean;
}

/** Forgotten entries are looked for once in so many changes. */
const SWEEP_EVERY = 1024;

export class LoopGuard {
  readonly #watched = new Map<string, Watched>();
  #countedSinceSweep = 0;

  /** Keys under observation; for tests of the memory. */
  get size(): number {
    return this.#watched.size;
  }

  isHeld(key: string, nowMs: number): boolean {
    return (this.#watched.get(key)?.heldUntilMs ?? 0) > nowMs;
  }

  /**
   * Counts an effective change.
   *
   * @returns true when it was one too many: the key is held from now on.
   */
  count(key: string, nowMs: number, rule: LoopGuardRule): boolean {
    this.#sweep(nowMs, rule);
    const watched = this.#watched.get(key) ?? { times: [], heldUntilMs: 0, hasRefused: false };
    this.#watched.set(key, watched);
    const sinceMs = nowMs - rule.withinMs;
    watched.times = watched.times.filter((time) => time > sinceMs && time <= nowMs);
    watched.times.push(nowMs);
    if (watched.times.length <= rule.changes) return false;
    watched.times = [];
    watched.heldUntilMs = nowMs + rule.holdMs;
    watched.hasRefused = false;
    return true;
  }

  /** A change was refused because the key is held; gives whether it was the first. */
  refused(key: string): boolean {
    const watched = this.#watched.get(key);
    if (watched === undefined || watched.hasRefused) return false;
    watched.hasRefused = true;
    return true;
  }

  #sweep(nowMs: number, rule: LoopGuardRule): void {
    this.#countedSinceSweep += 1;
    if (this.#countedSinceSweep < SWEEP_EVERY) return;
    this.#countedSinceSweep = 0;
    for (const [key, { times, heldUntilMs }] of this.#watched) {
      const isIdle = (times.at(-1) ?? 0) <= nowMs - rule.withinMs;
      if (isIdle && heldUntilMs <= nowMs) this.#watched.delete(key);
    }
  }
}
