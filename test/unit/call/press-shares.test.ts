import { expect, test } from 'vitest';
import { PressShares } from '../../../src/call/digits/press-shares.ts';

test.each<[holders: number, fates: string, isLost: boolean[]]>([
  [1, '-', [true]],
  [2, '--', [false, true]],
  [2, '+-', [false]],
  [2, '-+', [false]],
  // One of the two told it twice, under two Event ids.
  [2, '++-', [false]],
  [3, '---', [false, false, true]],
  [3, '-+-', [false, false]],
])('given to %i, fates %s: lost %j', (holders, fates, isLost) => {
  const shares = new PressShares();
  shares.begin('a', holders);
  const seen: boolean[] = [];
  for (const fate of fates) {
    if (fate === '+') shares.delivered('a');
    else seen.push(shares.dropped('a'));
  }
  expect(seen).toEqual(isLost);
});

test('old presses are forgotten', () => {
  const shares = new PressShares();
  for (let index = 0; index <= 256; index += 1) shares.begin(`${index}`, 2);
  expect(shares.dropped('0')).toBe(true);
  expect(shares.dropped('1')).toBe(false);
});
