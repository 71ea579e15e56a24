import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAppSip } from '../../../../src/engine/admin/app-sip.ts';

function parse(text: string): ReturnType<typeof parseAppSip> {
  return parseAppSip(Buffer.from(text));
}

describe('parseAppSip', () => {
  test('reads a request; the body is everything behind the empty line', () => {
    const text =
      'MESSAGE sip:bob@lab SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhé';
    expect(parse(text)).toEqual({
      type: 'request',
      method: 'MESSAGE',
      uri: 'sip:bob@lab',
      headers: [
        { name: 'Content-Type', value: 'text/plain' },
        { name: 'Content-Length', value: '2' },
      ],
      body: Buffer.from('hé'),
    });
  });

  test.each([
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['SIP/2.0 489 Bad Event - no dialog handler', 489, 'Bad Event - no dialog handler'],
    ['SIP/2.0 180', 180, ''],
  ])('reads the status line %s', (line, status, reason) => {
    expect(parse(`${line}\r\n\r\n`)).toMatchObject({ type: 'response', status, reason });
  });

  test.each([
    [
      'an unknown method',
      'FOO sip:bob@lab SIP/2.0',
      'invalid request-uri: FOO sip:bob@lab SIP/2.0',
    ],
    ['no URI', 'OPTIONS foo SIP/2.0', 'invalid request-uri: OPTIONS foo SIP/2.0'],
    ['a status out of range', 'SIP/2.0 700 No', 'invalid status line: SIP/2.0 700 No'],
    [
      'a line feed in a value',
      'INFO sip:x SIP/2.0\r\nA: b\nEvil: 1',
      'invalid header: A: b\nEvil: 1',
    ],
    ['a return in a value', 'INFO sip:x SIP/2.0\r\nA: b\rc', 'invalid header: A: b\rc'],
    ['a NUL in a value', 'INFO sip:x SIP/2.0\r\nA: b\0c', 'invalid header: A: b\0c'],
    ['a line that is no header', 'INFO sip:x SIP/2.0\r\nA: b\r\nevil', 'invalid header: evil'],
    ['a NUL in the URI', 'INFO sip:x\0y SIP/2.0', 'invalid request-uri: INFO sip:x\0y SIP/2.0'],
    ['nothing', '', 'invalid request-uri: '],
  ])('refuses %s', (_name, head, reason) => {
    expect(parse(`${head}\r\n\r\n`)).toEqual({ type: 'invalid', reason });
  });

  test('leaves out header names it cannot write', () => {
    const text = 'INFO sip:x SIP/2.0\r\nGood_Name-1: a\r\nBad Name: b\r\nBad(Name): c\r\n\r\n';
    expect(parse(text)).toMatchObject({ headers: [{ name: 'Good_Name-1', value: 'a' }] });
  });

  test('any bytes never throw', () => {
    const read = fc.property(fc.uint8Array(), (bytes) => void parseAppSip(Buffer.from(bytes)));
    expect(() => fc.assert(read)).not.toThrow();
  });
});
