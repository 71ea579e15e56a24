/** From the points of the SBC to what a chart draws. */

import { describe, expect, test } from 'vitest';

interface Point {
  readonly atMs: number;
  readonly activeCalls: number;
  readonly startedCalls: number;
  readonly failedCalls: number;
  readonly deliveredDigits: number;
  readonly droppedDigits: number;
  readonly rtpPackets: number;
  readonly rtpLostPackets: number;
  readonly jitterMs: number;
  readonly loopLagMs: number;
}

interface Line {
  readonly valueOf: (point: Point) => number | undefined;
}

interface ChartData {
  readonly appended: (
    points: readonly Point[],
    newer: readonly Point[],
    windowSeconds: number,
  ) => Point[];
  readonly grouped: (points: readonly Point[], groupMs: number) => Point[];
  readonly columns: (
    points: readonly Point[],
    lines: readonly Line[],
    intervalMs: number,
  ) => unknown[][];
  readonly lossPercent: (point: Partial<Point>) => number | undefined;
}

const name = new URL('../../../../src/api/console/chart-data.js', import.meta.url).href;
const { appended, grouped, columns, lossPercent }: ChartData = await import(name);

function point(atMs: number, changes: Partial<Point> = {}): Point {
  return {
    atMs,
    activeCalls: 0,
    startedCalls: 0,
    failedCalls: 0,
    deliveredDigits: 0,
    droppedDigits: 0,
    rtpPackets: 0,
    rtpLostPackets: 0,
    jitterMs: 0,
    loopLagMs: 0,
    ...changes,
  };
}

const CALLS: Line = { valueOf: ({ activeCalls }) => activeCalls };

describe('live points', () => {
  test('come behind the known ones, each once, and push the oldest out of the window', () => {
    const known = [point(10_000), point(12_000), point(14_000)];
    const times = appended(known, [point(14_000), point(16_000)], 4).map(({ atMs }) => atMs);
    expect(times).toEqual([14_000, 16_000]);
  });

  test('may be the first', () => {
    expect(appended([], [point(2_000)], 900)).toEqual([point(2_000)]);
  });
});

test('a group has the sum of counts, the most calls, the mean jitter of those heard, the worst lag', () => {
  const points = [
    point(2_000, { activeCalls: 1, startedCalls: 2, rtpPackets: 50, jitterMs: 2, loopLagMs: 5 }),
    point(4_000, { activeCalls: 3, startedCalls: 1, rtpPackets: 50, jitterMs: 4, loopLagMs: 9 }),
    point(6_000, { activeCalls: 2 }),
    point(12_000, { activeCalls: 7 }),
  ];
  expect(grouped(points, 10_000)).toEqual([
    point(10_000, {
      activeCalls: 3,
      startedCalls: 3,
      rtpPackets: 100,
      jitterMs: 3,
      loopLagMs: 9,
    }),
    point(20_000, { activeCalls: 7 }),
  ]);
});

describe('columns', () => {
  test('have times in seconds and a column for each line', () => {
    const points = [point(2_000, { activeCalls: 1 }), point(4_000, { activeCalls: 2 })];
    expect(columns(points, [CALLS], 2_000)).toEqual([
      [2, 4],
      [1, 2],
    ]);
  });

  test('break where nothing was sampled, such as over a restart', () => {
    const points = [point(2_000, { activeCalls: 1 }), point(60_000, { activeCalls: 2 })];
    expect(columns(points, [CALLS], 2_000)).toEqual([
      [2, 4, 60],
      [1, null, 2],
    ]);
  });

  test('leave out what has no value', () => {
    expect(columns([point(2_000)], [{ valueOf: lossPercent }], 2_000)).toEqual([[2], [null]]);
  });
});

test.each([
  [undefined, 0, 0],
  [0, 100, 0],
  [1, 99, 1],
  [100, 0, 7],
])('%s %% loss of %i packets received and %i lost', (percent, rtpPackets, rtpLostPackets) => {
  expect(lossPercent({ rtpPackets, rtpLostPackets })).toBe(percent);
});
