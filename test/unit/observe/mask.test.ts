import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskDigits, maskSipText, maskText } from '../../../src/observe/mask.ts';

const hidden = { showDigits: false };
const shown = { showDigits: true };

describe('credentials', () => {
  test.each([
    ['Authorization: Digest response="5ecret"', 'Authorization: [redacted]'],
    ['authorization :Digest 5ecret', 'authorization : [redacted]'],
    [
      'Proxy-Authorization: Digest a,\r\n response="5ecret"\r\nTo: x',
      'Proxy-Authorization: [redacted]\r\nTo: x',
    ],
    ['{"authorization":"Bearer 5ecret"}', '{"authorization": [redacted]'],
    ['sent Bearer 5ecret== to it', 'sent Bearer [redacted] to it'],
    ['a=crypto:1 AES_CM_128 inline:5ecret|2^20', 'a=crypto:1 AES_CM_128 inline:[redacted]|2^20'],
  ])('%j becomes %j', (text, expected) => {
    expect(maskText(text, hidden)).toBe(expected);
    expect(maskText(text, shown)).toBe(expected);
  });

  test('challenges stay readable', () => {
    const text = 'WWW-Authenticate: Digest realm="x", nonce="y"';
    expect(maskText(text, hidden)).toBe(text);
  });
});

describe('digits', () => {
  test.each([
    ['<kpml-response digits="4711" tag="x"/>', '<kpml-response digits="****" tag="x"/>'],
    ["<k digits = '47'/>", "<k digits = '**'/>"],
    ['<k digits="47', '<k digits="**'],
    ['<k digits=47>', '<k digits=**>'],
    ['<k digits\r\n=\r\n"4"/>', '<k digits\r\n=\r\n"*"/>'],
    ['xdigits="4', 'xdigits="*'],
    [String.raw`{"a":"\ndigits=\"47`, String.raw`{"a":"\ndigits=\"**`],
    ['<k digits=""/>', '<k digits=""/>'],
    ['Signal=5\r\nDuration=160', 'Signal=*\r\nDuration=160'],
    [' signal = 5', ' signal = *'],
    ['Signal: 5', 'Signal: *'],
    ['Error: Signal=5', 'Error: Signal=*'],
    ['got signal: SIGTERM', 'got signal: SIGTERM'],
    ['INVITE sip:4711@host', 'INVITE sip:4711@host'],
  ])('%j becomes %j', (text, expected) => {
    expect(maskText(text, hidden)).toBe(expected);
    expect(maskText(text, shown)).toBe(text);
  });

  test('each digit leaves one star', () => {
    expect(maskDigits('12#')).toBe('***');
  });

  test('whatever the digits are, none of them is left', () => {
    const digits = fc.string({ unit: fc.constantFrom('0', '1', '9', '#', 'A', 'D'), minLength: 1 });
    fc.assert(
      fc.property(digits, fc.constantFrom('"', "'", ''), (pressed, quote) => {
        const masked = maskText(`<r digits=${quote}${pressed}${quote}/>`, hidden);
        expect(masked).toBe(
          `<r digits=${quote}${'*'.repeat(pressed.length)}${quote}/>`.replace(
            '*/>',
            quote === '' ? '**>' : '*/>',
          ),
        );
      }),
    );
  });
});

describe('bodies that no pattern fits', () => {
  test.each([
    ['a bare key', 'Content-Type: application/dtmf', '5'],
    ['a bare key, compact form with parameter', 'c: application/dtmf;x=y', '5'],
    ['an event payload', 'Content-Type: audio/telephone-event', '\u0005\u000a\u0003\u0020'],
    ['a bare key in dtmf-relay', 'Content-Type: application/dtmf-relay', '5\r\n'],
    ['a key by another name', 'c: application/dtmf-relay;x=y', 'd=5\r\nDuration=160'],
    ['a key after a line end', 'Content-Type: application/dtmf-relay', 'Signal=\r\n5'],
    ['a compressed body', 'Content-Encoding: gzip', 'x5y'],
    ['UTF-16', 'Content-Type: application/kpml-response+xml', '<\0k\0 5'],
    [
      'a part of a multipart body',
      'Content-Type: multipart/mixed;boundary=b',
      '--b\r\nContent-Type: application/dtmf\r\n\r\n5',
    ],
  ])('%s', (_name, header, body) => {
    const head = `INFO sip:a@b SIP/2.0\r\n${header}\r\n\r\n`;
    expect(maskSipText(head + body, hidden)).toBe(`${head}[${body.length} characters masked]`);
    expect(maskSipText(head + body, shown)).toBe(head + body);
  });

  test('SDP, dtmf-relay and messages without body stay readable', () => {
    const sdp = 'INVITE sip:a@b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n';
    const relay =
      'INFO sip:a@b SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\n';
    const bare = 'BYE sip:a@b SIP/2.0\r\nCall-ID: x';
    const long = relay.replace('Signal=5', 'Signal = 5 \r\nDuration=160');
    expect(maskSipText(long, hidden)).toBe(long.replace('5', '*'));
    expect(maskSipText(sdp, hidden)).toBe(sdp);
    expect(maskSipText(relay, hidden)).toBe(relay.replace('5', '*'));
    expect(maskSipText(bare, hidden)).toBe(bare);
    expect(maskSipText(`${bare}\r\n\r\n`, hidden)).toBe(`${bare}\r\n\r\n`);
  });

  test('any text is masked, however its parts are glued together', () => {
    const pieces = fc.constantFrom(
      'digits="',
      "digits='",
      'digits',
      ' ',
      '\r\n',
      '=',
      '1',
      'Authorization:',
      'Signal=',
      '\0',
      'inline:',
      'bearer ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 2_000 }), (parts) => {
        const masked = maskSipText(parts.join(''), hidden);
        expect(masked).not.toMatch(/digits="1|digits='1|^Signal=1/m);
      }),
    );
  });
});
