import { describe, expect, test } from 'vitest';
import { CallGate } from '../../../../src/engine/transaction/call-gate.ts';

function gate(callsPerSecond: number | undefined, lateMs?: number): CallGate {
  const opened = new CallGate();
  opened.set({ callsPerSecond, lateMs }, 0);
  return opened;
}

describe('pace', () => {
  test('without one everybody may call', () => {
    const open = new CallGate();
    expect(Array.from({ length: 100 }, () => open.take(false, 0))).not.toContain(false);
  });

  test.each([[0], [5], [400]])('of %d a second', (perSecond) => {
    const paced = gate(perSecond);
    let calls = 0;
    for (let nowMs = 1; nowMs <= 5000; nowMs += 1) if (paced.take(false, nowMs)) calls += 1;
    expect(Math.abs(calls - 5 * perSecond)).toBeLessThanOrEqual(Math.max(1, perSecond * 0.1));
  });

  test.each([[true], [false]])(
    'of none takes no call that was saved up, known peer: %s',
    (isKnown) => {
      const paced = gate(5);
      paced.set({ callsPerSecond: 0, lateMs: undefined }, 1000);
      expect(paced.take(isKnown, 1000)).toBe(false);
      expect(paced.take(isKnown, 9000)).toBe(false);
    },
  );

  test('a known peer gets what it wants while strangers want all', () => {
    const paced = gate(100);
    let known = 0;
    let strangers = 0;
    for (let nowMs = 1; nowMs <= 10_000; nowMs += 1) {
      if (paced.take(false, nowMs)) strangers += 1;
      if (nowMs % 20 === 0 && paced.take(true, nowMs)) known += 1;
    }
    expect(known).toBe(500);
    expect(strangers).toBeGreaterThan(480);
    expect(known + strangers).toBeLessThanOrEqual(1010);
  });
});

describe('an application that is late', () => {
  test('is asked once, and gets no call while it is silent for too long', () => {
    const watched = gate(undefined, 250);
    expect(watched.ask(1000)).toBe(true);
    expect(watched.ask(1050)).toBe(false);
    expect(watched.take(true, 1249)).toBe(true);
    expect(watched.take(true, 1250)).toBe(false);
    watched.answered();
    expect(watched.take(true, 1251)).toBe(true);
    expect(watched.ask(1260)).toBe(true);
  });

  test('is not asked when nobody wants to know', () => {
    const unwatched = gate(undefined);
    expect(unwatched.ask(0)).toBe(false);
    const stopped = gate(undefined, 250);
    stopped.ask(0);
    stopped.set({ callsPerSecond: undefined, lateMs: undefined }, 10);
    expect(stopped.take(true, 60_000)).toBe(true);
  });
});
