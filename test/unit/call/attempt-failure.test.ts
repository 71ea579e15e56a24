import { expect, test } from 'vitest';
import {
  callerStatus,
  isRedirection,
  isWorthAnotherHop,
  whyNotFollowed,
} from '../../../src/call/setup/attempt-failure.ts';

test.each<[status: number, told: number, isWorth: boolean, isRedirected: boolean]>([
  [300, 480, false, true],
  [301, 480, false, true],
  [302, 480, false, true],
  [305, 480, false, false],
  [380, 480, false, false],
  [401, 403, false, false],
  [404, 404, false, false],
  [407, 403, false, false],
  [422, 480, false, false],
  [408, 408, true, false],
  [486, 486, false, false],
  [500, 500, true, false],
  [503, 503, true, false],
  [603, 603, false, false],
])('%i is %i for the caller; another hop: %s, redirected: %s', (status, told, ...rest) => {
  expect(callerStatus(status)).toBe(told);
  expect([isWorthAnotherHop(status), isRedirection(status)]).toEqual(rest);
});

test('the record says why a redirection was not followed, each reason once', () => {
  const contact = 'sip:a@b';
  const refused = (['no-agent', 'not-sip', 'no-agent'] as const).map((reason) => ({
    contact,
    reason,
  }));
  expect(whyNotFollowed({ hops: [], refused })).toBe(' (not followed: no-agent, not-sip)');
  expect(whyNotFollowed({ hops: [], refused: [] })).toBe(' (not followed: no contact)');
});
