import { describe, expect, test } from 'vitest';
import type { Trust } from '../../../src/config/config.ts';
import { crossing } from '../../../src/call/headers/header-crossing.ts';
import { hidesCaller } from '../../../src/call/headers/identity-policy.ts';
import { CALLER_DOMAIN, CALLER_HOST, type Field, path, request } from './header-fixtures.ts';

function word(letter: string): Trust {
  return letter === 't' ? 'trusted' : 'untrusted';
}

/** What the callee is told of who calls; `t` trusted, `u` untrusted, caller first. */
function told(trust: string, ...fields: Field[]): Record<string, string> {
  const way = path(word(trust.charAt(0)), word(trust.charAt(1)));
  return crossing(request('INVITE', ...fields), way, true).headers;
}

const PAI: Field = ['P-Asserted-Identity', `"Alice" <sip:+4930123@${CALLER_DOMAIN}>`];
const OURS = '"Alice" <sip:+4930123@localhost>';

describe('P-Asserted-Identity and Privacy', () => {
  test.each<[string, Field[], Record<string, string>]>([
    ['tt', [PAI], { 'P-Asserted-Identity': OURS }],
    ['tt', [PAI, ['Privacy', 'id']], { 'P-Asserted-Identity': OURS, Privacy: 'id' }],
    [
      'tt',
      [PAI, ['Privacy', 'user;id;critical']],
      { 'P-Asserted-Identity': OURS, Privacy: 'user;id;critical' },
    ],
    ['tu', [PAI], { 'P-Asserted-Identity': OURS }],
    ['tu', [PAI, ['Privacy', 'none']], { 'P-Asserted-Identity': OURS, Privacy: 'none' }],
    ['tu', [PAI, ['Privacy', 'header;session']], { 'P-Asserted-Identity': OURS }],
    ['tu', [PAI, ['Privacy', 'ID']], {}],
    ['tu', [PAI, ['privacy', 'header'], ['Privacy', 'user; critical']], {}],
    ['tu', [PAI, ['Privacy', 'none, id']], {}],
    ['ut', [PAI], {}],
    ['ut', [PAI, ['Privacy', 'id']], { Privacy: 'id' }],
    ['uu', [PAI, ['Privacy', 'id']], {}],
    ['uu', [PAI, ['Privacy', 'none']], { Privacy: 'none' }],
    ['tt', [['Privacy', '"><x']], {}],
  ])('%s %j', (trust, fields, expected) => {
    expect(told(trust, ...fields)).toEqual(expected);
  });
});

describe('what P-Asserted-Identity says to a trusted side', () => {
  test.each<[string, string | undefined]>([
    ['<tel:+4930123;phone-context=example.com>', '<tel:+4930123>'],
    ['<tel:123;phone-context=pbx.caller.example>', '<sip:123@localhost>'],
    ['<sip:1@x.invalid>, <tel:+492>', '<sip:1@localhost>, <tel:+492>'],
    ['<sip:1@x.invalid>, <sip:2@x.invalid>, <tel:+1>, <tel:+2>', '<sip:1@localhost>, <tel:+1>'],
    ['<sips:1@x.invalid;user=phone;maddr=10.9.9.9>', '<sip:1@localhost;user=phone>'],
    ['<sip:1:password@x.invalid;tgrp=east?Subject=x>', '<sip:1@localhost>'],
    ['<sip:+49;phone-context=x.invalid@x.invalid>', '<sip:+49@localhost>'],
    ['<sip:anonymous@anonymous.invalid>', '<sip:anonymous@anonymous.invalid>'],
    ['<sip:x.invalid>', '<sip:anonymous@localhost>'],
    [`"at ${CALLER_HOST}" <sip:1@x.invalid>`, '<sip:1@localhost>'],
    [`<sip:${CALLER_HOST}@x.invalid>`, undefined],
    ['"a \\"b\\"" <sip:1@x.invalid>', '"a \\"b\\"" <sip:1@localhost>'],
    [`<tel:+1(${CALLER_HOST})>`, undefined],
    ['<mailto:me@x.invalid>', undefined],
    ['<sip:open', undefined],
    ['', undefined],
  ])('%s: %s', (value, expected) => {
    expect(told('tt', ['P-Asserted-Identity', value])['P-Asserted-Identity']).toBe(expected);
  });

  test('is the preferred one of a trusted side that asserts none, never that of others', () => {
    const preferred: Field = ['P-Preferred-Identity', '<sip:7@x.invalid>'];
    expect(told('tt', preferred)).toEqual({ 'P-Asserted-Identity': '<sip:7@localhost>' });
    expect(told('tt', PAI, preferred)).toEqual({ 'P-Asserted-Identity': OURS });
    expect(told('ut', preferred)).toEqual({});
  });
});

