import { expect, test } from 'vitest';
import type { SipHeader, SipResponse } from '../../../src/wire/sip-message.ts';
import { unreachableHeader, whyUnreachable } from '../../../src/wire/unreachable.ts';

function response(headers: SipHeader[]): SipResponse {
  return { type: 'response', status: 503, reason: 'DNS Error', headers, body: Buffer.alloc(0) };
}

test.each([
  ['tcp 192.0.2.1:5060: connect ECONNREFUSED', 'tcp 192.0.2.1:5060: connect ECONNREFUSED'],
  ['one\r\nVia: two', 'one Via: two'],
  [' é'.repeat(300), ''],
  ['x'.repeat(300), 'x'.repeat(200)],
])('%j comes out as %j', (reason, expected) => {
  expect(whyUnreachable(response([unreachableHeader(reason)]))).toBe(expected);
});

test('without the header the reason phrase has to do', () => {
  expect(whyUnreachable(response([]))).toBe('DNS Error');
});
