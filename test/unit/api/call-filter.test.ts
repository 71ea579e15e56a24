import { expect, test } from 'vitest';
import { isListed } from '../../../src/api/call-filter.ts';

test.each([
  ['setup', 'active', true],
  ['answered', undefined, true],
  ['ended', undefined, false],
  ['ended', 'active', false],
  ['ended', 'all', true],
] as const)('a call of the SBC that is %s is among those asked for as %s: %s', (...row) => {
  const [state, wanted, expected] = row;
  expect(isListed(state, wanted)).toBe(expected);
});
