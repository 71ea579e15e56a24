import { describe, expect, test } from 'vitest';
import {
  formatNo,
  formatNok,
  formatOk,
  formatRequestSent,
  formatResponseSent,
  formatSipFrame,
} from '../../../../src/engine/admin/server-message.ts';

const PATH = { protocol: 'udp', address: '127.0.0.1', port: 8592 };
const MESSAGE = Buffer.from('INFO sip:é SIP/2.0\r\n\r\n');

/** Tokens of a frame, with what is new each time replaced by its form. */
function tokensOf(frame: Buffer): { tokens: string[]; message: string } {
  const text = frame.toString();
  const payload = text.slice(text.indexOf('#') + 1);
  expect(Number(text.split('#')[0])).toBe(Buffer.byteLength(payload));
  const [line = '', ...message] = payload.split('\r\n');
  const tokens = line.split('|').map((token) => {
    if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(token)) return 'UUID';
    return /^\d\d:\d\d:\d\d\.\d{6}$/.test(token) ? 'TIME' : token;
  });
  return { tokens, message: message.join('\r\n') };
}

describe('the tokens the library reads by position', () => {
  test('a new request of the network tells the address it came in on', () => {
    const receivedOn = { address: '127.0.0.1', port: 5066 };
    const ids = { transactionId: 't1', dialogId: '' };
    const frame = formatSipFrame({
      source: 'network',
      path: PATH,
      ...ids,
      receivedOn,
      message: MESSAGE,
    });
    expect(tokensOf(frame)).toEqual({
      tokens: 'UUID|sip|network|23|udp|127.0.0.1|8592|TIME|t1||127.0.0.1|5066|'.split('|'),
      message: MESSAGE.toString(),
    });
  });

  test('a request in a dialog ends behind the dialog id', () => {
    const ids = { transactionId: 't1', dialogId: 'c;from-tag=a' };
    const frame = formatSipFrame({ source: 'network', path: PATH, ...ids, message: MESSAGE });
    expect(tokensOf(frame).tokens.slice(8)).toEqual(['t1', 'c;from-tag=a', '']);
  });

  test('a response nobody sent has no size', () => {
    const path = { protocol: 'udp', address: '', port: 0 };
    const ids = { transactionId: 't1', dialogId: '' };
    const frame = formatSipFrame({
      source: 'network',
      path,
      ...ids,
      message: MESSAGE,
      sizeBytes: 0,
    });
    expect(tokensOf(frame).tokens.join('|')).toBe('UUID|sip|network|0|udp||0|TIME|t1||');
  });

  test('the confirmation of a request', () => {
    const frame = formatRequestSent('m1', { path: PATH, transactionId: 't1', message: MESSAGE });
    expect(tokensOf(frame).tokens.join('|')).toBe(
      'UUID|response|m1|OK|application|23|udp|127.0.0.1|8592|TIME|t1|Msg sent:|',
    );
  });

  test('the confirmation of a response has the dialog id in token 11', () => {
    const sent = { path: PATH, transactionId: 't1', dialogId: 'c;from-tag=a', message: MESSAGE };
    const { tokens } = tokensOf(formatResponseSent('m1', sent));
    expect(tokens[11]).toBe('c;from-tag=a');
    expect(tokens.slice(12)).toEqual(['', 'Msg sent:', '']);
  });

  test.each([
    ['route', formatOk('m1'), 'UUID|response|m1|OK'],
    ['ping', formatOk('m1', 'pong'), 'UUID|response|m1|OK|pong'],
    ['authenticate', formatOk('m1', 'udp/a:1', 'v0.9.3'), 'UUID|response|m1|OK|udp/a:1|v0.9.3'],
    [
      'a refusal',
      formatNok('m1', 'no such\r\nthing|here'),
      'UUID|response|m1|NOK|no such thing here',
    ],
    ['a wrong secret', formatNo('m1', 'incorrect secret'), 'UUID|response|m1|NO|incorrect secret'],
  ])('the answer to %s', (_name, frame, expected) => {
    expect(tokensOf(frame).tokens.join('|')).toBe(expected);
  });
});
