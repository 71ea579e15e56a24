import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEADLINE_MS,
  NgExchange,
  type NgTarget,
} from '../../../../src/media/rtpengine/ng-exchange.ts';

const ENGINE: NgTarget = { address: '192.0.2.1', port: 2223 };
const STRANGER: NgTarget = { address: '192.0.2.66', port: 2223 };
const OTHER_PORT: NgTarget = { address: '192.0.2.1', port: 2224 };
const OK = 'd6:result2:oke';

function cookieOf(number: number): string {
  return String(number).padStart(36, '0');
}

function request(number: number): Buffer {
  return Buffer.from(`${cookieOf(number)} d7:command4:pinge`);
}

function answer(number: number, dictionary = OK): Buffer {
  return Buffer.from(`${cookieOf(number)} ${dictionary}`);
}

function started(): NgExchange {
  const exchange = new NgExchange();
  exchange.begin(cookieOf(1), request(1), ENGINE, 1000);
  return exchange;
}

test('a request is sent again after 200, 500 and 1000 ms, and given up after 1500', () => {
  const exchange = started();
  const course: string[] = [];
  for (let nowMs = 1000; nowMs <= 4000; nowMs += 50) {
    const { repeat, expired } = exchange.due(nowMs);
    for (const { bytes } of repeat) course.push(`${nowMs} ${bytes.equals(request(1))}`);
    for (const { cookie } of expired) course.push(`${nowMs} expired ${Number(cookie)}`);
  }
  expect(course).toEqual(['1200 true', '1500 true', '2000 true', '2500 expired 1']);
  expect(exchange.size).toBe(0);
  expect(exchange.nextAtMs).toBeUndefined();
});

test('what was slept through is sent once, not thrice', () => {
  const exchange = started();
  expect(exchange.due(2100).repeat).toHaveLength(1);
  expect(exchange.due(2100).repeat).toEqual([]);
  expect(exchange.nextAtMs).toBe(2500);
});

test('whoever sleeps past the deadline only gives up', () => {
  const exchange = started();
  const { repeat, expired } = exchange.due(9000);
  expect(repeat).toEqual([]);
  expect(expired).toHaveLength(1);
});

test('an answered request is neither sent again nor given up', () => {
  const exchange = started();
  expect(exchange.arrived(answer(1), ENGINE)).toMatchObject({ type: 'answer' });
  expect(exchange.due(9000)).toEqual({ repeat: [], expired: [] });
});

describe('dropped', () => {
  test.each([
    ['an empty datagram', '', ENGINE, 'no-cookie'],
    ['a cookie alone', `${cookieOf(1)} `, ENGINE, 'no-cookie'],
    ['garbage', 'x'.repeat(200), ENGINE, 'no-cookie'],
    ['a cookie without space', `${cookieOf(1)}${OK}`, ENGINE, 'no-cookie'],
    ['an answer nobody waits for', answer(2), ENGINE, 'not-awaited'],
    ['an answer from another address', answer(1), STRANGER, 'stranger'],
    ['an answer from another port', answer(1), OTHER_PORT, 'stranger'],
    ['no dictionary', answer(1, '2:ok'), ENGINE, 'malformed'],
    ['a dictionary with something behind it', answer(1, `${OK}x`), ENGINE, 'malformed'],
    ['a length that sends a decoder back', answer(1, 'd1:al-3:ee'), ENGINE, 'malformed'],
  ])('%s; the answer is still awaited', (_what, bytes, source, reason) => {
    const exchange = started();
    expect(exchange.arrived(Buffer.from(bytes), source)).toEqual({ type: 'dropped', reason });
    expect(exchange.arrived(answer(1), ENGINE)).toMatchObject({ type: 'answer' });
  });

  test('a second answer', () => {
    const exchange = started();
    exchange.arrived(answer(1), ENGINE);
    const again = exchange.arrived(answer(1), ENGINE);
    expect(again).toEqual({ type: 'dropped', reason: 'not-awaited' });
  });

  test('an answer behind the deadline', () => {
    const exchange = started();
    exchange.due(1000 + DEADLINE_MS);
    const late = exchange.arrived(answer(1), ENGINE);
    expect(late).toEqual({ type: 'dropped', reason: 'not-awaited' });
  });
});

test('a request that was answered with garbage only says so when it is given up', () => {
  const exchange = started();
  exchange.arrived(answer(1, 'x'), ENGINE);
  exchange.due(1200);
  exchange.arrived(answer(1, 'y'), ENGINE);
  expect(exchange.due(2500).expired).toMatchObject([{ malformed: 2, repeats: 1 }]);
});

