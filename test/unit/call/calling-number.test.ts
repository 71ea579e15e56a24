import { describe, expect, test } from 'vitest';
import { translatedCaller, translatedHeaders } from '../../../src/call/headers/calling-number.ts';
import type { Hop } from '../../../src/trunk/policy.ts';
import { configOf, edited } from '../config/sample.ts';
import { route } from '../../../src/trunk/policy.ts';

const config = configOf(
  `${edited(['address: 127.0.0.1:6080 }', 'address: 127.0.0.1:6080, translate-out: leaving }'])}translations:
  - { name: leaving, calling: [ { strip-prefix: "+49", add-prefix: "0" } ] }
`,
);

function hopTo(called: string): Hop {
  const request = { fromRealm: 'access', calledNumber: called, requestUri: `sip:${called}@x` };
  const result = route(config, request);
  const hop = result.type === 'route' ? result.hops[0] : undefined;
  if (hop === undefined) throw new Error('no hop');
  return hop;
}

const hop = hopTo('1');
const plain: Hop = { ...hopTo('1'), translations: { before: [], leaving: [] } };

describe('From', () => {
  test.each([
    ['+49301', '0301'],
    ['+1212', '+1212'],
    ['alice', 'alice'],
    ['anonymous', 'anonymous'],
  ])('%s becomes %s', (user, expected) => {
    const identity = { user, displayName: 'A', isAnonymous: false };
    expect(translatedCaller(identity, hop)).toEqual({ ...identity, user: expected });
    expect(translatedCaller(identity, plain)).toEqual(identity);
  });

  test.each([
    ['%2B49-301', '0301', '+49301'],
    ['%2B1(212)', '+1212', '+1212'],
  ])('%s is a number in another spelling: %s, untranslated %s', (user, translated, same) => {
    const identity = { user, displayName: 'A', isAnonymous: false };
    const { translations: _none, ...untranslated } = hop;
    expect(translatedCaller(identity, hop).user).toBe(translated);
    expect(translatedCaller(identity, plain).user).toBe(same);
    expect(translatedCaller(identity, untranslated).user).toBe(same);
    const header = 'P-Asserted-Identity';
    const shown = (value: string): string | undefined =>
      translatedHeaders({ [header]: value }, untranslated)[header];
    expect(shown(`<sip:${user}@localhost>`)).toBe(`<sip:${same}@localhost>`);
    expect(shown(`<tel:${user}>`)).toBe(`<tel:${same}>`);
  });

  test('of a caller who is not to be known stays as it is', () => {
    const identity = { user: '+49301', displayName: undefined, isAnonymous: true };
    expect(translatedCaller(identity, hop)).toEqual(identity);
  });
});

describe('P-Asserted-Identity', () => {
  test.each([
    ['<sip:+49301@localhost>', '<sip:0301@localhost>'],
    ['"Alice, B" <sip:+49301@localhost;user=phone>', '"Alice, B" <sip:0301@localhost;user=phone>'],
    // A local number is no tel URI without its context.
    ['<tel:+49301>', '<sip:0301@localhost;user=phone>'],
    ['<tel:+1212>', '<tel:+1212>'],
    [
      '<sip:+49301@localhost>, <tel:+49302>',
      '<sip:0301@localhost>, <sip:0302@localhost;user=phone>',
    ],
    ['<sip:anonymous@localhost>', '<sip:anonymous@localhost>'],
    ['<sip:localhost>', '<sip:localhost>'],
    ['<urn:x>', '<urn:x>'],
  ])('%s becomes %s', (value, expected) => {
    const headers = { 'P-Asserted-Identity': value, Subject: '+49301' };
    const result = translatedHeaders(headers, hop);
    expect(result).toEqual({ 'P-Asserted-Identity': expected, Subject: '+49301' });
    expect(translatedHeaders(headers, plain)).toEqual(headers);
  });

  test('is not made up', () => {
    expect(translatedHeaders({ Subject: 'x' }, hop)).toEqual({ Subject: 'x' });
  });
});
