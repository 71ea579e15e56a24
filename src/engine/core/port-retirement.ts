/**
 * When a listen point that takes nothing new is closed. Pure.
 *
 *   retired ── never anything under way ────────────────────────────────────────► over
 *      '── busy ── nothing under way for LINGER_MS, in which repeats may come ──► over
 *            '── LONGEST_MS behind retirement ── what is left has to end ──► LINGER_MS later over
 */
const LINGER_MS = 5000;
const LONGEST_MS = 3_600_000;

export type RetirementStep =
  | 'waiting'
  /** What is under way has to be ended. */
  | 'end'
  | 'over';

export class PortRetirement {
  readonly #retiredAtMs: number;
  #busyAtMs: number | undefined;
  #endedAtMs: number | undefined;

  /** @param isBusy whether anything is under way on it. */
  constructor(isBusy: boolean, nowMs: number) {
    this.#retiredAtMs = nowMs;
    this.#busyAtMs = isBusy ? nowMs : undefined;
  }

  /** @param isBusy whether anything is under way on it. */
  step(isBusy: boolean, nowMs: number): RetirementStep {
    if (isBusy) this.#busyAtMs = nowMs;
    if (this.#endedAtMs !== undefined) {
      return nowMs - this.#endedAtMs >= LINGER_MS ? 'over' : 'waiting';
    }
    if (isBusy && nowMs - this.#retiredAtMs >= LONGEST_MS) {
      this.#endedAtMs = nowMs;
      return 'end';
    }
    if (isBusy) return 'waiting';
    const isQuiet = this.#busyAtMs === undefined || nowMs - this.#busyAtMs >= LINGER_MS;
    return isQuiet ? 'over' : 'waiting';
  }
}
