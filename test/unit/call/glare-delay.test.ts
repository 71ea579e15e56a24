import fc from 'fast-check';
import { expect, test } from 'vitest';
import { glareDelayMs } from '../../../src/call/mid-call/glare-delay.ts';

test.each([
  ['uac', 0, 2100],
  ['uac', 0.5, 3050],
  ['uac', 0.999_999, 4000],
  ['uas', 0, 0],
  ['uas', 0.5, 1000],
  ['uas', 0.999_999, 2000],
] as const)('as %s with %d: %i ms', (role, random, delayMs) => {
  expect(glareDelayMs(role, random)).toBe(delayMs);
});

test('the two ends never ask again at the same time, and wait whole steps of 10 ms', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(random, random, (mine, theirs) => {
      const [owner, other] = [glareDelayMs('uac', mine), glareDelayMs('uas', theirs)];
      expect(owner - other).toBeGreaterThanOrEqual(100);
      expect([owner % 10, other % 10]).toEqual([0, 0]);
    }),
  );
});
