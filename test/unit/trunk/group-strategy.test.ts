import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HuntStrategy, SessionGroup } from '../../../src/config/config.ts';
import { orderMembers, type TrunkView } from '../../../src/trunk/group-strategy.ts';
import { IDLE_TRUNK } from '../../../src/trunk/policy.ts';

function group(strategy: HuntStrategy, weights: Record<string, number> = {}): SessionGroup {
  return { name: 'g', strategy, members: ['a', 'b', 'c'], weights, failoverCodes: [] };
}

function order(strategy: HuntStrategy, view: Partial<TrunkView>, weights = {}): string {
  return orderMembers(group(strategy, weights), { ...IDLE_TRUNK, ...view }).join('');
}

test('hunt keeps the order of the file', () => {
  expect(order('hunt', { nextTurn: () => 2, random: () => 0.9 })).toBe('abc');
});

test.each([
  [0, 'abc'],
  [1, 'bca'],
  [2, 'cab'],
  [3, 'abc'],
  [Number.MAX_SAFE_INTEGER, 'bca'],
])('round-robin at turn %i starts one further: %s', (turn, expected) => {
  expect(order('round-robin', { nextTurn: () => turn })).toBe(expected);
});

test.each([
  [{ a: 0, b: 0, c: 0 }, 'abc'],
  [{ a: 2, b: 1, c: 0 }, 'cba'],
  [{ a: 1, b: 0, c: 1 }, 'bac'],
])('least-busy with calls %j: %s', (calls: Record<string, number>, expected) => {
  expect(order('least-busy', { sessions: (name) => calls[name] ?? 0 })).toBe(expected);
});

describe('weighted', () => {
  test.each([
    [0, 'abc'],
    [0.1, 'abc'],
    [0.5, 'bca'],
    [0.999, 'cba'],
  ])('random %d with equal weights: %s', (random, expected) => {
    expect(order('weighted', { random: () => random })).toBe(expected);
  });

  test('a member with weight 8 of 10 gets eight first places of ten', () => {
    let ticket = -0.05;
    const next = (): number => (ticket += 0.1);
    const firsts: string[] = [];
    for (let call = 0; call < 10; call += 1) {
      const random = next();
      firsts.push(order('weighted', { random: () => random }, { b: 8 })[0] ?? '');
    }
    expect(firsts.toSorted().join('')).toBe('abbbbbbbbc');
  });

  test('every member is tried exactly once, whatever is drawn', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3 }),
        (draws) => {
          let index = 0;
          const random = (): number => draws[index++ % draws.length] ?? 0;
          const members = orderMembers(group('weighted', { a: 3 }), { ...IDLE_TRUNK, random });
          expect(members.toSorted()).toEqual(['a', 'b', 'c']);
        },
      ),
    );
  });
});
