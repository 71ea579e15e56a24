import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskDigits, maskText, maskUriPasswords } from '../../../src/observe/mask.ts';

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
    ['k=clear:5ecret', 'k=clear:[redacted]'],
    ['a=ice-pwd:5ecret', 'a=ice-pwd:[redacted]'],
    ['a=key-mgmt:mikey 5ecret', 'a=key-mgmt:mikey [redacted]'],
    ['X-Api-Key: 5ecret', 'X-Api-Key: [redacted]'],
    ['X-Auth-Token: 5ecret', 'X-Auth-Token: [redacted]'],
    ['Cookie: sid=5ecret', 'Cookie: [redacted]'],
    ['Set-Cookie: sid=5ecret; Path=/', 'Set-Cookie: [redacted]'],
    ['Authentication-Info: rspauth="5ecret"', 'Authentication-Info: [redacted]'],
    [
      'Refer-To: <sip:a@b?Authorization=Digest%20response%3D%225ecret%22&Replaces=x>',
      'Refer-To: <sip:a@b?Authorization=[redacted]&Replaces=x>',
    ],
    ['POST /config?token=5ecret', 'POST /config?token=[redacted]'],
    ['postgres://sbc:5ecret@db/x', 'postgres://sbc:[redacted]@db/x'],
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
    ['Signal=16', 'Signal=**'],
    ['<k digits=">82010"/>', '<k digits="******"/>'],
    ['{"digits":"4711","x":"y"}', '{"digits":"****","x":"y"}'],
    ['{"digit": 4, "x": 5}', '{"digit": *, "x": 5}'],
    ['{"digits":["4","7"]}', '{"digits":[*******]}'],
    ['<dtmf>47</dtmf>', '<dtmf>**</dtmf>'],
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

describe('passwords in SIP URIs', () => {
  test.each([
    ['INVITE sip:1001:5ecret@host SIP/2.0', 'INVITE sip:1001:[redacted]@host SIP/2.0'],
    ['From: "A" <SIPS:a:5ecret@host:5061>;tag=x', 'From: "A" <SIPS:a:[redacted]@host:5061>;tag=x'],
    ['<sip:alice%40corp:5&=+$,%40x@host>', '<sip:alice%40corp:[redacted]@host>'],
    ['<sip:+1;ext=2:5ecret@host>', '<sip:+1;ext=2:[redacted]@host>'],
    [
      '<sip:a@h?Diversion=%3Csip%3Ab%3A5ecret%40h%3E>',
      '<sip:a@h?Diversion=%3Csip%3Ab%3A[redacted]%40h%3E>',
    ],
    ['<sip:a:@host>', '<sip:a:[redacted]@host>'],
  ])('%j becomes %j', (text, expected) => {
    expect(maskUriPasswords(text)).toBe(expected);
    expect(maskText(text, hidden)).toBe(expected);
    expect(maskText(text, shown)).toBe(expected);
  });

  test.each([
    'sip:host:5060;transport=udp',
    'Route: <sip:192.0.2.1:5060;lr>, <sip:[2001:db8::1]:5060;lr>',
    'From: <sip:a@host:5060>',
    'to sip:host:5060 from a@b',
  ])('there is none in %j', (text) => {
    expect(maskText(text, hidden)).toBe(text);
  });

  test('whatever the password is, it is not left', () => {
    const allowed = fc.constantFrom(...Array.from("aZ09-_.!~*'()&=+$,;?/:"));
    const part = fc.string({ unit: allowed, minLength: 1 });
    fc.assert(
      fc.property(part, part, (user, password) => {
        const masked = maskUriPasswords(`<sip:u${user.replaceAll(':', '')}:${password}@host>`);
        expect(masked.endsWith(':[redacted]@host>')).toBe(true);
      }),
    );
  });
});
