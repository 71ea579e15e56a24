import { expect, test } from 'vitest';
import { q850InReason, q850OfStatus } from '../../../src/call/q850.ts';

test.each([
  [404, 1],
  [486, 17],
  [600, 17],
  [480, 18],
  [603, 21],
  [484, 28],
  [503, 41],
  [408, 102],
  [499, 127],
  [699, 127],
])('a refusal with %d stands for %d', (status, cause) => {
  expect(q850OfStatus(status)).toBe(cause);
});

test.each([
  ['Q.850;cause=16;text="Terminated"', 16],
  ['q.850 ; text="a, b" ; cause = 34', undefined],
  ['q.850 ; text="a b" ; cause = 34', 34],
  ['SIP;cause=200, Q.850;cause=26', 26],
  ['SIP;cause=486', undefined],
  ['Q.850;cause=0', undefined],
  ['Q.850;cause=128', undefined],
  ['Q.850;cause=1600', undefined],
  ['Q.850;because=16', undefined],
  ['', undefined],
  [undefined, undefined],
])('Reason "%s" names %s', (reason, cause) => {
  expect(q850InReason(reason)).toBe(cause);
});
