import { expect, test } from 'vitest';
import { outcomeOfAttempt } from '../../../src/call/setup/agent-outcome.ts';
import { NO_ANSWER } from '../../../src/sip/outgoing-invite.ts';
import type { AgentOutcome } from '../../../src/trunk/agent-health.ts';
import type { SipResponse } from '../../../src/wire/sip-message.ts';

function response(status: number): SipResponse {
  return { type: 'response', status, reason: '', headers: [], body: Buffer.alloc(0) };
}

test.each([486, 408, 503])('an answer %i of the peer is an answer', (status) => {
  const failure = { status, reason: '', response: response(status) };
  expect(outcomeOfAttempt(failure)).toEqual({ type: 'answer', by: 'call', status });
});

test.each<[number, string, AgentOutcome | undefined]>([
  [408, 'Request Timeout', { type: 'silence', by: 'call' }],
  [503, 'Service Unavailable', { type: 'transportError', by: 'call' }],
  [503, 'connection-lost', undefined],
  [408, NO_ANSWER, undefined],
])('no response, %i %s', (status, reason, expected) => {
  expect(outcomeOfAttempt({ status, reason, response: undefined })).toEqual(expected);
});
