/** Tells the copy of a report, which a network may deliver twice, from the same key pressed again. Pure. */

import type { Side } from '../../wire/side.ts';
import type { DtmfReport } from './dtmf-report.ts';

/**
 * A network that doubles datagrams does it at once. Far less than a press and a pause: the end of a first press may be
 * held up on its way to rtpengine more than that of the next.
 */
const AT_ONCE_MS = 20;

/** Reports with the same time stamp were made within a second; this much later comes no other press. */
const SECOND_IS_OVER_MS = 1500;

interface Taken {
  readonly text: string;
  readonly atMs: number;
}

export class ReportCopies {
  /** Only the last: with another key between, the same key was pressed again. */
  readonly #last: Partial<Record<Side, Taken>> = {};

  isCopy({ side, text, isDated }: DtmfReport, nowMs: number): boolean {
    const last = this.#last[side];
    if (last?.text === text) {
      const sinceMs = nowMs - last.atMs;
      if (sinceMs < AT_ONCE_MS) return true;
      if (isDated && sinceMs >= SECOND_IS_OVER_MS) return true;
    }
    this.#last[side] = { text, atMs: nowMs };
    return false;
  }
}
