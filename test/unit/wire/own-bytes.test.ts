import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ownBytes, ownText } from '../../../src/wire/own-bytes.ts';
import { formatSipMessage, parseSipMessage } from '../../../src/wire/sip-message.ts';

test('own bytes say the same and share their memory with nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const shared = Buffer.from(bytes);
      const own = ownBytes(shared);
      expect([...own]).toEqual([...bytes]);
      expect(own.buffer.byteLength).toBe(bytes.length);
      shared.fill(0);
      expect([...own]).toEqual([...bytes]);
    }),
  );
});

test('own text is the same text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(ownText(`<${text}>`.slice(1, -1))).toBe(text);
    }),
  );
});

test('a written message has memory of its own', () => {
  const text = [
    'OPTIONS sip:ü@192.0.2.1 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1',
    'From: "Zoë" <sip:1@192.0.2.2>;tag=1',
    'To: <sip:2@192.0.2.1>',
    'Call-ID: 1',
    'CSeq: 1 OPTIONS',
    'Content-Length: 5',
    '',
    'hällo'.slice(0, 4),
  ].join('\r\n');
  const written = formatSipMessage(parseSipMessage(Buffer.from(text)));
  expect(written.toString()).toBe(text);
  expect(written.buffer.byteLength).toBe(written.length);
});
