import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LoopGuard } from '../../../src/feature-keys/loop-guard.ts';

const RULE = { changes: 50, withinMs: 20_000, holdMs: 20_000 };
const KEY = 'sip:2001@pbx.example DoNotDisturb';

/** Counts `changes`, one every `everyMs`; gives how many were counted until the guard tripped. */
function press(guard: LoopGuard, changes: number, everyMs: number, fromMs = 0): number | undefined {
  for (let index = 0; index < changes; index += 1) {
    if (guard.count(KEY, fromMs + index * everyMs, RULE)) return index + 1;
  }
  return undefined;
}

describe('the loop guard', () => {
  test('trips at the 51st change within 20 s', () => {
    expect(press(new LoopGuard(), 60, 250)).toBe(51);
  });

  test('lets people press a key as fast as they can', () => {
    expect(press(new LoopGuard(), 50, 300)).toBeUndefined();
    expect(press(new LoopGuard(), 1000, 401)).toBeUndefined();
  });

  test('holds for 20 s and then counts from nothing', () => {
    const guard = new LoopGuard();
    press(guard, 51, 100);
    expect(guard.isHeld(KEY, 5000)).toBe(true);
    expect(guard.isHeld(KEY, 24_999)).toBe(true);
    expect(guard.isHeld(KEY, 25_000)).toBe(false);
    expect(press(guard, 50, 1, 25_000)).toBeUndefined();
  });

  test('counts from nothing after a hold that is shorter than the time it counts over', () => {
    const guard = new LoopGuard();
    const rule = { changes: 3, withinMs: 60_000, holdMs: 1000 };
    const trips = (fromMs: number, changes: number) =>
      Array.from({ length: changes }, (_, index) => guard.count(KEY, fromMs + index, rule));
    expect(trips(0, 4)).toEqual([false, false, false, true]);
    expect(trips(2000, 3)).toEqual([false, false, false]);
  });

  test('holds one feature of one account', () => {
    const guard = new LoopGuard();
    press(guard, 51, 100);
    expect(guard.isHeld('sip:2001@pbx.example CallForwardingBusy', 6000)).toBe(false);
  });

  test('names the first refusal of each hold', () => {
    const guard = new LoopGuard();
    press(guard, 51, 100);
    expect([guard.refused(KEY), guard.refused(KEY)]).toEqual([true, false]);
    press(guard, 51, 100, 30_000);
    expect([guard.refused(KEY), guard.refused(KEY)]).toEqual([true, false]);
  });

  test('forgets accounts that are quiet', () => {
    const guard = new LoopGuard();
    for (let account = 0; account < 10_000; account += 1) {
      guard.count(`sip:${account}@pbx.example DoNotDisturb`, account * 100, RULE);
    }
    expect(guard.size).toBeLessThan(2000);
  });

  test('trips exactly when more than the limit lie within the time, whatever the rhythm', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1500), { minLength: 1, maxLength: 200 }), (pauses) => {
        const guard = new LoopGuard();
        const times: number[] = [];
        let nowMs = 0;
        for (const pauseMs of pauses) {
          nowMs += pauseMs;
          times.push(nowMs);
          const within = times.filter((time) => time > nowMs - RULE.withinMs).length;
          const hasTripped = guard.count(KEY, nowMs, RULE);
          expect(hasTripped).toBe(within > RULE.changes);
          if (hasTripped) return;
        }
      }),
    );
  });
});
