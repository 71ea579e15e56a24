import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateWindow } from '../../../src/trunk/rate-window.ts';

test.each([
  [[], 0, 0],
  [[0], 0, 1],
  [[0], 99, 1],
  [[0], 100, 0],
  [[0, 50, 50, 99], 99, 4],
  [[0, 50, 50, 99], 100, 3],
  [[0, 50, 50, 99], 149.9, 3],
  [[0, 50, 50, 99], 150, 1],
  [[0.9], 100, 0],
])('events at %j seen at %d ms: %i of the last 100 ms', (events, nowMs, expected) => {
  const window = new RateWindow(100);
  for (const atMs of events) window.add(atMs);
  expect(window.count(nowMs)).toBe(expected);
});

test.each([
  [[], 1, 0, 0],
  [[0], 1, 30, 70],
  [[0], 2, 30, 0],
  [[0, 10, 10, 40], 4, 50, 50],
  [[0, 10, 10, 40], 3, 50, 60],
  [[0, 10, 10, 40], 2, 50, 60],
  [[0, 10, 10, 40], 1, 50, 90],
])('events at %j leave room below %i, seen at %d ms, after %d ms', (events, limit, nowMs, left) => {
  const window = new RateWindow(100);
  for (const atMs of events) window.add(atMs);
  expect(window.freeAfterMs(limit, nowMs)).toBe(left);
});

test('a clock that goes back stands still', () => {
  const window = new RateWindow(100);
  window.add(1000);
  window.add(500);
  expect([window.count(10), window.count(1099), window.count(1100)]).toEqual([2, 2, 0]);
});

test('it counts what a list of all events would count', () => {
  const step = fc.record({ waitMs: fc.nat(60), isEvent: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 300 }),
      fc.integer({ min: 1, max: 200 }),
      (steps, windowMs) => {
        const window = new RateWindow(windowMs);
        const events: number[] = [];
        let nowMs = 0;
        for (const { waitMs, isEvent } of steps) {
          nowMs += waitMs;
          if (isEvent) {
            window.add(nowMs);
            events.push(nowMs);
          }
          const expected = events.filter((atMs) => nowMs - atMs < windowMs).length;
          expect(window.count(nowMs)).toBe(expected);
        }
      },
    ),
  );
});
