import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forwardUri } from '../../../src/feature-keys/forward-target.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';

test.each<[string, string | undefined]>([
  ['2424', 'sip:2424@pbx.example'],
  ['+49 (30) 12-34', 'sip:+49301234@pbx.example'],
  ['*21#', 'sip:*21%23@pbx.example'],
  ['tel:+49-30-12', 'sip:+493012@pbx.example'],
  ['+49-30-12;npdi', 'sip:+493012@pbx.example'],
  ['219301;isub=5', 'sip:219301@pbx.example'],
  ['voice.mail', 'sip:voice.mail@pbx.example'],
  ['Müller', 'sip:M%C3%BCller@pbx.example'],
  ['2001@other.example', 'sip:2001@other.example'],
  [' sip:voicemail@pbx.example;user=phone ', 'sip:voicemail@pbx.example;user=phone'],
  ['sips:a@b.example', 'sips:a@b.example'],
  ['sip:a@b.example?Replaces=x', undefined],
  ['sip:b.example', undefined],
  ['sip:a&b<c@x.invalid;p="1"', undefined],
  ['', undefined],
])('%s is called as %s', (text, uri) => {
  expect(forwardUri(text, 'pbx.example')).toBe(uri);
});

/** Headers of the URI that is called for `text`. */
function headersOf(text: string): string | undefined {
  const uri = forwardUri(text, 'pbx.example');
  return uri === undefined ? undefined : parseSipUri(uri).headers;
}

test('whatever is typed, what is called is a URI without headers, or nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(headersOf(text)).toBeUndefined();
    }),
  );
});
