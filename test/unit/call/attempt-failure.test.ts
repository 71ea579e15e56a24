import { expect, test } from 'vitest';
import {
  callerStatus,
  causeOfFailure,
  failureAt,
  isRedirection,
  isWorthAnotherHop,
  type AttemptFailure,
  whyNotFollowed,
} from '../../../src/call/setup/attempt-failure.ts';
import type { EndCause } from '../../../src/call/end-cause.ts';
import type { SipResponse } from '../../../src/wire/sip-message.ts';

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

test.each<[AttemptFailure, EndCause]>([
  [
    { status: 503, reason: 'dns: no address for a.test', response: undefined },
    {
      name: 'next-hop-unreachable',
      by: 'sbc',
      text: 'dns: no address for a.test (next hop sip:a.test) (not followed: tried)',
    },
  ],
  [
    { status: 503, reason: 'connection-lost', response: undefined },
    { name: 'engine-lost', by: 'sbc' },
  ],
  [
    { status: 408, reason: 'Request Timeout', response: undefined },
    {
      name: 'callee-refused',
      by: 'callee',
      status: 408,
      text: 'Request Timeout (not followed: tried)',
    },
  ],
  [
    { status: 503, reason: 'Full', response: answer(503) },
    { name: 'callee-refused', by: 'callee', status: 503, text: 'Full (not followed: tried)' },
  ],
  [
    { status: 407, reason: 'Who?', response: answer(407) },
    { name: 'callee-refused', by: 'callee', status: 403, text: 'Who? (not followed: tried)' },
  ],
])('%j ends the call for %j', (failure, cause) => {
  const hop = { nextHop: 'sip:a.test' };
  expect(causeOfFailure(failureAt(hop, failure), ' (not followed: tried)')).toEqual(cause);
});

function answer(status: number): SipResponse {
  return { type: 'response', status, reason: '', headers: [], body: Buffer.alloc(0) };
}

test('the record says why a redirection was not followed, each reason once', () => {
  const contact = 'sip:a@b';
  const refused = (['no-agent', 'not-sip', 'no-agent'] as const).map((reason) => ({
    contact,
    reason,
  }));
  expect(whyNotFollowed({ hops: [], refused })).toBe(' (not followed: no-agent, not-sip)');
  expect(whyNotFollowed({ hops: [], refused: [] })).toBe(' (not followed: no contact)');
});
