import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LostAttempts } from '../../../src/sip/lost-attempts.ts';
import { parseSipMessage, type SipRequest } from '../../../src/wire/sip-message.ts';
import { FakeSipConnection } from '../../support/fake-sip-connection.ts';

const NEXT_HOP = 'sip:192.0.2.9:5060';

function invite(): SipRequest {
  const lines = [
    'INVITE sip:bob@192.0.2.7 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfirst;rport',
    'Max-Forwards: 70',
    'From: <sip:a@192.0.2.1>;tag=ours',
    'To: <sip:bob@192.0.2.7>',
    'Call-ID: leg-b',
    'CSeq: 7 INVITE',
    'Supported: timer',
    'Supported: 100rel',
    'Content-Length: 5',
  ];
  const message = parseSipMessage(Buffer.from([...lines, '', 'v=0\r\n'].join('\r\n')));
  if (message.type !== 'request') throw new Error('not a request');
  return message;
}

function regained(awayMs = 1000, isRepeatable = true): FakeSipConnection {
  const attempts = new LostAttempts(isRepeatable);
  attempts.lose(invite(), { method: 'INVITE', uri: 'sip:bob', nextHop: NEXT_HOP });
  vi.advanceTimersByTime(awayMs);
  const back = new FakeSipConnection();
  attempts.regain(back);
  attempts.regain(back);
  return back;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the same INVITE goes out once more, and is cancelled at once', () => {
  const back = regained();
  expect(back.sent.map(({ options }) => options)).toEqual([
    {
      method: 'INVITE',
      uri: 'sip:bob@192.0.2.7',
      nextHop: NEXT_HOP,
      body: 'v=0\r\n',
      headers: {
        Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfirst;rport',
        'Max-Forwards': '70',
        From: '<sip:a@192.0.2.1>;tag=ours',
        To: '<sip:bob@192.0.2.7>',
        'Call-ID': 'leg-b',
        CSeq: '7 INVITE',
        Supported: 'timer, 100rel',
      },
    },
  ]);
  expect(back.last.cancels).toEqual([]);
  back.last.goOut();
  expect(back.last.cancels).toEqual([{ Reason: 'Q.850;cause=41' }]);
});

test('a callee who has answered meanwhile gets ACK and BYE', () => {
  const back = regained();
  const [repeated] = back.sent;
  repeated?.goOut();
  repeated?.answer(200);
  expect(repeated?.acknowledgements).toEqual([undefined]);
  expect(back.last.options).toMatchObject({ method: 'BYE', dialogId: 'dialog-b' });
  back.last.answer(200);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([180, 486, 487])('%i needs nothing of ours', (status) => {
  const back = regained();
  back.last.goOut();
  back.last.answer(status);
  expect(back.sent).toHaveLength(1);
  expect(back.last.acknowledgements).toEqual([]);
});

test('a callee who would take it for a new call is left alone', () => {
  expect(regained(30_000).sent).toEqual([]);
});

test('a server that would send it as a new call is not asked to', () => {
  expect(regained(1000, false).sent).toEqual([]);
});