test('an engine that answers from another of its addresses is known when the request is given up', () => {
  const exchange = started();
  exchange.arrived(answer(1), OTHER_PORT);
  expect(exchange.due(2500).expired).toMatchObject([{ strangeSource: OTHER_PORT }]);
});

test('all that waits can be abandoned', () => {
  const exchange = started();
  exchange.begin(cookieOf(2), request(2), ENGINE, 1001);
  expect(exchange.abandon().map(({ cookie }) => Number(cookie))).toEqual([1, 2]);
  expect(exchange.size).toBe(0);
  expect(exchange.due(9000)).toEqual({ repeat: [], expired: [] });
});

test('a cookie is not used twice at a time', () => {
  expect(() => started().begin(cookieOf(1), request(1), ENGINE, 1)).toThrow('twice');
});

/** What the network does to one datagram of a request and to its answer. */
type Passage = typeof anyPassage extends fc.Arbitrary<infer T> ? T : never;

const anyPassage = fc.record({
  isLost: fc.boolean(),
  isAnswerLost: fc.boolean(),
  delayMs: fc.oneof(fc.nat(400), fc.nat(3000)),
  copies: fc.integer({ min: 1, max: 3 }),
  rubbish: fc.option(fc.uint8Array({ maxLength: 80 }), { nil: undefined }),
});
/** One request: when it is made, and the fate of its four datagrams. */
const anyRequest = fc.record({
  atMs: fc.nat(2000),
  passages: fc.array(anyPassage, { minLength: 4, maxLength: 4 }),
});

/** Its first passage takes so long, the others are lost. */
function requestAnsweredAt(ms: number): { atMs: number; passages: Passage[] } {
  const lost = { isLost: true, isAnswerLost: false, delayMs: 0, copies: 1, rubbish: undefined };
  return { atMs: 0, passages: [{ ...lost, isLost: false, delayMs: ms - 1 }, lost, lost, lost] };
}

test('over any network each request ends once: with its answer if one came in time, by its deadline if none', () => {
  fc.assert(
    fc.property(fc.array(anyRequest, { minLength: 1, maxLength: 30 }), (requests) => {
      const exchange = new NgExchange();
      const inbound = new Map<number, Buffer[]>();
      const ends = new Map<string, string[]>();
      const inTime = new Set<string>();
      const attempts = new Map<string, number>();

      const arriveAt = (atMs: number, bytes: Buffer): void => {
        inbound.set(atMs, [...(inbound.get(atMs) ?? []), bytes]);
      };
      const send = (cookie: string, nowMs: number): void => {
        const attempt = attempts.get(cookie) ?? 0;
        attempts.set(cookie, attempt + 1);
        const passage = requests[Number(cookie)]?.passages[attempt];
        if (passage === undefined) throw new Error('sent more than four times');
        if (passage.rubbish !== undefined) {
          arriveAt(nowMs + 1, Buffer.from(passage.rubbish));
          arriveAt(nowMs + 1, Buffer.concat([answer(Number(cookie), ''), passage.rubbish]));
        }
        if (passage.isLost || passage.isAnswerLost) return;
        const atMs = nowMs + 1 + passage.delayMs;
        for (let copy = 0; copy < passage.copies; copy += 1) arriveAt(atMs, answer(Number(cookie)));
        // What comes with the deadline is taken: answers are read before the clock is asked.
        if (atMs <= (requests[Number(cookie)]?.atMs ?? 0) + DEADLINE_MS) inTime.add(cookie);
      };

      for (let nowMs = 0; nowMs <= 6500; nowMs += 1) {
        for (const bytes of inbound.get(nowMs) ?? []) {
          const arrival = exchange.arrived(bytes, ENGINE);
          if (arrival.type === 'answer') end(ends, arrival.pending.cookie, 'answered');
        }
        const { repeat, expired } = exchange.due(nowMs);
        for (const { cookie } of repeat) send(cookie, nowMs);
        for (const { cookie } of expired) end(ends, cookie, 'expired');
        for (const [number, { atMs }] of requests.entries()) {
          if (atMs !== nowMs) continue;
          exchange.begin(cookieOf(number), request(number), ENGINE, nowMs);
          send(cookieOf(number), nowMs);
        }
      }

      expect(exchange.size).toBe(0);
      for (const number of requests.keys()) {
        const cookie = cookieOf(number);
        expect(ends.get(cookie)).toEqual([inTime.has(cookie) ? 'answered' : 'expired']);
      }
    }),
    { numRuns: 50, examples: [[[requestAnsweredAt(DEADLINE_MS)]]] },
  );
});

function end(ends: Map<string, string[]>, cookie: string, how: string): void {
  ends.set(cookie, [...(ends.get(cookie) ?? []), how]);
}
