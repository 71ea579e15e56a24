import assert from 'node:assert/strict';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WakeUp } from '../../../src/sip/wake-up.ts';

/** A machine that wants to be called at the given times, one after the other. */
function machineOf(...timesMs: number[]): { rung: number[]; wakeUp: WakeUp; due: number[] } {
  const rung: number[] = [];
  const due = [...timesMs];
  const wakeUp = new WakeUp({
    expiresAtMs: () => due[0],
    nowMs: () => Date.now(),
    ring: () => {
      rung.push(Date.now());
      if (Date.now() >= (due[0] ?? Infinity)) due.shift();
    },
  });
  return { rung, wakeUp, due };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1000 });
});
afterEach(() => {
  assert.equal(vi.getTimerCount(), 0, 'a timer is left');
  vi.useRealTimers();
});

test('rings when the machine wants it, and goes on with the next time', () => {
  const { rung, wakeUp } = machineOf(1040, 1100.5);
  wakeUp.rearm();
  vi.advanceTimersByTime(1000);
  expect(rung).toEqual([1040, 1101]);
});

test('a time that is over rings at once, but not inside rearm', () => {
  const { rung, wakeUp } = machineOf(900);
  wakeUp.rearm();
  expect(rung).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(rung).toHaveLength(1);
});

test('follows the machine to an earlier time, and to none', () => {
  const { rung, wakeUp, due } = machineOf(5000);
  wakeUp.rearm();
  due[0] = 1010;
  wakeUp.rearm();
  wakeUp.rearm();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(20);
  expect(rung).toEqual([1010]);
  due.push(9000);
  wakeUp.rearm();
  due.pop();
  wakeUp.rearm();
  vi.advanceTimersByTime(10_000);
  expect(rung).toEqual([1010]);
});

test('is silent once stopped, and may be armed again', () => {
  const { rung, wakeUp } = machineOf(1010);
  wakeUp.rearm();
  wakeUp.stop();
  vi.advanceTimersByTime(100);
  expect(rung).toEqual([]);
  wakeUp.rearm();
  vi.advanceTimersByTime(1);
  expect(rung).toHaveLength(1);
});
