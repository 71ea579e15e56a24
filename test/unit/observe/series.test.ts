import { expect, test } from 'vitest';
import { Series } from '../../../src/observe/series.ts';
import { Totals } from '../../../src/observe/totals.ts';

const moment = (atMs: number) => ({ atMs, activeCalls: 1, jitterMs: 0.5, loopLagMs: 2 });

test('a point counts what came since the one before', () => {
  const totals = new Totals();
  totals.startedCalls = 10;
  const series = new Series(totals, { intervalMs: 2_000, windowMs: 10_000 });
  totals.startedCalls = 13;
  totals.failedCalls = 1;
  expect(series.add(moment(2_000))).toEqual({
    atMs: 2_000,
    activeCalls: 1,
    jitterMs: 0.5,
    loopLagMs: 2,
    startedCalls: 3,
    failedCalls: 1,
    deliveredDigits: 0,
    droppedDigits: 0,
    rtpPackets: 0,
    rtpLostPackets: 0,
  });
  Object.assign(totals, { deliveredDigits: 4, droppedDigits: 5, rtpPackets: 6, rtpLostPackets: 7 });
  expect(series.add(moment(4_000))).toMatchObject({
    startedCalls: 0,
    failedCalls: 0,
    deliveredDigits: 4,
    droppedDigits: 5,
    rtpPackets: 6,
    rtpLostPackets: 7,
  });
});

test('a window of points is kept, and the end of it is given', () => {
  const series = new Series(new Totals(), { intervalMs: 2_000, windowMs: 10_000 });
  for (let atMs = 2_000; atMs <= 100_000; atMs += 2_000) {
    series.add(moment(atMs));
    expect(series.since(0).length).toBe(Math.min(5, atMs / 2_000));
  }
  expect(series.since(0).map(({ atMs }) => atMs)).toEqual([
    92_000, 94_000, 96_000, 98_000, 100_000,
  ]);
  expect(series.since(97_000).map(({ atMs }) => atMs)).toEqual([98_000, 100_000]);
});
