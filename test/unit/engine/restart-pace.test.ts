import { expect, test } from 'vitest';
import { RestartPace } from '../../../src/engine/restart-pace.ts';

/** Delays of failures at the given times; `-` for giving up. */
function delays(atMs: readonly number[], random = 1): string {
  const pace = new RestartPace(() => random);
  return atMs
    .map((ms) => pace.failed(ms))
    .map((decision) => (decision.type === 'giveUp' ? '-' : String(decision.delayMs)))
    .join(' ');
}

const SECOND = 1000;

test.each([
  ['the first failure is mended at once', [0], '0'],
  ['further ones wait ever longer', [0, 1, 2, 3, 4, 5], '0 100 200 400 800 1600'],
  ['up to two seconds', [0, 1, 2, 3, 4, 5, 6, 7], '0 100 200 400 800 1600 2000 2000'],
  ['failures a minute apart are first ones each', [0, 60 * SECOND, 120 * SECOND], '0 0 0'],
  ['an old one stops counting', [0, 59 * SECOND, 61 * SECOND], '0 100 100'],
  [
    'the thirteenth in a minute is the last',
    Array.from({ length: 13 }, (_none, n) => n),
    '0 100 200 400 800 1600 2000 2000 2000 2000 2000 2000 -',
  ],
])('%s', (_name, atMs, expected) => {
  expect(delays(atMs)).toBe(expected);
});

test('a delay is shortened by chance, by half at most', () => {
  expect(delays([0, 1, 2], 0)).toBe('0 50 100');
});
