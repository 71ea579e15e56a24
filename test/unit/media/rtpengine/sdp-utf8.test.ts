import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8Sdp } from '../../../../src/media/rtpengine/sdp-utf8.ts';

test.each([
  ['plain text', 'v=0\r\ns=-\r\n', 'v=0\r\ns=-\r\n'],
  ['a name in UTF-8', 'v=0\r\ns=Grüße 🎵\r\n', 'v=0\r\ns=Grüße 🎵\r\n'],
  ['a subject that is not', 'v=0\r\ns=Gr\uFFFD\uFFFDe\r\n', 'v=0\r\ns=Gr??e\r\n'],
  ['half a character', 'v=0\r\ns=\uD83C\r\n', 'v=0\r\ns=?\r\n'],
  ['all lines for people', 'i=\uFFFD\nu=\uFFFD\ne=\uFFFD\np=\uFFFD\n', 'i=?\nu=?\ne=?\np=?\n'],
])('%s can be handed over', (_what, sdp, expected) => {
  expect(utf8Sdp(sdp)).toBe(expected);
});

test.each([
  ['an origin', 'v=0\r\no=\uFFFD 1 1 IN IP4 192.0.2.1\r\n'],
  ['an attribute', 'v=0\r\ns=-\r\na=label:\uFFFD\r\n'],
  ['a media line', 'm=audio 4\uFFFD00 RTP/AVP 0\r\n'],
  ['the start of a line', 'v=0\r\n\uFFFDs=-\r\n'],
])('%s with bytes that are no UTF-8 is refused', (_what, sdp) => {
  expect(utf8Sdp(sdp)).toBeUndefined();
});

/** Any UTF-16, halves of characters among it. */
const anyUnits = fc.uint16Array({ maxLength: 20 }).map((units) => String.fromCharCode(...units));

test('what is handed over reads back the same from UTF-8', () => {
  fc.assert(
    fc.property(fc.array(anyUnits, { maxLength: 5 }), (names) => {
      const sdp = utf8Sdp(names.map((name) => `s=${name.replaceAll('\n', '')}`).join('\n'));
      expect(sdp).toBeDefined();
      expect(Buffer.from(sdp ?? '').toString()).toBe(sdp);
      expect(sdp).not.toContain('\uFFFD');
    }),
  );
});
