/**
 * How much longer a digit must be asked for than it is to last, by the side it is played in place of.
 *
 * Once told that digits will be played, rtpengine ends each one too early by the length of all the events it has passed
 * on in that direction before (the clock of the coder moves with them, the one that digits start from does not). A new
 * source and a new coder begin anew. Pure.
 */

import { SIDES, type Side } from '../../wire/side.ts';

export class RelayedDurations {
  #coder = '';
  readonly #totals: Record<Side, { ssrc: number | undefined; ms: number }> = {
    caller: { ssrc: undefined, ms: 0 },
    callee: { ssrc: undefined, ms: 0 },
  };

  /** What stands for the coder of both directions has changed, or not: a new one begins anew. */
  coder(key: string): void {
    if (key === this.#coder) return;
    this.#coder = key;
    for (const side of SIDES) this.#totals[side].ms = 0;
  }

  /** An event of `side` that was passed on. */
  add(side: Side, durationMs: number, ssrc: number | undefined): void {
    this.source(side, ssrc);
    this.#totals[side].ms += durationMs;
  }

  /** What `side` sends as now. */
  source(side: Side, ssrc: number | undefined): void {
    const total = this.#totals[side];
    if (total.ssrc !== undefined && total.ssrc !== ssrc) total.ms = 0;
    total.ssrc = ssrc;
  }

  of(side: Side): number {
    return this.#totals[side].ms;
  }
}
