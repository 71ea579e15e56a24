import fc from 'fast-check';
import { expect, test } from 'vitest';
import { peekMessage } from '../../../../src/engine/transport/message-peek.ts';
import { requestText } from '../transaction/sample-messages.ts';

function peek(text: string): unknown {
  return peekMessage(Buffer.from(text));
}

test.each([
  ['long form', requestText({ method: 'BYE', callId: 'a@b' }), 'a@b'],
  ['compact form', 'BYE sip:x SIP/2.0\r\ni: a@b\r\n\r\n', 'a@b'],
  ['any letter case and space', 'BYE sip:x SIP/2.0\r\nCALL-ID  :  a@b  \r\n\r\n', 'a@b'],
  ['bare line feeds', 'BYE sip:x SIP/2.0\nCall-ID: a@b\n\n', 'a@b'],
  ['none', 'BYE sip:x SIP/2.0\r\n\r\n', ''],
  ['a name that only ends so', 'BYE sip:x SIP/2.0\r\nX-Call-ID: a@b\r\n\r\n', ''],
])('Call-ID of a request, %s', (_what, text, callId) => {
  expect(peek(text)).toEqual({ type: 'request', callId });
});

test('a response is known by method and branch', () => {
  const text = requestText({ method: 'INVITE', callId: 'a@b', branch: 'z9hG4bKours' });
  expect(peek(text.replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n'))).toEqual({
    type: 'response',
    method: 'INVITE',
    branch: 'z9hG4bKours',
    callId: 'a@b',
  });
});

test('any bytes are read without an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(['request', 'response']).toContain(peekMessage(Buffer.from(bytes)).type);
    }),
  );
});
