import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMultipart } from '../../../src/wire/multipart.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

function read(contentType: string, body: string) {
  return readMultipart(contentType, Buffer.from(body, 'latin1')).map((part) => ({
    headers: Object.fromEntries(part.headers),
    body: part.body.toString('latin1'),
  }));
}

function outcomeOf(body: string): string {
  try {
    return read('multipart/mixed;boundary=b', body).length > 0 ? 'parts' : 'nothing';
  } catch (error) {
    return error instanceof WireError ? 'error' : String(error);
  }
}

/** [name, Content-Type, body, parts] */
const READABLE: [
  name: string,
  contentType: string,
  body: string,
  parts: { headers: object; body: string }[],
][] = [
  [
    'two parts',
    'multipart/mixed;boundary=b',
    '--b\r\nContent-Type: a/b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n',
    [
      { headers: { 'content-type': 'a/b' }, body: 'one' },
      { headers: {}, body: 'two' },
    ],
  ],
  [
    'preamble, epilogue and blanks behind the boundary',
    'multipart/mixed; charset=x; boundary="b c" ; y=z',
    'hello\r\n--b c  \r\n\r\none\r\n--b c-- \r\n--b c\r\n\r\nlost',
    [{ headers: {}, body: 'one' }],
  ],
  [
    'bare line feeds',
    'multipart/mixed;boundary=b',
    '--b\nA: 1\nA: 2\nLong: x\n  y\n\none\n\n--b--',
    [{ headers: { a: '1', long: 'x y' }, body: 'one\n' }],
  ],
  [
    'empty lines in a part, and a boundary inside a line',
    'multipart/mixed;boundary=b',
    '--b\r\n\r\none\r\n\r\n\r\nx--b\r\n--bc\r\n--b--x\r\n--b--',
    [{ headers: {}, body: 'one\r\n\r\n\r\nx--b\r\n--bc\r\n--b--x' }],
  ],
  [
    'a part that is a head alone',
    'multipart/mixed;boundary=b',
    '--b\r\nA: 1\r\n--b--',
    [{ headers: { a: '1' }, body: '' }],
  ],
  ['an empty part', 'multipart/mixed;boundary=b', '--b\r\n--b--', [{ headers: {}, body: '' }]],
];

describe('a multipart body', () => {
  test.each(READABLE)('is read: %s', (_name, contentType, body, parts) => {
    expect(read(contentType, body)).toEqual(parts);
  });

  test.each([
    ['no boundary', 'multipart/mixed', '--b\r\n\r\nx\r\n--b--'],
    ['an empty boundary', 'multipart/mixed;boundary=""', '--\r\n\r\nx\r\n----'],
    ['a boundary without end', 'multipart/mixed;boundary="b', '--b\r\n\r\nx\r\n--b--'],
    ['a long boundary', `multipart/mixed;boundary=${'b'.repeat(201)}`, 'x'],
    ['no delimiter', 'multipart/mixed;boundary=b', 'x'],
    ['no closing delimiter', 'multipart/mixed;boundary=b', '--b\r\n\r\nx\r\n'],
    ['no part', 'multipart/mixed;boundary=b', '--b--'],
    ['33 parts', 'multipart/mixed;boundary=b', `${'--b\r\n\r\n'.repeat(33)}--b--`],
    ['a head that is none', 'multipart/mixed;boundary=b', '--b\r\nx\r\n\r\ny\r\n--b--'],
    [
      'a head that begins with a continuation',
      'multipart/mixed;boundary=b',
      '--b\r\n A: 1\r\n\r\ny\r\n--b--',
    ],
    [
      'a head of more than 4 kB',
      'multipart/mixed;boundary=b',
      `--b\r\n${'A: 1\r\n'.repeat(700)}\r\ny\r\n--b--`,
    ],
    ['more than 64 KiB', 'multipart/mixed;boundary=b', 'x'.repeat(65_537)],
  ])('is refused: %s', (_name, contentType, body) => {
    expect(() => read(contentType, body)).toThrow(WireError);
  });

  test('keeps every byte of its parts', () => {
    const part = fc.string({ unit: fc.constantFrom('\r', '\n', '-', 'b', ' ', 'ü', '\0') });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const body = parts.map((text) => `--bbbb\r\n\r\n${text}\r\n`).join('');
        fc.pre(body.split('--bbbb').length === parts.length + 1);
        const bodies = read('multipart/mixed;boundary=bbbb', `${body}--bbbb--`).map(
          (one) => one.body,
        );
        expect(bodies).toEqual(parts);
      }),
    );
  });

  test('ends in parts or in an error, whatever it is', () => {
    const text = fc.string({ unit: fc.constantFrom('--b', '\r\n', '\n', 'A: 1', 'x', ' ', '-') });
    fc.assert(
      fc.property(text, (body) => {
        expect(outcomeOf(body)).toMatch(/^(?:parts|error)$/);
      }),
    );
  });
});
