import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DigitDrain } from '../../../src/call/digits/digit-drain.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers are left`);
});

/** Whether somebody who waits for `to` at most 500 ms has gone on. */
function waiting(drain: DigitDrain, to: 'caller' | 'callee'): () => Promise<boolean> {
  let isOver = false;
  void drain.wait(to, 500).then(() => {
    isOver = true;
    return isOver;
  });
  return async () => {
    await vi.advanceTimersByTimeAsync(0);
    return isOver;
  };
}

test('nobody waits for nothing', async () => {
  const drain = new DigitDrain();
  drain.queued('caller', 'a');
  expect(drain.isEmpty('callee')).toBe(true);
  expect(await waiting(drain, 'callee')()).toBe(true);
});

test('the wait is over with the last digit of that side, sent or dropped', async () => {
  const drain = new DigitDrain();
  for (const digitId of ['a', 'b']) drain.queued('callee', digitId);
  drain.queued('caller', 'c');
  const isOver = waiting(drain, 'callee');
  drain.settled('callee', 'a');
  drain.settled('caller', 'c');
  drain.settled('callee', 'unknown');
  expect(await isOver()).toBe(false);
  drain.settled('callee', 'b');
  expect(await isOver()).toBe(true);
  expect(drain.isEmpty('callee')).toBe(true);
});

test('it is over when the time is up', async () => {
  const drain = new DigitDrain();
  drain.queued('callee', 'a');
  const isOver = waiting(drain, 'callee');
  await vi.advanceTimersByTimeAsync(499);
  expect(await isOver()).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await isOver()).toBe(true);
});

test('it is over when nothing is played any more', async () => {
  const drain = new DigitDrain();
  drain.queued('callee', 'a');
  const waits = [waiting(drain, 'callee'), waiting(drain, 'callee')];
  drain.end();
  expect(await Promise.all(waits.map((isOver) => isOver()))).toEqual([true, true]);
  expect(vi.getTimerCount()).toBe(0);
});
