/** The loop of a relay thread with its own sockets: how long it waits, when its timer runs, when Node has a turn. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FfiIo } from '../../../src/media/ffi/ffi-io.ts';
import { FfiLoop } from '../../../src/media/ffi/ffi-loop.ts';

interface Wait {
  /** How long it takes until something comes, the limit if absent. */
  readonly lastsMs?: number;
  readonly isWoken?: boolean;
  readonly act?: () => void;
}

/** Waits in virtual time and notes the limits. */
class FakeIo implements FfiIo {
  readonly limits: number[] = [];
  readonly waits: Wait[] = [];
  readonly open = (): never => {
    throw new Error('not here');
  };

  wait(limitMs: number): boolean {
    this.limits.push(limitMs);
    const { lastsMs = limitMs, isWoken = false, act } = this.waits.shift() ?? {};
    vi.setSystemTime(Date.now() + lastsMs);
    nowMs += lastsMs;
    act?.();
    return isWoken;
  }

  close(): void {}
}

let nowMs = 0;
let io: FakeIo;
let loop: FfiLoop;
const ran: number[] = [];
const run = (): number => ran.push(nowMs);

beforeEach(() => {
  nowMs = 1000;
  ran.length = 0;
  vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate', 'Date'] });
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  io = new FakeIo();
  loop = new FfiLoop(io);
  loop.start();
});

afterEach(() => {
  loop.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function turn(): void {
  vi.runOnlyPendingTimers();
}

test('a thread with nothing to do waits 50 ms at a time, with a turn of Node behind each', () => {
  turn();
  turn();
  expect(io.limits).toEqual([50, 50]);
});

test('a thread with packets lets Node have a turn each 4 ms', () => {
  io.waits.push(...Array.from({ length: 20 }, () => ({ lastsMs: 0.5 })));
  turn();
  expect(io.limits).toHaveLength(8);
});

test('a thread that is woken lets Node have a turn at once', () => {
  io.waits.push({ lastsMs: 0.1 }, { lastsMs: 0.1, isWoken: true });
  turn();
  expect(io.limits).toHaveLength(2);
});

test.each([
  [20, 20],
  [19.6, 20],
  [19.4, 19],
  [0.7, 1],
  [80, 50],
])('a timer in %s ms is waited for %s ms', (inMs, limitMs) => {
  loop.setTimer(nowMs + inMs, run);
  turn();
  expect(io.limits[0]).toBe(limitMs);
});

test('a timer runs once, between packets as well', () => {
  loop.setTimer(nowMs + 2, run);
  io.waits.push(...Array.from({ length: 6 }, () => ({ lastsMs: 1 })));
  turn();
  turn();
  expect(ran).toEqual([1002]);
});

test('a timer that a packet sets is kept to in the same turn', () => {
  io.waits.push({ lastsMs: 1, act: () => loop.setTimer(nowMs + 1, run) }, { lastsMs: 1 });
  turn();
  expect(io.limits.slice(0, 2)).toEqual([50, 1]);
  expect(ran).toEqual([1002]);
});

test('a timer replaces the one before it', () => {
  loop.setTimer(nowMs + 30, run);
  loop.setTimer(nowMs + 5, run);
  turn();
  turn();
  expect(io.limits[0]).toBe(5);
  expect(ran).toEqual([1005]);
});

test('a receiver that throws does not end the loop', () => {
  io.waits.push({
    act: () => {
      throw new Error('a bug');
    },
  });
  expect(turn).toThrow('a bug');
  turn();
  expect(io.limits).toHaveLength(2);
});

test('a loop that is stopped from within waits no more', () => {
  io.waits.push({ lastsMs: 1, act: () => loop.stop() });
  turn();
  turn();
  expect(io.limits).toHaveLength(1);
});
