import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KeepAlive } from '../../../../src/engine/transport/keep-alive.ts';

const PONG = Buffer.from('\r\n');

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function start(): { keepAlive: KeepAlive; told: string[] } {
  const told: string[] = [];
  const keepAlive = new KeepAlive({
    intervalMs: 60_000,
    pongTimeoutMs: 10_000,
    ping: () => told.push('ping'),
    giveUp: () => told.push('gone'),
  });
  return { keepAlive, told };
}

test('a ping goes out between 80 % and all of the interval', () => {
  const { keepAlive, told } = start();
  vi.advanceTimersByTime(47_000);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(13_000);
  expect(told).toEqual(['ping']);
  keepAlive.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('a peer that never answers is pinged on and kept', () => {
  const { keepAlive, told } = start();
  vi.advanceTimersByTime(300_000);
  expect(told.length).toBeGreaterThan(3);
  expect(new Set(told)).toEqual(new Set(['ping']));
  keepAlive.stop();
});

test('a peer that has answered once is given up when it does not any more', () => {
  const { keepAlive, told } = start();
  vi.advanceTimersToNextTimer();
  keepAlive.onBytes(PONG);
  vi.advanceTimersToNextTimer();
  expect(told).toEqual(['ping', 'ping']);
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual(['ping', 'ping', 'gone']);
  keepAlive.stop();
});

test('anything else that arrives shows life, and no promise to answer', () => {
  const { keepAlive, told } = start();
  for (let turn = 0; turn < 3; turn += 1) {
    vi.advanceTimersToNextTimer();
    keepAlive.onBytes(Buffer.from('SIP/2.0 200 OK\r\n'));
  }
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual(['ping', 'ping', 'ping']);
  vi.advanceTimersToNextTimer();
  vi.advanceTimersByTime(30_000);
  expect(told).not.toContain('gone');
  keepAlive.stop();
});

test('a late answer is an answer', () => {
  const { keepAlive, told } = start();
  vi.advanceTimersToNextTimer();
  vi.advanceTimersByTime(10_000);
  keepAlive.onBytes(PONG);
  vi.advanceTimersToNextTimer();
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual(['ping', 'ping', 'gone']);
  keepAlive.stop();
});

test('a line break that was not asked for promises nothing', () => {
  const { keepAlive, told } = start();
  keepAlive.onBytes(PONG);
  vi.advanceTimersByTime(130_000);
  expect(told).not.toContain('gone');
  keepAlive.stop();
});
