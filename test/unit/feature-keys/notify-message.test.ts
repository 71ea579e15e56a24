import { expect, test } from 'vitest';
import { formatNotify, judgeAnswer } from '../../../src/feature-keys/notify-message.ts';
import {
  answerFields,
  passedBody,
  subscribeParties,
} from '../../../src/feature-keys/pass-messages.ts';
import type { SipRequest, SipResponse } from '../../../src/wire/sip-message.ts';

function answer(status: number, headers: Readonly<Record<string, string>> = {}): SipResponse {
  const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
  return { type: 'response', status, reason: '', headers: fields, body: Buffer.alloc(0) };
}

test.each([
  [200, {}, 'told'],
  [202, {}, 'told'],
  ...[404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604].map(
    (status): [number, Record<string, string>, string] => [
      status,
      { 'Retry-After': '5' },
      'removed',
    ],
  ),
  [401, {}, 'failed'],
  [407, {}, 'failed'],
  [500, {}, 'failed'],
  [503, { 'Retry-After': '7 (busy);duration=3' }, 'later'],
  [486, { 'Retry-After': '7' }, 'later'],
  [503, { 'Retry-After': 'soon' }, 'failed'],
] as const)('NOTIFY answered %i %j is %s', (status, headers, type) => {
  const message = answer(status, headers);
  expect(judgeAnswer({ status, isMadeUp: false, message })).toMatchObject({ type });
});

test.each([408, 481, 503])('a %i that stands for silence ends the subscription', (status) => {
  expect(judgeAnswer({ status, isMadeUp: true, message: undefined })).toEqual({ type: 'removed' });
});

test('the state counts down, and the last one says why', () => {
  const subject = { eventId: 'a b', device: 'd', partHeads: 'type', remainingMs: 1200 } as const;
  const active = formatNotify({ reports: [], isOwed: true }, subject);
  const termination = { reason: 'probation', retryAfterSeconds: 9, body: 'empty' } as const;
  const last = formatNotify({ reports: [], isOwed: true, termination }, subject);
  expect(active.headers).toMatchObject({
    Event: 'as-feature-event;id="a b"',
    'Subscription-State': 'active;expires=2',
    'Max-Forwards': '70',
  });
  expect([active.body, active.headers['Content-Type']]).toEqual([undefined, undefined]);
  expect(last.headers['Subscription-State']).toBe('terminated;reason=probation;retry-after=9');
});

test('passing through keeps bytes that are no text, where the SIP engine takes them', () => {
  const body = Buffer.from('M\u00FCller', 'latin1');
  const message = { ...answer(200), body };
  expect(passedBody(message, true)).toEqual({
    headers: { 'X-Tonebridge-Body': body.toString('base64') },
  });
  expect(passedBody(message, false).body).toBe('M\u{fffd}ller');
  expect(passedBody({ ...message, body: Buffer.from('Müller') }, true)).toEqual({
    headers: {},
    body: 'Müller',
  });
});

test('passing through names accounts, never the address of a phone', () => {
  const request: SipRequest = {
    type: 'request',
    method: 'SUBSCRIBE',
    uri: 'sip:2001@pbx.example',
    headers: [{ name: 'From', value: '"Desk" <sip:2001@192.0.2.21:5062>;tag=1' }],
    body: Buffer.alloc(0),
  };
  expect(subscribeParties(request, request.uri)).toEqual({
    From: '<sip:2001@pbx.example>',
    To: '<sip:2001@pbx.example>',
  });
  const challenged = answer(401);
  const challenges = Array.from({ length: 20 }, (_, index) => `Digest realm="a", nonce="${index}"`);
  challenged.headers.push(...challenges.map((value) => ({ name: 'WWW-Authenticate', value })), {
    name: 'Contact',
    value: '<sip:10.0.0.1>',
  });
  const fields = Object.entries(answerFields(challenged));
  expect(fields.map(([, value]) => value)).toEqual(challenges.slice(0, 16));
  expect(new Set(fields.map(([name]) => name.toLowerCase()))).toEqual(
    new Set(['www-authenticate']),
  );
});
