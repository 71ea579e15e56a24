import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatKpmlResponse,
  kpmlKeysOf,
  parseKpmlResponse,
} from '../../../src/wire/kpml-response.ts';
import type { KpmlResponse } from '../../../src/wire/kpml-response.ts';
import { ourResponse, refusalOf } from './kpml-samples.ts';

const RESPONSE_TYPE = 'application/kpml-response+xml';

function response(text: string | Buffer): KpmlResponse {
  return parseKpmlResponse(Buffer.from(text), RESPONSE_TYPE);
}

const sip = (status: number): object => ({ type: 'sip', status });
describe('reading a response', () => {
  const read: KpmlResponse = {
    code: 200,
    text: 'OK',
    digits: '1',
    tag: 'dtmf',
    isSuppressed: false,
    isForcedFlush: false,
  };

  test.each([
    [
      'a gateway without namespace',
      '<?xml version="1.0" encoding="UTF-8"?><kpml-response version="1.0" code="200" text="OK" digits="1" tag="dtmf"/>',
    ],
    [
      'the namespace as printed in RFC 4730',
      '<kpml-response xmlns="urn:ietf:params:xml:ns:kpml-resposne" version="1.0" code="200" text="OK" digits="1" tag="dtmf"/>',
    ],
    [
      'a phone: mark, prefix, single quotes, order, comment, unknown attribute, blanks',
      "\uFEFF<?xml version='1.0'?><!-- c -->\n<k:kpml-response xmlns:k='urn:ietf:params:xml:ns:kpml-response'" +
        " forced_flush='false' suppressed='false' other='x' tag=' dtmf ' digits = ' 1 ' text='OK' code=' 200 ' version='1.0'></k:kpml-response>",
    ],
  ])('%s', (_name, text) => {
    expect(response(text)).toEqual(read);
  });

  test.each([
    ['code="487" text="Expired"', { code: 487, text: 'Expired', isForcedFlush: false }],
    ['code="299" digits=""', { code: 299, text: '', digits: '' }],
    ['code="200" suppressed="true"', { isSuppressed: true }],
    ['code="200" suppressed="1"', { isSuppressed: true }],
    ['code="200" forced_flush="true"', { isForcedFlush: true }],
    ['code="200" forced_flush="12 digits"', { isForcedFlush: true }],
  ])('%s', (attributes, expected) => {
    expect(response(`<kpml-response ${attributes}/>`)).toMatchObject(expected);
  });

  test.each<[name: string, text: string | Buffer, status: number]>([
    ['cut off, as a short Content-Length does', '<kpml-response version="1.0" code="200" te', 400],
    ['foreign namespace', '<kpml-response xmlns="urn:evil" code="200"/>', 400],
    ['UTF-16', Buffer.from('\uFEFF<kpml-response code="200"/>', 'utf16le'), 400],
    ['more than 16 kB', ' '.repeat(20_000), 413],
    ['another root', '<kpml-request code="200"/>', 400],
    ['no code', '<kpml-response/>', 400],
    ['odd code', '<kpml-response code="20"/>', 400],
    ['digits given twice', '<kpml-response code="200" digits="1" digits="2"/>', 400],
  ])('%s is refused', (_name, text, status) => {
    expect(refusalOf(() => response(text))).toEqual(sip(status));
  });

  test.each([undefined, 'application/kpml-request+xml'])('Content-Type %s is refused', (type) => {
    expect(refusalOf(() => parseKpmlResponse(Buffer.from('x'), type))).toEqual(sip(415));
  });

  test.each([
    ['1234', '1234', ''],
    ['0123456789*#ABCDabcd', '0123456789*#ABCDABCD', ''],
    ['bs', '', 'bs'],
    ['1bs2', '12', 'bs'],
    ['b', 'B', ''],
    ['+1E', '1', '+E'],
    ['Rr', 'RR', ''],
    ['1\u{1F600}2', '12', '\u{1F600}'],
    ['', '', ''],
  ])('the keys of %j', (digits, keys, unknown) => {
    expect(kpmlKeysOf(digits)).toEqual({ keys: keys.split(''), unknown });
  });
});

describe('writing a response', () => {
  test('our response', () => {
    expect(formatKpmlResponse(ourResponse)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<kpml-response xmlns="urn:ietf:params:xml:ns:kpml-response" version="1.0" code="200" text="OK"' +
        ' digits="1" tag="dtmf" suppressed="false" forced_flush="false"/>',
    );
  });

  test('any response reads back', () => {
    // Blanks at the ends of a value are trimmed when it is read.
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((each) => each.trim());
    const anyResponse: fc.Arbitrary<KpmlResponse> = fc.record(
      {
        code: fc.integer({ min: 100, max: 999 }),
        text,
        digits: fc.stringMatching(/^[0-9A-DR*#]{0,20}$/),
        tag: text,
        isSuppressed: fc.boolean(),
        isForcedFlush: fc.boolean(),
      },
      { requiredKeys: ['code', 'text', 'isSuppressed', 'isForcedFlush'] },
    );
    fc.assert(
      fc.property(anyResponse, (value) => {
        expect(response(formatKpmlResponse(value))).toEqual(value);
      }),
    );
  });
});
