import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InviteClient } from '../../../../src/engine/transaction/invite-client.ts';
import { InviteServer } from '../../../../src/engine/transaction/invite-server.ts';
import { NonInviteClient } from '../../../../src/engine/transaction/non-invite-client.ts';
import { NonInviteServer } from '../../../../src/engine/transaction/non-invite-server.ts';
import { DEFAULT_TIMERS } from '../../../../src/engine/transaction/timer-values.ts';
import { runLink } from './machine-link.ts';
import type { Fate, LinkPlan, LinkResult } from './machine-link.ts';

const udp = { timers: DEFAULT_TIMERS, isReliable: false };

function invite(answers: LinkPlan['answers'], fate: Fate): LinkResult {
  return runLink({
    client: new InviteClient(udp),
    createServer: () => new InviteServer(udp),
    answers,
    fate,
  });
}

function nonInvite(answers: LinkPlan['answers'], fate: Fate): LinkResult {
  return runLink({
    client: new NonInviteClient(udp),
    createServer: (nowMs) => new NonInviteServer(udp, nowMs),
    answers,
    fate,
  });
}

/** Loses the packets with these numbers, the others take 10 ms. */
function losing(lost: { client?: number[]; server?: number[] }): Fate {
  return (from, index) => (lost[from]?.includes(index) === true ? [] : [10]);
}

const BUSY = [
  [5, 100],
  [200, 180],
  [1000, 486],
] as const;

describe('INVITE over a network that', () => {
  test.each<[string, Fate, Partial<LinkResult>]>([
    [
      'loses nothing',
      losing({}),
      { requestsSent: 1, responsesSent: 3, acksSent: 1, delivered: [100, 180, 486] },
    ],
    [
      'loses the first INVITE',
      losing({ client: [0] }),
      { requestsSent: 2, acksSent: 1, delivered: [100, 180, 486] },
    ],
    ['loses the 100', losing({ server: [0] }), { requestsSent: 1, delivered: [180, 486] }],
    ['loses 100 and 180', losing({ server: [0, 1] }), { requestsSent: 2, delivered: [180, 486] }],
    [
      'loses the 486 twice',
      losing({ server: [2, 3] }),
      { responsesSent: 5, acksSent: 1, delivered: [100, 180, 486] },
    ],
    [
      'loses the ACK three times',
      losing({ client: [1, 2, 3] }),
      { responsesSent: 6, acksSent: 4, delivered: [100, 180, 486] },
    ],
    [
      'doubles everything',
      () => [10, 12],
      { requestsSent: 1, delivered: [100, 100, 180, 180, 486] },
    ],
    [
      'swaps 180 and 486',
      (from, index) => [from === 'server' && index === 1 ? 2000 : 10],
      { delivered: [100, 486] },
    ],
    [
      'loses every INVITE',
      (from) => (from === 'client' ? [] : [10]),
      { requestsSent: 7, delivered: ['timeout'], requestsDelivered: 0 },
    ],
  ])('%s', (_what, fate, expected) => {
    const result = invite(BUSY, fate);
    expect(result).toMatchObject(expected);
  });

  test('loses every ACK: the callee gives up after 64*T1', () => {
    const result = invite([[0, 486]], (from, index) =>
      from === 'client' && index > 0 ? [] : [10],
    );
    // T1, 2*T1, 4*T1, then every T2 within 32 s.
    expect(result).toMatchObject({ responsesSent: 11, delivered: [486] });
  });

  test('does anything: one request, one final answer or a timeout, both ends end', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 3 });
    const fates = fc.record({ client: fc.array(delays), server: fc.array(delays) });
    fc.assert(
      fc.property(fates, fc.integer({ min: 0, max: 60_000 }), (plan, afterMs) => {
        const fate: Fate = (from, index) => plan[from][index] ?? [10];
        const { delivered, requestsDelivered } = invite(
          [
            [0, 100],
            [afterMs, 486],
          ],
          fate,
        );
        const ends = delivered.filter((what) => what === 486 || what === 'timeout');
        expect(ends).toHaveLength(1);
        expect(requestsDelivered).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('another request over a network that', () => {
  test.each<[string, Fate, Partial<LinkResult>]>([
    ['loses nothing', losing({}), { requestsSent: 1, responsesSent: 1, delivered: [200] }],
    ['loses the request twice', losing({ client: [0, 1] }), { requestsSent: 3, delivered: [200] }],
    [
      'loses the answer',
      losing({ server: [0] }),
      { requestsSent: 2, responsesSent: 2, delivered: [200] },
    ],
    ['doubles everything', () => [10, 40], { requestsSent: 1, responsesSent: 2, delivered: [200] }],
    [
      'loses every answer',
      (from) => (from === 'server' ? [] : [10]),
      { requestsSent: 11, delivered: ['timeout'], requestsDelivered: 1 },
    ],
  ])('%s', (_what, fate, expected) => {
    const result = nonInvite([[20, 200]], fate);
    expect(result).toMatchObject({ requestsDelivered: 1, ...expected });
  });

  test('does anything: the request is handled once within its life, the answer delivered once', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 3 });
    const fates = fc.record({ client: fc.array(delays), server: fc.array(delays) });
    fc.assert(
      fc.property(fates, fc.integer({ min: 0, max: 20_000 }), (plan, afterMs) => {
        const fate: Fate = (from, index) => plan[from][index] ?? [10];
        const { delivered, requestsDelivered } = nonInvite([[afterMs, 404]], fate);
        const ends = delivered.filter((what) => what === 404 || what === 'timeout');
        expect(ends).toHaveLength(1);
        expect(requestsDelivered).toBeLessThanOrEqual(1);
      }),
    );
  });
});
