import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket, UNLIMITED } from '../../../../src/engine/transport/token-bucket.ts';

const SIZE = { perSecond: 10, burst: 3 };

function takeMany(bucket: TokenBucket, count: number, nowMs: number): number {
  let taken = 0;
  for (let index = 0; index < count; index += 1) if (bucket.take(SIZE, nowMs)) taken += 1;
  return taken;
}

test('begins full, gives its burst at once and then one per interval', () => {
  const bucket = new TokenBucket(SIZE, 0);
  expect(takeMany(bucket, 10, 0)).toBe(3);
  expect(takeMany(bucket, 10, 99)).toBe(0);
  expect(takeMany(bucket, 10, 100)).toBe(1);
  expect(takeMany(bucket, 10, 1_000_000)).toBe(3);
});

test('a clock that steps back neither fills it nor stops it for good', () => {
  const bucket = new TokenBucket(SIZE, 1000);
  expect(takeMany(bucket, 3, 500)).toBe(3);
  expect(takeMany(bucket, 3, 0)).toBe(0);
  expect(takeMany(bucket, 3, 1100)).toBe(1);
});

test('a rate of 0 is unlimited', () => {
  const bucket = new TokenBucket(UNLIMITED, 0);
  expect(Array.from({ length: 1000 }, () => bucket.take(UNLIMITED, 0))).not.toContain(false);
});

test('whatever the arrivals, never more than burst and rate allow, and that much when there is enough', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (pausesMs) => {
      const bucket = new TokenBucket(SIZE, 0);
      let nowMs = 0;
      let taken = 0;
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs;
        if (bucket.take(SIZE, nowMs)) taken += 1;
      }
      expect(taken).toBeLessThanOrEqual(SIZE.burst + (nowMs * SIZE.perSecond) / 1000 + 1e-6);
    }),
  );
});
