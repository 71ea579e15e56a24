import { afterEach, expect, test } from 'vitest';
import { type CountedCall, SeriesSampler } from '../../../src/api/series-sampler.ts';
import { createCounters, type MediaCounters } from '../../../src/media/relay-counters.ts';
import { nowMs } from '../../../src/observe/clock.ts';
import type { SeriesPoint } from '../../../src/observe/series.ts';
import { Totals } from '../../../src/observe/totals.ts';
import { waitFor } from '../../support/wait-for.ts';

const open: SeriesSampler[] = [];

afterEach(() => {
  for (const sampler of open.splice(0)) sampler.stop();
});

function counters(jitterMs: number): MediaCounters {
  const both = createCounters();
  Object.assign(both.caller, { receivedPackets: 10, jitterMs });
  return both;
}

function start(calls: readonly CountedCall[], isOverloaded = () => false) {
  const points: SeriesPoint[] = [];
  const totals = new Totals();
  const sampler = new SeriesSampler({
    totals,
    calls: () => calls,
    isOverloaded,
    onPoint: (point) => points.push(point),
    intervalMs: 20,
  });
  open.push(sampler);
  const next = async (count: number): Promise<void> => {
    await waitFor('points', () => points.length >= count);
  };
  return { sampler, points, totals, next };
}

const fail = (): Promise<never> => Promise.reject(new Error('gone'));

/** A call that notes when it is asked for its counters. */
function call(asked: number[], index: number, read = async () => [counters(index)]): CountedCall {
  const media = {
    counters: () => {
      asked.push(index);
      return read();
    },
  };
  return { session: { media } };
}

test('few calls are asked each, many in turn', async () => {
  const asked: number[] = [];
  const calls = Array.from({ length: 40 }, (_, index) => call(asked, index));
  const { next } = start(calls);
  await next(4);
  expect(asked.slice(0, 48)).toEqual(
    Array.from({ length: 48 }, (_, index) => index % 40).slice(0, asked.length),
  );
});

test('jitter is the mean of those who sent', async () => {
  const { points, next } = start([call([], 2), call([], 4), { session: undefined }]);
  await next(3);
  expect(points[0]).toMatchObject({ activeCalls: 3, jitterMs: 0 });
  expect(points[2]).toMatchObject({ jitterMs: 3 });
});

test('while overloaded nobody is asked', async () => {
  const asked: number[] = [];
  const { next } = start([call(asked, 0)], () => true);
  await next(3);
  expect(asked).toEqual([]);
});

test('a call whose counters cannot be read does no harm', async () => {
  const asked: number[] = [];
  const { next } = start([call(asked, 0, fail)]);
  await next(3);
  expect(asked.length).toBeGreaterThan(1);
});

test('the points of a window', async () => {
  const { sampler, points, next } = start([]);
  await next(2);
  expect(sampler.since(0)).toEqual(points);
  expect(sampler.since(nowMs() + 1_000)).toEqual([]);
  expect(points.every(({ loopLagMs }) => loopLagMs >= 0)).toBe(true);
});
