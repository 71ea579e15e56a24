import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSipMessage, parseSipMessage } from '../../../src/wire/sip-message.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';
import { SipParseError } from '../../../src/wire/sip-parse-error.ts';

const MANDATORY = [
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
  'From: <sip:alice@example.com>;tag=a',
  'To: <sip:bob@example.com>',
  'Call-ID: 1@example.com',
];

function text(startLine: string, ...headers: string[]): string {
  const method = /^SIP\//i.test(startLine) ? 'OPTIONS' : startLine.split(' ')[0];
  const cseq = headers.some((line) => /^CSeq/i.test(line)) ? [] : [`CSeq: 1 ${method}`];
  return [startLine, ...MANDATORY, ...cseq, ...headers, '', ''].join('\r\n');
}

const OPTIONS = 'OPTIONS sip:bob@example.com SIP/2.0';

describe('properties', () => {
  const tokens = fc.stringMatching(/^X-[A-Za-z0-9.!%*_+`'~-]{1,12}$/);
  // What survives a header line: no line breaks, no NUL, no white space at the ends.
  const values = fc
    .string({ unit: 'grapheme' })
    .map((value) => value.replaceAll(/[\r\n\0]/g, '').replaceAll(/^[ \t]+|[ \t]+$/g, ''));
  const extras = fc.array(fc.record({ name: tokens, value: values }), { maxLength: 8 });
  const bodies = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const fixed = MANDATORY.map((line) => ({
    name: line.split(':')[0] ?? '',
    value: line.slice(line.indexOf(':') + 2),
  }));

  test('what is written reads back the same', () => {
    fc.assert(
      fc.property(
        extras,
        bodies,
        fc.integer({ min: 100, max: 699 }),
        values,
        (headers, body, status, reason) => {
          const all = [
            ...fixed,
            { name: 'CSeq', value: '7 INFO' },
            ...headers,
            { name: 'Content-Length', value: String(body.length) },
          ];
          const messages: SipMessage[] = [
            { type: 'request', method: 'INFO', uri: 'sip:bob@example.com', headers: all, body },
            { type: 'response', status, reason, headers: all, body },
          ];
          for (const message of messages) {
            expect(parseSipMessage(formatSipMessage(message))).toEqual(message);
          }
        },
      ),
    );
  });

  test('any bytes throw nothing but SipParseError', () => {
    const lines = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        OPTIONS,
        ...MANDATORY,
        'CSeq: 1 OPTIONS',
        '',
        ' fold',
        'SIP/2.0 200 OK',
        'l: 3',
      ),
    );
    const texts = fc.array(lines).map((all) => Buffer.from(all.join('\r\n')));
    const bytes = fc.uint8Array({ maxLength: 400 }).map((all) => Buffer.from(all));
    fc.assert(
      fc.property(fc.oneof(texts, bytes), (message) => {
        const outcome = ((): SipMessage | SipParseError => {
          try {
            return parseSipMessage(message);
          } catch (error) {
            if (error instanceof SipParseError) return error;
            throw error;
          }
        })();
        expect(outcome).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  test('one changed byte throws nothing but SipParseError, and what passes can be written', () => {
    const whole = Buffer.from(
      `${text(OPTIONS, 'Contact: "B" <sip:b@[::1]:5060>;q=1', 'Content-Length: 4')}body`,
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const changed = Buffer.from(whole);
        changed.writeUInt8(value, at);
        const written = ((): Buffer | undefined => {
          try {
            return formatSipMessage(parseSipMessage(changed));
          } catch (error) {
            if (error instanceof SipParseError) return undefined;
            throw error;
          }
        })();
        expect(
          written === undefined || formatSipMessage(parseSipMessage(written)).equals(written),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['spaces', `X: ${' '.repeat(15_000)}x`],
    ['commas', `Contact: ${','.repeat(15_000)}`],
    ['quotes', `Contact: ${'"'.repeat(15_000)}`],
    ['brackets', `Contact: ${'<'.repeat(15_000)}`],
    ['spaces in Via', `Via: SIP/2.0/UDP h${' '.repeat(15_000)}x`],
    ['parameters', `Contact: <sip:x@y>${';a=b'.repeat(3500)}`],
    ['colons in Via', `Via: SIP/2.0/UDP ${' : '.repeat(5000)}`],
    ['folds', `X: a${'\r\n b'.repeat(3700)}`],
    ['empty folds', `X: a${'\r\n '.repeat(5000)}`],
    ['zeros in CSeq', `CSeq: ${'0'.repeat(15_000)} OPTIONS`],
  ])('16 kB of %s take less than 20 ms', (_what, line) => {
    const message = Buffer.from(text(OPTIONS, line));
    const outcomeOf = (): string => {
      try {
        parseSipMessage(message);
        return 'read';
      } catch (error) {
        return error instanceof SipParseError ? 'refused' : 'broken';
      }
    };
    // The quickest of some: the machine may be busy with something else.
    const timesMs = Array.from({ length: 5 }, () => {
      const startMs = performance.now();
      expect(outcomeOf()).not.toBe('broken');
      return performance.now() - startMs;
    });
    expect(Math.min(...timesMs)).toBeLessThan(20);
  });
});
