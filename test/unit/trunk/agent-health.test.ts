import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AgentHealth,
  type AgentOutcome,
  initialHealth,
  jitteredMs,
  nextHealth,
} from '../../../src/trunk/agent-health.ts';

const RULES = { downAfter: 3, upAfter: 2, failureCodes: [503] };

/** One letter per outcome: of OPTIONS small, of calls capital. */
const OUTCOMES: Readonly<Record<string, AgentOutcome>> = {
  o: { type: 'answer', by: 'ping', status: 200 },
  n: { type: 'answer', by: 'ping', status: 405 },
  b: { type: 'answer', by: 'ping', status: 503 },
  s: { type: 'silence', by: 'ping' },
  t: { type: 'transportError', by: 'ping' },
  O: { type: 'answer', by: 'call', status: 486 },
  B: { type: 'answer', by: 'call', status: 503 },
  S: { type: 'silence', by: 'call' },
  T: { type: 'transportError', by: 'call' },
};

/** `+` in service, `-` out of service, after each outcome; the n-th outcome comes at n seconds. */
function run(letters: string): { line: string; health: AgentHealth } {
  let health = initialHealth(0);
  let line = '';
  for (const [index, letter] of letters.split('').entries()) {
    const outcome = OUTCOMES[letter];
    if (outcome === undefined) throw new Error(letter);
    health = nextHealth(health, outcome, RULES, (index + 1) * 1000);
    line += health.type === 'inService' ? '+' : '-';
  }
  return { line, health };
}

describe('three failures take an agent out, two answers to OPTIONS bring it back', () => {
  test.each([
    ['answers', 'ooo', '+++'],
    ['any other code is an answer', 'nnn', '+++'],
    ['silence', 'sss', '++-'],
    ['no connection', 'ttt', '++-'],
    ['the configured code', 'bbb', '++-'],
    ['all kinds count together, calls too', 'sTB', '++-'],
    ['an answer in between begins anew', 'ssoss', '+++++'],
    ['so does an answer to a call', 'ssOss', '+++++'],
    ['back', 'sssoo', '++--+'],
    ['back only in a row', 'sssosoo', '++----+'],
    ['a refused call does not help', 'sssoOo', '++---+'],
    ['calls do not bring it back', 'sssOOOO', '++-----'],
    ['a failing call begins the answers anew', 'sssoSoo', '++----+'],
    ['out again', 'sssoosss', '++--+++-'],
  ])('%s: %s', (_, letters, expected) => {
    expect(run(letters).line).toBe(expected);
  });

  test.each([
    ['sss', { type: 'outOfService', sinceMs: 3000, reason: 'no-answer', answers: 0 }],
    ['ssT', { type: 'outOfService', sinceMs: 3000, reason: 'transport-error', answers: 0 }],
    ['ssbss', { type: 'outOfService', sinceMs: 3000, reason: 'failure-code', answers: 0 }],
    ['sssoo', { type: 'inService', sinceMs: 5000, reason: 'answers', failures: 0 }],
    ['oos', { type: 'inService', sinceMs: 0, reason: 'answers', failures: 1 }],
    ['ss', { type: 'inService', sinceMs: 0, reason: 'started', failures: 2 }],
  ])('%s: reason and time are those of the change', (letters, expected) => {
    expect(run(letters).health).toEqual(expected);
  });
});

test('it is out exactly when the rule over the whole past says so', () => {
  const outcome = fc.constantFrom(...Object.values(OUTCOMES));
  const rules = fc.record({
    downAfter: fc.integer({ min: 1, max: 5 }),
    upAfter: fc.integer({ min: 1, max: 5 }),
    failureCodes: fc.constantFrom<number[][]>([], [503], [405, 486, 503]),
  });
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 60 }), rules, (outcomes, rule) => {
      let health = initialHealth(0);
      // The other way to say it: the state changes when the tail since the last change is a full run.
      let isOut = false;
      let tail: AgentOutcome[] = [];
      for (const [index, next] of outcomes.entries()) {
        const before = health;
        health = nextHealth(health, next, rule, index);
        tail.push(next);
        const isFailure = (item: AgentOutcome): boolean =>
          item.type !== 'answer' || rule.failureCodes.includes(item.status);
        const counted = isOut ? tail.filter((item) => isFailure(item) || item.by === 'ping') : tail;
        const latest = counted.slice(isOut ? -rule.upAfter : -rule.downAfter);
        const isFull = latest.length === (isOut ? rule.upAfter : rule.downAfter);
        if (isFull && latest.every((item) => isFailure(item) !== isOut)) {
          isOut = !isOut;
          tail = [];
        }
        expect(health.type).toBe(isOut ? 'outOfService' : 'inService');
        const hasChanged = health.type !== before.type;
        expect(health.sinceMs).toBe(hasChanged ? index : before.sinceMs);
      }
    }),
  );
});

test.each([
  [0, 27_000],
  [0.5, 30_000],
  [0.999999, 33_000],
])('30 s with random %d wait %i ms', (random, expected) => {
  expect(jitteredMs(30_000, random)).toBe(expected);
});