describe('Diversion and History-Info', () => {
  test.each<[string, Field, string | undefined]>([
    [
      'tt',
      [
        'Diversion',
        `"Bob" <sip:+49301@${CALLER_HOST}:5070;user=phone>;reason=user-busy;counter=2;privacy=off;ext=x`,
      ],
      '"Bob" <sip:+49301@10.2.2.254;user=phone>;reason=user-busy;counter=2;privacy=off',
    ],
    [
      'tt',
      ['Diversion', `<tel:+49301>;reason="${CALLER_HOST}", <sip:2@x.invalid>`],
      '<tel:+49301>, <sip:2@x.invalid>',
    ],
    ['tt', ['Diversion', '<sip:open'], undefined],
    [
      'tt',
      [
        'History-Info',
        `<sip:1@${CALLER_HOST}?Reason=SIP%3Bcause%3D302&Privacy=history&X=y>;index=1, <sip:2@x.invalid;cause=302>;index=1.1;mp=1;foo=x`,
      ],
      '<sip:1@10.2.2.254?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1, <sip:2@x.invalid;cause=302>;index=1.1;mp=1',
    ],
    [
      'tt',
      ['History-Info', `<sip:1@x.invalid?Reason=${CALLER_HOST}>;index=1`],
      '<sip:1@x.invalid>;index=1',
    ],
    [
      'tt',
      ['Diversion', '<sip:1@192.0.2.7>, <sip:2@pbx>'],
      '<sip:1@10.2.2.254>, <sip:2@10.2.2.254>',
    ],
    [
      'tt',
      ['Diversion', `<sip:1@${CALLER_DOMAIN}>, <sip:y.invalid>`],
      '<sip:1@10.2.2.254>, <sip:anonymous@10.2.2.254>',
    ],
    ['tu', ['Diversion', '<sip:1@x.invalid>'], undefined],
    ['ut', ['History-Info', '<sip:1@x.invalid>;index=1'], undefined],
    ['uu', ['Diversion', '<sip:1@x.invalid>'], undefined],
  ])('%s %j', (trust, field, expected) => {
    expect(told(trust, field)[field[0]]).toBe(expected);
  });

  test('are bounded in number', () => {
    const many = Array.from({ length: 50 }, (_, index): Field => [
      'Diversion',
      `<sip:${index}@x.invalid>`,
    ]);
    expect(told('tt', ...many)['Diversion']?.split(',')).toHaveLength(20);
  });
});

describe('the caller is anonymous in From', () => {
  const from: Field = ['From', '<sip:+4930123@x.invalid>;tag=1'];
  test.each<[string, boolean, Field[], boolean]>([
    ['nothing asked', false, [from, PAI], false],
    ['user', false, [from, ['Privacy', 'user']], true],
    ['user, towards a trusted side', true, [from, ['Privacy', 'user']], false],
    ['id, From shows the asserted number', false, [from, PAI, ['Privacy', 'id']], true],
    ['id, in another spelling', false, [['From', '<tel:4930-123>'], PAI, ['Privacy', 'id']], true],
    ['id, escaped', false, [['From', '<sip:%2B4%3930%2d123@x>'], PAI, ['Privacy', 'id']], true],
    [
      'id, From shows another number',
      false,
      [['From', '<sip:0800@x.invalid>'], PAI, ['Privacy', 'id']],
      false,
    ],
    ['id, nothing else is known', false, [from, ['Privacy', 'id']], true],
    ['id, From cannot be read', false, [['From', '<mailto:x@y>'], PAI, ['Privacy', 'id']], true],
    ['header and session', false, [from, ['Privacy', 'header;session']], false],
  ])('%s', (_name, isToTrusted, fields, expected) => {
    const headers = fields.map(([name, value]) => ({ name, value }));
    expect(hidesCaller({ headers, isToTrusted })).toBe(expected);
  });
});
