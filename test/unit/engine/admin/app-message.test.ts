import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAppMessage } from '../../../../src/engine/admin/app-message.ts';

const CYMRU = { type: 'authenticate', messageId: 'm1', secret: 'cymru' };

test.each([
  ['m1|authenticate|cymru|', { ...CYMRU, tags: [''] }],
  ['m1|authenticate|cymru', { ...CYMRU, tags: [''] }],
  ['m1|authenticate|cymru|sbc,east', { ...CYMRU, tags: ['sbc', 'east'] }],
  ['m1|route|invite', { type: 'route', messageId: 'm1', method: 'invite' }],
  ['m1|route|INVITE', { type: 'route', messageId: 'm1', method: 'invite' }],
  ['m1|remove_route|invite', { type: 'removeRoute', messageId: 'm1', method: 'invite' }],
  ['m1|ping', { type: 'ping', messageId: 'm1' }],
  ['m1|proxy|t1|||', { type: 'unsupported', messageId: 'm1', verb: 'proxy' }],
])('reads %s', (text, expected) => {
  expect(parseAppMessage(Buffer.from(text))).toEqual(expected);
});

test.each([
  ['m1|sip||', '', '', ''],
  ['m1|sip|t1|', 't1', '', ''],
  ['m1|sip||call;from-tag=a', '', 'call;from-tag=a', ''],
  ['m1|sip|||sip:127.0.0.1:7713;lr', '', '', 'sip:127.0.0.1:7713;lr'],
])('reads the ids of %s', (line, transactionId, dialogId, nextHop) => {
  const message = parseAppMessage(Buffer.from(`${line}\r\nACK sip:x SIP/2.0\r\n\r\n`));
  const text = Buffer.from('ACK sip:x SIP/2.0\r\n\r\n');
  expect(message).toEqual({ type: 'sip', messageId: 'm1', transactionId, dialogId, nextHop, text });
});

test.each(['', '|ping', 'm1', 'm1|', '\r\nping'])('refuses %j', (text) => {
  expect(parseAppMessage(Buffer.from(text))).toBeUndefined();
});

test('any bytes never throw', () => {
  const read = fc.property(fc.uint8Array(), (bytes) => void parseAppMessage(Buffer.from(bytes)));
  expect(() => fc.assert(read)).not.toThrow();
});
