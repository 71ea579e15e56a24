/**
 * Tells reports of digits that we have played from those of keys: rtpengine reports both alike, ours as it takes the
 * order, not as they leave. Pure.
 */

import type { DtmfReport } from './dtmf-report.ts';

/** A report comes at once, or not any more. */
const LIFETIME_MS = 2000;

type Digit = Pick<DtmfReport, 'side' | 'eventCode' | 'durationMs'>;

/** A digit of ours. */
export interface ExpectedReport {
  /** Whether rtpengine has reported it with no length: it has no coder for that audio, and plays nothing. */
  readonly isVoid: boolean;
}

interface Expected extends Digit {
  readonly untilMs: number;
  isVoid: boolean;
}

export class OwnReports {
  #expected: Expected[] = [];

  /** A digit is about to be played in the place of `side`; the report may come before the answer. */
  expect(report: Digit, nowMs: number): ExpectedReport {
    this.#expected = this.#expected.filter(({ untilMs }) => untilMs > nowMs);
    const expected = { ...report, untilMs: nowMs + LIFETIME_MS, isVoid: false };
    this.#expected.push(expected);
    return expected;
  }

  /** Whether `report` is the one of a digit of ours; each is so once. */
  isOwn(report: Digit, nowMs: number): boolean {
    const index = this.#expected.findIndex(
      ({ side, eventCode, durationMs, untilMs }) =>
        side === report.side &&
        eventCode === report.eventCode &&
        (durationMs === report.durationMs || report.durationMs === 0) &&
        untilMs > nowMs,
    );
    const [own] = index === -1 ? [] : this.#expected.splice(index, 1);
    if (own === undefined) return false;
    own.isVoid = report.durationMs === 0;
    return true;
  }
}
