import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskSipText } from '../../../src/observe/mask-sip.ts';
import { maskOctets } from '../../../src/observe/mask.ts';

const hidden = { showDigits: false };
const shown = { showDigits: true };

/** With which the patterns begin. */
const PATTERN_STARTS = [
  'authorization',
  'authorization:\r\n ',
  'bearer',
  '?token=',
  'inline:',
  'key-mgmt:',
  'k=clear:',
  'sip:',
  'sip:a',
  'sip%3a',
  '%40',
  '://',
  '://a:',
];

test.each(['Authorization', 'Proxy-Authorization', 'authorization'])(
  '%s keeps a scheme, without which readers take it for broken',
  (name) => {
    const text = `REGISTER sip:x SIP/2.0\r\n${name}: Digest response="5ecret"\r\nTo: x\r\n\r\n`;
    const masked = `REGISTER sip:x SIP/2.0\r\n${name}: Digest [redacted]\r\nTo: x\r\n\r\n`;
    expect(maskSipText(text, hidden)).toBe(masked);
    expect(maskSipText(text, shown)).toBe(masked);
  },
);

/** Octets of each line. */
function octetsOf(text: string): number[] {
  return text.split(/\r|\n/).map((line) => Buffer.byteLength(line));
}

/** Of three runs. */
function medianMs(text: string): number {
  const times = [0, 1, 2].map(() => {
    const startMs = performance.now();
    maskSipText(text, hidden);
    return performance.now() - startMs;
  });
  return times.toSorted((a, b) => a - b)[1] ?? 0;
}

describe('bodies that no pattern fits', () => {
  test.each([
    ['a bare key', 'Content-Type: application/dtmf', '5'],
    ['a bare key, compact form with parameter', 'c: application/dtmf;x=y', '5'],
    ['an event payload', 'Content-Type: audio/telephone-event', '\u0005\u000a\u0003\u0020'],
    ['a bare key in dtmf-relay', 'Content-Type: application/dtmf-relay', '5\r\n'],
    ['a key by another name', 'c: application/dtmf-relay;x=y', 'd=5\r\nDuration=160'],
    ['a key after a line end', 'Content-Type: application/dtmf-relay', 'Signal=\r\n5'],
    ['a compressed body', 'Content-Encoding: gzip', 'x5y'],
    ['dtmf-info', 'Content-Type: application/dtmf-info', '5'],
    ['a folded type', 'Content-Type:\r\n application/dtmf', '5'],
    ['digits of Nortel', 'c: application/vnd.nortelnetworks.digits', 'p=Digit-Collection\r\nd=5'],
    [
      'KPML with an entity of its own',
      'Content-Type: application/kpml-response+xml',
      '<!DOCTYPE k [<!ENTITY d "5">]><k digits="&d;"/>',
    ],
    [
      'KPML with a quote in the digits',
      'Content-Type: application/kpml-response+xml',
      String.raw`<kpml-response digits="5\"5"/>`,
    ],
    [
      'KPML with an attribute by another spelling',
      'Content-Type: application/kpml-response+xml',
      '<kpml-response di&#103;its="5"/>',
    ],
    ['UTF-16', 'Content-Type: application/kpml-response+xml', '<\0k\0 5'],
    [
      'a part of a multipart body',
      'Content-Type: multipart/mixed;boundary=b',
      '--b\r\nContent-Type: application/dtmf\r\n\r\n5',
    ],
    [
      'a bare key in a part',
      'Content-Type: multipart/mixed;boundary=b',
      '--b\r\nContent-Type: application/dtmf-relay\r\n\r\n5\r\n--b--\r\n',
    ],
    [
      'a key by another name in a part',
      'Content-Type: multipart/mixed;boundary=b',
      '--b\r\nContent-Type:\r\n application/dtmf-relay\r\n\r\nDigit=5\r\n--b--\r\n',
    ],
    [
      'a part in base64',
      'Content-Type: multipart/mixed;boundary=b',
      '--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\nNQ==\r\n--b--\r\n',
    ],
  ])('%s', (_name, header, body) => {
    const head = `INFO sip:a@b SIP/2.0\r\n${header}\r\n\r\n`;
    expect(maskSipText(head + body, hidden)).toBe(head + maskOctets(body));
    expect(maskSipText(head + body, shown)).toBe(head + body);
  });

  test('the attributes of a kpml-response stay readable', () => {
    const head = 'NOTIFY sip:a@b SIP/2.0\r\nContent-Type: application/kpml-response+xml\r\n\r\n';
    const body = `<?xml version="1.0"?>\r\n<kpml-response version="1.0" code='200' text="OK" digits="47" tag="dtmf"/>\n`;
    expect(maskSipText(head + body, hidden)).toBe(head + body.replace('47', '**'));
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

  const PIECES = [
    'digits="',
    "digits='",
    'digits',
    ' ',
    '\r\n',
    '\r\n\r\n',
    '=',
    '1',
    'Authorization:',
    'Signal=',
    '\0',
    'inline:',
    'bearer ',
    'sip:',
    'a:',
    'sip%3a',
    '%40',
    '://',
    'ü',
  ];

  test('any text is masked, however its parts are glued together', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 2_000 }), (parts) => {
        const masked = maskSipText(parts.join(''), hidden);
        expect(masked).not.toMatch(/digits="1|digits='1|^Signal=1|sip:a:1@/m);
      }),
    );
  });

  test('a body keeps its octets and lines, whatever is masked in it', () => {
    const head = 'INFO sip:a@b SIP/2.0\r\nCall-ID: x\r\n\r\n';
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...PIECES, 'a=ice-pwd:', 'k=clear:', '@h'), { maxLength: 200 }),
        fc.boolean(),
        (parts, showDigits) => {
          const body = parts.join('');
          const masked = maskSipText(head + body, { showDigits });
          expect(masked.startsWith(head)).toBe(true);
          expect(octetsOf(masked.slice(head.length))).toEqual(octetsOf(body));
        },
      ),
    );
  });
});

describe('the time it takes grows with the text and not faster', () => {
  const BEGINNINGS = [
    ...PATTERN_STARTS,
    'digits',
    'digits=\\',
    'digits="\\',
    'dtmf\\"',
    'signal',
    'Signal=',
    'Content-Type:',
    'c:',
    '\r\n ',
    ' ',
    '\\',
    '-',
    '<kpml-response ',
    'kpml-response a="',
  ];

  test.each(BEGINNINGS.flatMap((a) => [a, `${a} `, `${a}:`, `${a}\r\n`]))(
    '%j again and again',
    (piece) => {
      const message = (length: number): string => {
        const half = piece.repeat(Math.ceil(length / 2 / piece.length));
        return `INFO sip:a@b SIP/2.0\r\nX: ${half}\r\n\r\n${half}`;
      };
      // A pattern that goes back over what it has read would take minutes for so much.
      expect(medianMs(message(200_000))).toBeLessThan(1_000);
    },
  );
});
