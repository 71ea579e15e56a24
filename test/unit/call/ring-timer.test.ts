import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RingTimer, RINGS_BY_MS } from '../../../src/call/forward/ring-timer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** When the rings are over, in ms after the INVITE; `undefined`: never. */
function expiryOf(run: (timer: RingTimer) => void): number | undefined {
  const timer = new RingTimer();
  const startMs = Date.now();
  let expiredMs: number | undefined;
  timer.sent(12_000, () => {
    expiredMs = Date.now() - startMs;
  });
  run(timer);
  vi.runAllTimers();
  return expiredMs;
}

test.each<[string, (timer: RingTimer) => void, number | undefined]>([
  ['rings at once', (timer) => timer.rings(), 12_000],
  ['rings twice', (timer) => [0, 1].forEach(() => timer.rings()), 12_000],
  ['shows no sign', () => undefined, 12_000 + RINGS_BY_MS],
  [
    'rings after a second',
    (timer) => {
      vi.advanceTimersByTime(1000);
      timer.rings();
    },
    13_000,
  ],
  ['is answered', (timer) => timer.stop(), undefined],
  [
    'is answered while it rings, and another branch rings on',
    (timer) => {
      timer.rings();
      timer.stop();
      timer.rings();
    },
    undefined,
  ],
])('a phone that %s', (_, run, expiresMs) => {
  expect(expiryOf(run)).toBe(expiresMs);
  expect(vi.getTimerCount()).toBe(0);
});

test('a second INVITE for the account goes on with the time, and is the one that is told', () => {
  const timer = new RingTimer();
  const told: string[] = [];
  timer.sent(2000, () => told.push('first'));
  timer.rings();
  vi.advanceTimersByTime(1500);
  timer.sent(2000, () => told.push('second'));
  vi.advanceTimersByTime(500);
  expect(told).toEqual(['second']);
  expect(timer.hasExpired).toBe(true);
  timer.reset();
  expect(timer.hasExpired).toBe(false);
});
