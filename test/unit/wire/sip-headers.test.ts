import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatNameAddr,
  formatVia,
  parseCSeq,
  parseHeaderParameters,
  parseNameAddr,
  parseVia,
  splitHeaderList,
  tagOf,
} from '../../../src/wire/sip-headers.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

describe('splitHeaderList', () => {
  test.each([
    ['a, b ,c', ['a', 'b', 'c']],
    ['"a,b" <sip:x,y>;z="1,2", c', ['"a,b" <sip:x,y>;z="1,2"', 'c']],
    ['"a\\",b", c', ['"a\\",b"', 'c']],
    [',, a,,', ['a']],
    ['', []],
  ])('%s', (value, expected) => {
    expect(splitHeaderList(value)).toEqual(expected);
  });

  test.each(['"a, b', '<sip:a, b', '"a\\"'])('%s is not closed', (value) => {
    expect(() => splitHeaderList(value)).toThrow(WireError);
  });
});

describe('parseNameAddr', () => {
  test.each([
    ['<sip:a@b>', { uri: 'sip:a@b' }],
    ['sip:a@b;tag=1', { uri: 'sip:a@b' }],
    ['  sip:a@b ;  tag    = 1', { uri: 'sip:a@b' }],
    ['caller<sip:a@b;lr>;tag=1', { displayName: 'caller', uri: 'sip:a@b;lr' }],
    ['Anna Maria  <sip:a@b>', { displayName: 'Anna Maria', uri: 'sip:a@b' }],
    ['Jürgen (Büro) <sip:a@b>', { displayName: 'Jürgen (Büro)', uri: 'sip:a@b' }],
    ['"J \\"R\\" \\\\" <sip:a@b>', { displayName: 'J "R" \\', uri: 'sip:a@b' }],
    ['"<sip:evil>"<tel:+1>', { displayName: '<sip:evil>', uri: 'tel:+1' }],
    ['"" <sip:a@b>', { displayName: '', uri: 'sip:a@b' }],
  ])('%s', (value, expected) => {
    expect(parseNameAddr(value)).toMatchObject(expected);
  });

  test('parameters behind the bracket belong to the header', () => {
    const address = parseNameAddr('<sip:a@b;lr>;Tag=x;q = 0.5 ; flag;s="a;b\\"";flag=2');
    expect([...address.parameters]).toEqual([
      ['tag', 'x'],
      ['q', '0.5'],
      ['flag', ''],
      ['s', '"a;b\\""'],
    ]);
  });

  test.each([
    '',
    'bob',
    '<bob>',
    '<>',
    '<sip:a@b',
    '"x <sip:a@b>',
    '"x" sip:a@b',
    'sip:a@b?x=y',
    'sip:a,b',
    '< sip:a@b >',
    'Bell, Alexander <sip:a@b>',
    '<sip:a@b> x',
    '<sip:a@b>;;',
    '<sip:a@b>;x="y',
    '<sip:a@b>;x=y z',
    '<sip:"a@b>',
    `<sip:a@b>${'x'.repeat(200)}`,
  ])('%j is none', (value) => {
    expect(() => parseNameAddr(value)).toThrow(WireError);
  });

  test('what is written reads back the same', () => {
    const names = fc.string({ unit: 'grapheme' });
    const words = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
    const addresses = fc.record(
      {
        displayName: names,
        uri: fc.constantFrom('sip:a@b', 'tel:+1', 'sips:a@[::1]:5061;lr'),
        parameters: fc.array(fc.tuple(words, words)).map((pairs) => new Map(pairs)),
      },
      { requiredKeys: ['uri', 'parameters'] },
    );
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseNameAddr(formatNameAddr(address))).toEqual(address);
      }),
    );
  });
});

test('tagOf', () => {
  expect(tagOf('<sip:a@b>;tag=x1')).toBe('x1');
  expect(tagOf('<sip:a@b;tag=uri>')).toBeUndefined();
  expect(tagOf('nonsense')).toBeUndefined();
});

describe('Via', () => {
  test.each([
    ['SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport', { transport: 'UDP', host: '192.0.2.1' }],
    [
      'SIP / 2.0 / tcp   Host.Example.com : 5070 ;branch = x',
      { transport: 'TCP', host: 'host.example.com', port: 5070 },
    ],
    ['SIP/2.0/TLS [2001:db8::9:1]', { transport: 'TLS', host: '2001:db8::9:1' }],
    [
      'SIP/2.0/UDP [2001:db8::9:1]:5060;received=[2001:db8::9:255]',
      { host: '2001:db8::9:1', port: 5060 },
    ],
    ['SIP/2.0/UNKNOWN h', { transport: 'UNKNOWN' }],
  ])('%s', (value, expected) => {
    expect(parseVia(value)).toMatchObject(expected);
  });

  test.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/7.0/UDP h',
    'SIP/2.0/U(P h',
    'SIP/2.0/UDP h;;',
    'SIP/2.0/UDP h h2',
    'SIP/2.0/UDP h, x',
  ])('%j is none', (value) => {
    expect(() => parseVia(value)).toThrow(WireError);
  });

  test('what is written reads back the same', () => {
    const via = parseVia('SIP/2.0/UDP [::1]:5070;branch=z9hG4bK1;rport;received=::1');
    expect(formatVia(via)).toBe('SIP/2.0/UDP [::1]:5070;branch=z9hG4bK1;rport;received=::1');
    expect(parseVia(formatVia(via))).toEqual(via);
  });
});

test.each([
  ['1 INVITE', { number: 1, method: 'INVITE' }],
  ['  0009   INVITE ', { number: 9, method: 'INVITE' }],
  ['4294967295 x', { number: 4_294_967_295, method: 'x' }],
])('CSeq %s', (value, expected) => {
  expect(parseCSeq(value)).toEqual(expected);
});

test.each(['', '1', 'INVITE', '-1 INVITE', '4294967296 INVITE', '1 IN(ITE', '1 A B', '1.5 INVITE'])(
  'CSeq %j is none',
  (value) => {
    expect(() => parseCSeq(value)).toThrow(WireError);
  },
);

test('any text throws nothing but WireError', () => {
  const readers = [parseNameAddr, parseVia, parseCSeq, splitHeaderList, parseHeaderParameters];
  const texts = fc.string({
    unit: fc.constantFrom(
      '"',
      '<',
      '>',
      ';',
      ',',
      '=',
      ' ',
      ':',
      '\\',
      'a',
      '1',
      'sip:',
      '/',
      '[',
      ']',
    ),
  });
  fc.assert(
    fc.property(
      fc.oneof(texts, fc.string({ unit: 'binary' })),
      fc.constantFrom(...readers),
      (text, reader) => {
        const outcome = ((): unknown => {
          try {
            return reader(text);
          } catch (error) {
            if (error instanceof WireError) return error;
            throw error;
          }
        })();
        expect(outcome).toBeDefined();
      },
    ),
    { numRuns: 1000 },
  );
});
