import { expect, test } from 'vitest';
import { NonInviteServer } from '../../../../src/engine/transaction/non-invite-server.ts';
import { DEFAULT_TIMERS } from '../../../../src/engine/transaction/timer-values.ts';

const UDP = { timers: DEFAULT_TIMERS, isReliable: false };
const TCP = { timers: DEFAULT_TIMERS, isReliable: true };
const SEND = [{ type: 'sendLatest' }];

test('repeats are absorbed before, and answered after the first response', () => {
  const server = new NonInviteServer(UDP, 0);
  expect(server.receiveRequest()).toEqual([]);
  expect(server.respond(182, 10)).toEqual(SEND);
  expect(server.receiveRequest()).toEqual(SEND);
  expect(server.hasFinal).toBe(false);
  expect(server.respond(404, 20)).toEqual(SEND);
  expect(server.hasFinal).toBe(true);
  expect(server.receiveRequest()).toEqual(SEND);
});

test.each([
  ['UDP', UDP, 32_020],
  ['TCP', TCP, undefined],
])('%s: after the final response it lives for timer J', (_what, options, endsAtMs) => {
  const server = new NonInviteServer(options, 0);
  server.respond(200, 20);
  expect(server.expiresAtMs).toBe(endsAtMs);
  expect(server.respond(500, 30)).toBeUndefined();
  expect(server.expire(32_020)).toEqual([]);
  expect(server.isEnded).toBe(true);
  expect(server.receiveRequest()).toEqual([]);
});

test('without any response it ends with the patience of the client', () => {
  const server = new NonInviteServer(UDP, 1000);
  expect(server.expire(32_999)).toEqual([]);
  expect(server.isEnded).toBe(false);
  expect(server.expire(33_000)).toEqual([]);
  expect(server.isEnded).toBe(true);
  expect(server.hasFinal).toBe(true);
  expect(server.respond(200, 33_001)).toBeUndefined();
});
