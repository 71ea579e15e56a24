import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';

function runAll(clock: VirtualClock): void {
  while (clock.step());
}

test('what is due first happens first, ties in the order they were set', () => {
  const delays = fc.array(fc.integer({ min: -5, max: 20 }), { maxLength: 50 });
  fc.assert(
    fc.property(delays, (list) => {
      const clock = new VirtualClock();
      const seen: { readonly index: number; readonly atMs: number }[] = [];
      for (const [index, delayMs] of list.entries()) {
        clock.schedule(delayMs, () => seen.push({ index, atMs: clock.nowMs }));
      }
      runAll(clock);
      const wanted = list
        .map((delayMs, index) => ({ index, atMs: Math.max(0, delayMs) }))
        .toSorted((a, b) => a.atMs - b.atMs || a.index - b.index);
      expect(seen).toEqual(wanted);
    }),
  );
});

test('an event may set others, which count from its own time', () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  clock.schedule(10, () => clock.schedule(5, () => seen.push(clock.nowMs)));
  clock.schedule(12, () => seen.push(clock.nowMs));
  runAll(clock);
  expect(seen).toEqual([12, 15]);
});

test('a cancelled event does not happen, and a reset forgets all', () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const first = clock.schedule(1, () => seen.push('first'));
  clock.schedule(2, () => seen.push('second'));
  clock.cancel(first);
  clock.cancel(first);
  expect(clock.step()).toBe(true);
  clock.schedule(3, () => seen.push('third'));
  clock.reset();
  expect(clock.step()).toBe(false);
  expect({ seen, nowMs: clock.nowMs }).toEqual({ seen: ['second'], nowMs: 0 });
});
