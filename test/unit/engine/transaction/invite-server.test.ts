import { describe, expect, test } from 'vitest';
import { InviteServer } from '../../../../src/engine/transaction/invite-server.ts';
import { DEFAULT_TIMERS } from '../../../../src/engine/transaction/timer-values.ts';

const UDP = { timers: DEFAULT_TIMERS, isReliable: false };
const TCP = { timers: DEFAULT_TIMERS, isReliable: true };
const SEND = [{ type: 'sendLatest' }];

function play(server: InviteServer, untilMs: number): number[] {
  const sentAtMs: number[] = [];
  for (
    let atMs = server.expiresAtMs;
    atMs !== undefined && atMs <= untilMs;
    atMs = server.expiresAtMs
  ) {
    if (server.expire(atMs).length > 0) sentAtMs.push(atMs);
  }
  return sentAtMs;
}

describe('proceeding', () => {
  test('a repeated INVITE is answered with the latest provisional, or not at all', () => {
    const server = new InviteServer(UDP);
    expect(server.receiveRequest()).toEqual([]);
    expect(server.respond(100, 0)).toEqual(SEND);
    expect(server.receiveRequest()).toEqual(SEND);
    expect(server.respond(183, 0)).toEqual(SEND);
    expect(server.hasFinal).toBe(false);
    expect(server.expiresAtMs).toBeUndefined();
    expect(server.expire(1_000_000)).toEqual([]);
    expect(server.receiveAck(0)).toEqual([]);
  });
});

describe('300-699', () => {
  test('UDP: timer G doubles up to T2, timer H ends it', () => {
    const server = new InviteServer(UDP);
    expect(server.respond(486, 0)).toEqual(SEND);
    expect(server.hasFinal).toBe(true);
    expect(play(server, 100_000)).toEqual([
      500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]);
    expect(server.isEnded).toBe(true);
  });

  test('TCP: no repeats, timer H all the same', () => {
    const server = new InviteServer(TCP);
    server.respond(486, 0);
    expect(server.expiresAtMs).toBe(32_000);
    expect(play(server, 100_000)).toEqual([]);
    expect(server.isEnded).toBe(true);
  });

  test.each([
    ['UDP', UDP, 5200],
    ['TCP', TCP, undefined],
  ])(
    '%s: the ACK ends the repeats, later ACKs and INVITEs are absorbed for timer I',
    (_what, options, endsAtMs) => {
      const server = new InviteServer(options);
      server.respond(486, 0);
      expect(server.receiveRequest()).toEqual(SEND);
      expect(server.receiveAck(200)).toEqual([]);
      expect(server.expiresAtMs).toBe(endsAtMs);
      expect(server.receiveAck(300)).toEqual([]);
      expect(server.receiveRequest()).toEqual([]);
      expect(server.respond(200, 300)).toBeUndefined();
      expect(play(server, 100_000)).toEqual([]);
      expect(server.isEnded).toBe(true);
    },
  );
});

test('2xx: accepted for 64*T1, sent again only from above, ACKs go up', () => {
  const server = new InviteServer(UDP);
  server.respond(180, 0);
  expect(server.respond(200, 100)).toEqual(SEND);
  expect(server.receiveRequest()).toEqual([]);
  expect(server.respond(200, 600)).toEqual(SEND);
  expect(server.respond(180, 600)).toBeUndefined();
  expect(server.respond(486, 600)).toBeUndefined();
  expect(server.receiveAck(700)).toEqual([{ type: 'deliverAck' }]);
  expect(server.expiresAtMs).toBe(32_100);
  expect(server.expire(32_099)).toEqual([]);
  expect(play(server, 100_000)).toEqual([]);
  expect(server.isEnded).toBe(true);
  expect(server.respond(200, 40_000)).toBeUndefined();
});
