import { expect, test } from 'vitest';
import { ForwardsInSetUp } from '../../../src/call/forward/forwards-in-set-up.ts';

const ACCOUNT = 'sip:2001@pbx.example';

/** How many of `count` forwards at once are let in, each for the caller that `callerOf` gives. */
function admitted(count: number, callerOf: (n: number) => string): number {
  const inSetUp = new ForwardsInSetUp();
  const places = Array.from({ length: count }, (_, n) => inSetUp.enter(ACCOUNT, callerOf(n), 5));
  const taken = places.filter((leave) => leave !== undefined);
  for (const leave of taken) leave();
  if (inSetUp.size > 0) throw new Error('a place was not given back');
  return taken.length;
}

test.each([
  ['one caller', () => '49301', 20],
  ['a caller whose number changes each time', (n: number) => String(49_000 + n), 80],
  ['callers who withhold theirs', () => 'anonymous', 80],
  ['callers without any', () => '', 80],
])('%s has a bound', (_who, callerOf, most) => {
  expect(admitted(200, callerOf)).toBe(most);
});

test('accounts do not share their places', () => {
  const inSetUp = new ForwardsInSetUp();
  for (let n = 0; n < 20; n += 1) inSetUp.enter(ACCOUNT, '49301', 5);
  expect(inSetUp.enter(ACCOUNT, '49301', 5)).toBeUndefined();
  expect(inSetUp.enter('sip:2002@pbx.example', '49301', 5)).toBeDefined();
});
