/** Keeps repeated log lines about the same thing rare: one per while, with how many were left out before it. */

/** The same line comes that often at most. */
const QUIET_MS = 10_000;
/** Keys that are remembered at a time. */
const CAPACITY = 1000;

interface Entry {
  readonly atMs: number;
  suppressed: number;
}

export class RefusalLog {
  /** Oldest line first. */
  readonly #entries = new Map<string, Entry>();

  /**
   * Whether a line about `key` may be written now.
   *
   * @returns how many lines were left out since the last one; `undefined`: this one is left out as well.
   */
  admit(key: string, nowMs: number): number | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined && nowMs - entry.atMs < QUIET_MS) {
      entry.suppressed += 1;
      return undefined;
    }
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= CAPACITY && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, { atMs: nowMs, suppressed: 0 });
    return entry?.suppressed ?? 0;
  }
}
