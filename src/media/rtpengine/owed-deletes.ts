/**
 * Calls that are over and that an rtpengine may still have: it has not answered their `delete`, or an offer that nobody
 * waits for any more may reach it behind one.
 *
 * Pure: time is an argument.
 */

/** Of one node; beyond it the oldest are given up. */
export const MAX_OWED = 5000;
export const MAX_OWED_MS = 3_600_000;
const FIRST_PAUSE_MS = 2000;
const MAX_PAUSE_MS = 30_000;

interface Owed {
  readonly sinceMs: number;
  /** An answer to what was sent before settles nothing. */
  readonly sureAtMs: number;
  readonly pauseMs: number;
  /** `undefined`: under way. */
  readonly dueAtMs: number | undefined;
}

export class OwedDeletes {
  readonly #owed = new Map<string, Owed>();

  get size(): number {
    return this.#owed.size;
  }

  /** @param sureAtMs only an answer from then on settles it. */
  owe(engineCallId: string, nowMs: number, sureAtMs = nowMs): void {
    this.#owed.set(engineCallId, {
      sinceMs: nowMs,
      sureAtMs,
      pauseMs: FIRST_PAUSE_MS,
      dueAtMs: nowMs,
    });
    const [oldest] = this.#owed.keys();
    if (this.#owed.size > MAX_OWED && oldest !== undefined) this.#owed.delete(oldest);
  }

  /** The next ones to send, `limit` at most; each is under way until `answered` or `unanswered`. */
  due(nowMs: number, limit: number): string[] {
    const due: string[] = [];
    for (const [engineCallId, owed] of this.#owed) {
      if (nowMs - owed.sinceMs > MAX_OWED_MS) this.#owed.delete(engineCallId);
      else if (due.length < limit && owed.dueAtMs !== undefined && owed.dueAtMs <= nowMs) {
        this.#owed.set(engineCallId, { ...owed, dueAtMs: undefined });
        due.push(engineCallId);
      }
    }
    return due;
  }

  /** The node is back: those that pause are due at once. */
  hurry(): void {
    for (const [engineCallId, owed] of this.#owed) {
      if (owed.dueAtMs === undefined) continue;
      this.#owed.set(engineCallId, { ...owed, pauseMs: FIRST_PAUSE_MS, dueAtMs: -Infinity });
    }
  }

  /** To what was sent at `sentAtMs`. */
  answered(engineCallId: string, sentAtMs: number): void {
    const owed = this.#owed.get(engineCallId);
    if (owed !== undefined && sentAtMs >= owed.sureAtMs) this.#owed.delete(engineCallId);
    else this.unanswered(engineCallId, sentAtMs);
  }

  unanswered(engineCallId: string, nowMs: number): void {
    const owed = this.#owed.get(engineCallId);
    if (owed === undefined) return;
    const pauseMs = Math.min(MAX_PAUSE_MS, 2 * owed.pauseMs);
    this.#owed.set(engineCallId, { ...owed, pauseMs, dueAtMs: nowMs + owed.pauseMs });
  }
}
