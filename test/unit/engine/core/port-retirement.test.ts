import { expect, test } from 'vitest';
import { PortRetirement } from '../../../../src/engine/core/port-retirement.ts';

const HOUR_MS = 3_600_000;

/** Busy or not at each moment, and what is to be done then. */
type Line = readonly [atMs: number, isBusy: boolean, step: string];

test.each<[string, boolean, readonly Line[]]>([
  ['nothing under way: it closes at once', false, [[250, false, 'over']]],
  [
    'a call: it stays until the call is over and five seconds have passed, in which repeats may come',
    true,
    [
      [250, true, 'waiting'],
      [60_000, true, 'waiting'],
      [60_250, false, 'waiting'],
      [64_999, false, 'waiting'],
      [65_000, false, 'over'],
    ],
  ],
  [
    'a call that ends before it is looked at: five seconds as well',
    true,
    [
      [250, false, 'waiting'],
      [5000, false, 'over'],
    ],
  ],
  [
    'something begins late: it counts like a call',
    true,
    [
      [4000, false, 'waiting'],
      [4500, true, 'waiting'],
      [9000, false, 'waiting'],
      [9500, false, 'over'],
    ],
  ],
  [
    'a call that does not end: it is ended after an hour, and the port closes whatever happens',
    true,
    [
      [HOUR_MS - 1, true, 'waiting'],
      [HOUR_MS, true, 'end'],
      [HOUR_MS + 250, true, 'waiting'],
      [HOUR_MS + 5000, true, 'over'],
    ],
  ],
])('%s', (_name, isBusyAtFirst, lines) => {
  const retirement = new PortRetirement(isBusyAtFirst, 0);
  const steps = lines.map(([atMs, isBusy]) => [atMs, isBusy, retirement.step(isBusy, atMs)]);
  expect(steps).toEqual(lines);
});
