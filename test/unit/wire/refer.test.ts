import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatReferTo,
  formatSipfrag,
  parseReferTo,
  parseSipfrag,
} from '../../../src/wire/refer.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

describe('Refer-To', () => {
  test.each<[value: string, uri: string]>([
    ['<sip:carol@example.com>', 'sip:carol@example.com'],
    ['sip:carol@example.com', 'sip:carol@example.com'],
    ['"Carol" <sip:carol@example.com;method=invite>', 'sip:carol@example.com'],
    ['<sip:5551000@[2001:db8::1]:5070;user=phone>', 'sip:5551000@[2001:db8::1]:5070;user=phone'],
    ['<sips:carol@example.com?Subject=hello>', 'sips:carol@example.com'],
    ['<tel:+49301234;ext=5>', 'tel:+49301234;ext=5'],
  ])('%s asks for a call to %s', (value, uri) => {
    expect(parseReferTo(value)).toEqual({ type: 'call', uri, replaces: undefined });
  });

  test('names the dialog to replace, whatever the case of its name and of other headers beside it', () => {
    const value =
      '<sip:c@h?Require=replaces&rePlaces=1%40h%3Bto-tag%3Dus%3Bfrom-tag%3Dthem%3Bearly-only>';

    expect(parseReferTo(value)).toEqual({
      type: 'call',
      uri: 'sip:c@h',
      replaces: { callId: '1@h', localTag: 'us', remoteTag: 'them', isEarlyOnly: true },
    });
  });

  test.each<[value: string, found: object]>([
    ['<sip:c@h;method=BYE>', { type: 'method', method: 'BYE' }],
    ['<http://example.com/a>', { type: 'scheme', scheme: 'http' }],
    ['<mailto:c@h>', { type: 'scheme', scheme: 'mailto' }],
  ])('%s asks for something else than a call', (value, found) => {
    expect(parseReferTo(value)).toEqual(found);
  });

  test.each([
    '',
    'carol',
    '<carol>',
    '<sip:>',
    '<sip:c@h>, <sip:d@h>',
    '<tel:carol>',
    '<sip:c@h?Replaces=1%40h>',
    '<sip:c@h?Replaces=%E0%A4%A>',
    '<sip:c@h?Replaces=1%3Bto-tag%3Da%3Bfrom-tag%3Db&Replaces=2%3Bto-tag%3Da%3Bfrom-tag%3Db>',
  ])('%j cannot be read', (value) => {
    expect(() => parseReferTo(value)).toThrow(WireError);
  });

  test('without a dialog to replace is the address alone', () => {
    expect(formatReferTo('sip:c@h')).toBe('<sip:c@h>');
  });

  test('is read as it was written, whatever stands in the Call-ID', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9!%*_+`'~()<>:\\"/[\]?{}@.-]{1,20}$/);
    const tag = fc.stringMatching(/^[A-Za-z0-9!%*_+`'~.-]{1,20}$/);
    fc.assert(
      fc.property(word, tag, tag, fc.boolean(), (callId, localTag, remoteTag, isEarlyOnly) => {
        const replaces = { callId, localTag, remoteTag, isEarlyOnly };
        const text = formatReferTo('sip:c@h', replaces);

        expect(parseReferTo(text)).toEqual({ type: 'call', uri: 'sip:c@h', replaces });
      }),
    );
  });

  test('of any text is read or refused', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .tuple(fc.string(), fc.string())
        .map(([user, header]) => `<sip:${user}@h?Replaces=${header}>`),
    );
    fc.assert(
      fc.property(value, (text) => {
        expect(outcomeOf(text)).not.toBe('bug');
      }),
    );
  });
});

function outcomeOf(text: string): string {
  try {
    return parseReferTo(text).type;
  } catch (error) {
    return error instanceof WireError ? 'refused' : 'bug';
  }
}

describe('message/sipfrag', () => {
  test.each<[body: string, found: { status: number; reason: string } | undefined]>([
    ['SIP/2.0 100 Trying\r\n', { status: 100, reason: 'Trying' }],
    ['SIP/2.0 200 OK', { status: 200, reason: 'OK' }],
    ['SIP/2.0 486 Busy Here\r\nContact: <sip:c@h>\r\n', { status: 486, reason: 'Busy Here' }],
    ['SIP/2.0 503\n', { status: 503, reason: '' }],
    ['INVITE sip:c@h SIP/2.0\r\n', undefined],
    ['SIP/2.0 700 What\r\n', undefined],
    ['', undefined],
  ])('%j', (body, found) => {
    expect(parseSipfrag(body)).toEqual(found);
  });

  test('is one status line and nothing else', () => {
    expect(formatSipfrag({ status: 180, reason: 'Ringing' })).toBe('SIP/2.0 180 Ringing\r\n');
  });
});
