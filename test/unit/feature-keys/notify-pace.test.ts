import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NotifyPace } from '../../../src/feature-keys/notify-pace.ts';

/** Takes whoever's turn it is until nobody waits; gives name and time of each. */
function drain(pace: NotifyPace, fromMs: number): [name: string, atMs: number][] {
  const turns: [string, number][] = [];
  let nowMs = fromMs;
  for (;;) {
    for (const name of pace.take(nowMs)) turns.push([name, nowMs]);
    const nextMs = pace.nextAtMs(nowMs);
    if (nextMs === undefined) return turns;
    expect(nextMs).toBeGreaterThan(nowMs);
    nowMs = nextMs;
  }
}

describe('the pace of NOTIFYs', () => {
  test('lets a few go at once', () => {
    const pace = new NotifyPace(500);
    for (const name of ['a', 'b', 'c']) pace.ask(name);
    expect(pace.take(1000)).toEqual(['a', 'b', 'c']);
    expect(pace.nextAtMs(1000)).toBeUndefined();
  });

  test('spreads 3000 over six seconds, in the order of asking, each once', () => {
    const pace = new NotifyPace(500);
    const names = Array.from({ length: 3000 }, (_, index) => String(index));
    for (const name of names) pace.ask(name);
    const turns = drain(pace, 10_000);
    expect(turns.map(([name]) => name)).toEqual(names);
    const lastMs = turns.at(-1)?.[1] ?? 0;
    expect(lastMs - 10_000).toBeGreaterThan(5800);
    expect(lastMs - 10_000).toBeLessThanOrEqual(6000);
  });

  test('keeps the place of one who asks again', () => {
    const pace = new NotifyPace(1);
    for (const name of ['a', 'b', 'c', 'b', 'a']) pace.ask(name);
    expect(drain(pace, 0).map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });

  test('passes over one who ended', () => {
    const pace = new NotifyPace(1);
    for (const name of ['a', 'b', 'c']) pace.ask(name);
    pace.drop('b');
    expect(drain(pace, 0).map(([name]) => name)).toEqual(['a', 'c']);
  });

  test('takes a new rate for those who wait', () => {
    const pace = new NotifyPace(1);
    for (let index = 0; index < 100; index += 1) pace.ask(String(index));
    expect(pace.take(0)).toEqual(['0']);
    pace.setRate(1000, 0);
    expect(drain(pace, 0).at(-1)?.[1]).toBeLessThanOrEqual(100);
  });

  test('does not stand still when the clock is set back', () => {
    const pace = new NotifyPace(10);
    for (let index = 0; index < 5; index += 1) pace.ask(String(index));
    expect(pace.take(1_000_000)).toHaveLength(1);
    expect(drain(pace, 1000)).toHaveLength(4);
  });

  test('never exceeds the rate in any second, the burst apart, and loses nobody', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.tuple(fc.nat(500), fc.nat(50)), { maxLength: 60 }),
        (perSecond, asks) => {
          const pace = new NotifyPace(perSecond);
          const turns: number[] = [];
          const asked = new Set<string>();
          const got = new Set<string>();
          let nowMs = 0;
          for (const [index, [pauseMs, count]] of asks.entries()) {
            nowMs += pauseMs;
            for (let dialog = 0; dialog < count; dialog += 1) {
              asked.add(`${index} ${dialog}`);
              pace.ask(`${index} ${dialog}`);
            }
            for (const name of pace.take(nowMs)) {
              got.add(name);
              turns.push(nowMs);
            }
          }
          for (const [name, atMs] of drain(pace, nowMs)) {
            got.add(name);
            turns.push(atMs);
          }
          expect(got).toEqual(asked);
          const burst = Math.max(1, Math.ceil(perSecond / 10));
          for (const fromMs of turns) {
            const second = turns.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1000);
            expect(second.length).toBeLessThanOrEqual(perSecond + burst);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
