import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatHostPort,
  formatSipUri,
  parseHostPort,
  parseSipUri,
  uriScheme,
} from '../../../src/wire/sip-uri.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

describe('parseSipUri', () => {
  test.each([
    ['sip:example.com', { scheme: 'sip', host: 'example.com' }],
    ['SIPS:bob@Example.COM:5061', { scheme: 'sips', user: 'bob', host: 'example.com', port: 5061 }],
    ['sip:bob:secret@192.0.2.1', { user: 'bob', password: 'secret', host: '192.0.2.1' }],
    ['sip:[2001:db8::10]', { host: '2001:db8::10' }],
    ['sip:[2001:db8::10:5070]', { host: '2001:db8::10:5070' }],
    ['sip:u@[2001:db8::10]:5070', { user: 'u', host: '2001:db8::10', port: 5070 }],
    [
      'sip:user;par=u%40example.net@example.com',
      { user: 'user;par=u%40example.net', host: 'example.com' },
    ],
    [
      'sip:sips%3Auser%40example.com@example.net',
      { user: 'sips%3Auser%40example.com', host: 'example.net' },
    ],
    ['sip:*21#@example.com', { user: '*21#', host: 'example.com' }],
    ['sip:+49-30(12)@example.com', { user: '+49-30(12)' }],
    ['sip:a@host.', { host: 'host.' }],
    ['sip:a@x?Subject=y&To=z', { host: 'x', headers: 'Subject=y&To=z' }],
    ['sip:a@x;lr?Subject=y', { host: 'x', headers: 'Subject=y' }],
  ])('%s', (text, expected) => {
    expect(parseSipUri(text)).toMatchObject(expected);
  });

  test('parameters: names in lower case, flags are empty, the first of two counts', () => {
    const uri = parseSipUri('sip:a@b;LR;transport=TCP;Transport=udp;x=y=z');
    expect([...uri.parameters]).toEqual([
      ['lr', ''],
      ['transport', 'TCP'],
      ['x', 'y=z'],
    ]);
  });

  test.each([
    'tel:+1',
    'bob@example.com',
    '',
    'sip:',
    'sip:@host',
    'sip::pw@host',
    'sip:a b@host',
    'sip:a@b@c',
    'sip:host:',
    'sip:host:99999',
    'sip:host:5o60',
    'sip:[::1',
    'sip:[::1]5060',
    'sip:[:::1]',
    'sip:[zz::]',
    'sip:[12]',
    'sip:-host',
    'sip:a@h;;x',
    'sip:a@h;=x',
    'sip:a@h; lr',
    'sip:a@h?x y',
    'sip:"a"@h',
    `sip:a@${'h'.repeat(100)} x`,
  ])('%j is none', (text) => {
    expect(() => parseSipUri(text)).toThrow(WireError);
  });
});

test.each([
  [
    'sip:bob:pw@example.com:5070;lr;transport=tcp?a=b',
    'sip:bob:pw@example.com:5070;lr;transport=tcp?a=b',
  ],
  ['SIPS:Bob@[2001:DB8::1]', 'sips:Bob@[2001:db8::1]'],
])('%s is written as %s', (text, expected) => {
  expect(formatSipUri(parseSipUri(text))).toBe(expected);
});

test('host and port', () => {
  expect(parseHostPort('example.com')).toEqual({ host: 'example.com' });
  expect(parseHostPort('[::1]:1')).toEqual({ host: '::1', port: 1 });
  expect(formatHostPort('::1', 5060)).toBe('[::1]:5060');
  expect(formatHostPort('h')).toBe('h');
});

test('the scheme of any URI', () => {
  expect(['SIP:x', 'tel:1', 'x', '1:2', 'name:John_Smith'].map(uriScheme)).toEqual([
    'sip',
    'tel',
    '',
    '',
    'name',
  ]);
});

test('what is written reads back the same', () => {
  const users = fc.stringMatching(/^[a-zA-Z0-9_.!~*'()&=+$,;?/%#-]{1,16}$/);
  const hosts = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().filter((host) => !host.includes(':::')),
  );
  const names = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
  const words = fc.stringMatching(/^[A-Za-z0-9%.-]{0,8}$/);
  const uris = fc.record(
    {
      scheme: fc.constantFrom('sip' as const, 'sips' as const),
      user: users,
      host: hosts.map((host) => host.toLowerCase()),
      port: fc.integer({ min: 0, max: 65_535 }),
      parameters: fc.array(fc.tuple(names, words)).map((pairs) => new Map(pairs)),
      headers: fc.stringMatching(/^[a-z]{1,4}=[a-z]{0,4}$/),
    },
    { requiredKeys: ['scheme', 'host', 'parameters'] },
  );
  fc.assert(
    fc.property(uris, (uri) => {
      expect(parseSipUri(formatSipUri(uri))).toEqual(uri);
    }),
  );
});

test('any text throws nothing but WireError', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (tail) => {
      const outcome = ((): unknown => {
        try {
          return parseSipUri(`sip:${tail}`);
        } catch (error) {
          if (error instanceof WireError) return error;
          throw error;
        }
      })();
      expect(outcome).toBeDefined();
    }),
  );
});
