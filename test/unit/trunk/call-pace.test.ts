import { expect, test } from 'vitest';
import { CallPace } from '../../../src/trunk/call-pace.ts';

/** One call each ms. */
function taken(pace: CallPace, fromMs: number, untilMs: number): number {
  let calls = 0;
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 1) if (pace.take(nowMs)) calls += 1;
  return calls;
}

test('without a pace every call passes', () => {
  expect(taken(new CallPace(), 0, 100)).toBe(100);
});

test.each([[0], [1], [20], [250]])('%d calls a second pass, however many come', (perSecond) => {
  const pace = new CallPace();
  pace.set(perSecond, 0);
  expect(Math.abs(taken(pace, 1, 10_001) - 10 * perSecond)).toBeLessThanOrEqual(1);
});

test('what was not used makes no burst of more than a tenth of a second', () => {
  const pace = new CallPace();
  pace.set(100, 0);
  expect(taken(pace, 60_000, 60_001)).toBe(1);
  const atOnce = Array.from({ length: 50 }, () => pace.take(120_000)).filter(Boolean);
  expect(atOnce).toHaveLength(10);
});

test('a change keeps what is saved up within the new bound', () => {
  const pace = new CallPace();
  pace.set(100, 0);
  pace.set(20, 1000);
  expect(Array.from({ length: 9 }, () => pace.take(1000)).filter(Boolean)).toHaveLength(2);
  pace.set(0, 1000);
  expect(taken(pace, 1001, 9000)).toBe(0);
  pace.set(undefined, 9000);
  expect(taken(pace, 9000, 9010)).toBe(10);
});

test('at a pace of none not even a call that was saved up passes', () => {
  const pace = new CallPace();
  pace.set(5, 0);
  pace.set(0, 1000);
  expect(taken(pace, 1000, 9000)).toBe(0);
});
