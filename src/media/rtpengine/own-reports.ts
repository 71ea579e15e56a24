/** Tells reports of digits that we have played from those of keys: rtpengine reports both alike. Pure. */

import type { DtmfReport } from './dtmf-report.ts';

/** A report comes at once, or not any more. */
const LIFETIME_MS = 2000;

interface Expected extends Omit<DtmfReport, 'engineCallId'> {
  readonly untilMs: number;
}

export class OwnReports {
  #expected: Expected[] = [];

  /** A digit is about to be played in the place of `side`; the report may come before the answer. */
  expect(report: Omit<DtmfReport, 'engineCallId'>, nowMs: number): void {
    this.#expected = this.#expected.filter(({ untilMs }) => untilMs > nowMs);
    this.#expected.push({ ...report, untilMs: nowMs + LIFETIME_MS });
  }

  /** Whether `report` is the one of a digit of ours; each is so once. */
  isOwn(report: Omit<DtmfReport, 'engineCallId'>, nowMs: number): boolean {
    const index = this.#expected.findIndex(
      ({ side, eventCode, durationMs, untilMs }) =>
        side === report.side &&
        eventCode === report.eventCode &&
        durationMs === report.durationMs &&
        untilMs > nowMs,
    );
    if (index === -1) return false;
    this.#expected.splice(index, 1);
    return true;
  }
}
