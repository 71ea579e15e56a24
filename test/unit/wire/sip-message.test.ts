import { describe, expect, test } from 'vitest';
import {
  addHeader,
  formatSipMessage,
  getHeader,
  getHeaders,
  parseSipMessage,
  prependHeader,
  removeHeader,
  setHeader,
} from '../../../src/wire/sip-message.ts';
import type { SipHeader, SipMessage, SipRequest } from '../../../src/wire/sip-message.ts';
import { SipParseError } from '../../../src/wire/sip-parse-error.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

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

function parse(message: string | Buffer): SipMessage {
  return parseSipMessage(typeof message === 'string' ? Buffer.from(message) : message);
}

function refusal(
  message: string | Buffer,
  limits?: Parameters<typeof parseSipMessage>[1],
): SipParseError {
  try {
    parseSipMessage(Buffer.from(message), limits);
  } catch (error) {
    if (error instanceof SipParseError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

function request(headers: SipHeader[] = [], body = ''): SipRequest {
  return {
    type: 'request',
    method: 'INFO',
    uri: 'sip:bob@example.com',
    headers,
    body: Buffer.from(body),
  };
}

describe('reading', () => {
  test('a request', () => {
    const message = parse(
      `${text(OPTIONS, 'X-Odd-Name:  some value\t', 'Content-Length: 4')}body and more`,
    );
    expect(message).toMatchObject({
      type: 'request',
      method: 'OPTIONS',
      uri: 'sip:bob@example.com',
    });
    expect(message.headers.at(-2)).toEqual({ name: 'X-Odd-Name', value: 'some value' });
    expect(message.body.toString()).toBe('body');
  });

  test.each([
    ['SIP/2.0 200 OK', 200, 'OK'],
    ['SIP/2.0 486 Busy  Here ', 486, 'Busy  Here '],
    ['SIP/2.0 100 ', 100, ''],
    ['SIP/2.0 100', 100, ''],
    ['sip/2.0 699 Größe', 699, 'Größe'],
  ])('a response: %s', (line, status, reason) => {
    expect(parse(text(line))).toMatchObject({ type: 'response', status, reason });
  });

  test('line ends may be LF, lines folded, empty lines in front', () => {
    const message = parse(
      `\r\n\n${text(OPTIONS, 'X:\r\n  a\r\n\tb  \r\n \r\n c').replaceAll('\r\n', '\n')}tail`,
    );
    expect(getHeader(message, 'x')).toBe('a b c');
    expect(message.body.toString()).toBe('tail');
  });

  test('text that is not UTF-8 is read as Latin-1', () => {
    const message = parse(Buffer.from(text(OPTIONS, 'Subject: caf\u00e9'), 'latin1'));
    expect(getHeader(message, 'subject')).toBe('café');
  });

  test('a byte order mark and a no-break space are part of the value', () => {
    const message = parse(text(OPTIONS, 'Subject: \u00a0x\ufeff'));
    expect(getHeader(message, 's')).toBe('\u00a0x\ufeff');
  });

  test.each([
    ['one space each', 'OPTIONS  sip:bob@example.com SIP/2.0'],
    ['nothing behind the version', `${OPTIONS} `],
    ['no brackets', 'OPTIONS <sip:bob@example.com> SIP/2.0'],
    ['no quotes', 'OPTIONS tel:"1" SIP/2.0'],
    ['a URI', 'OPTIONS bob SIP/2.0'],
    ['no control characters', 'OPTIONS tel:\u0001 SIP/2.0'],
    ['no header fields in the URI', 'OPTIONS sip:bob@example.com?Route=x SIP/2.0'],
    ['a host', 'OPTIONS sip:bob@ SIP/2.0'],
    ['a valid IPv6 address', 'OPTIONS sip:2001:db8::10 SIP/2.0'],
    ['the end of the line', 'OPTIONS sip:bob@example.com SIP/2.0 x'],
  ])('the request line needs %s', (_what, line) => {
    const error = refusal(text(line));
    expect(error.status).toBe(400);
    expect(error.request?.method).toBe('OPTIONS');
  });

  test.each([
    ['tel:+49301234', 'tel:+49301234'],
    ['a future scheme', 'nobodyKnowsThisScheme:totally-opaque'],
  ])('the request URI may be of another scheme: %s', (_what, uri) => {
    expect(parse(text(`OPTIONS ${uri} SIP/2.0`))).toMatchObject({ uri });
  });

  test.each([
    ['another CSeq method', 'CSeq: 1 INVITE'],
    ['a CSeq that is too large', 'CSeq: 4294967296 OPTIONS'],
    ['no CSeq number', 'CSeq: OPTIONS'],
    ['two CSeq', 'CSeq: 1 OPTIONS\r\nCSeq: 1 OPTIONS'],
    ['two From', 'f: <sip:x@y>'],
    ['Max-Forwards of 256', 'Max-Forwards: 256'],
    ['Max-Forwards of a word', 'Max-Forwards: many'],
    ['a negative length', 'Content-Length: -1'],
    ['a length of a word', 'l: some'],
    ['two lengths', 'Content-Length: 0\r\nl: 0'],
    ['more length than body', 'Content-Length: 1'],
    ['an open quote in Contact', 'Contact: "Bob <sip:bob@example.com>'],
    ['a Contact without brackets but with header fields', 'Contact: sip:bob@example.com?x=y'],
    ['a line without colon', 'what is this'],
    ['a name with spaces', 'my header: x'],
    ['a CR in the middle', 'X: a\rb'],
    ['a NUL', 'X: a\0b'],
    ['a bad Via', 'Via: UDP 192.0.2.1'],
    ['a Via that ends in separators', 'Via: SIP/2.0/UDP 192.0.2.15;;,;,,'],
  ])('%s is refused with 400, and the request can still be answered', (_what, line) => {
    const error = refusal(text(OPTIONS, line));
    expect(error.status).toBe(400);
    expect(getHeader(error.request ?? request(), 'call-id')).toBe('1@example.com');
  });

  test.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('%s is mandatory', (name) => {
    const lines = text(OPTIONS)
      .split('\r\n')
      .filter((line) => !line.startsWith(`${name}:`));
    expect(refusal(lines.join('\r\n')).message).toBe(`${name.toLowerCase()} is missing`);
  });

  test('an empty Call-ID is refused', () => {
    expect(refusal(text(OPTIONS).replace('1@example.com', '')).message).toBe('call-id is empty');
  });

  test('a head without end is refused', () => {
    expect(refusal(text(OPTIONS).slice(0, -2)).message).toContain('empty line');
  });

  test('a head that begins with a continuation is refused', () => {
    expect(refusal(`${OPTIONS}\r\n x\r\n${text(OPTIONS).slice(OPTIONS.length + 2)}`).status).toBe(
      400,
    );
  });

  test.each(['SIP/3.0', 'sip/7.0', 'SIP/2.1'])('%s is answered 505', (version) => {
    const error = refusal(text(OPTIONS.replace('SIP/2.0', version)));
    expect(error.status).toBe(505);
    expect(error.request).toBeDefined();
  });

  test.each([
    ['nothing', ''],
    ['empty lines', '\r\n\r\n'],
    ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a status of 4294967301', text('SIP/2.0 4294967301 better not')],
    ['a status of 099', text('SIP/2.0 099 no')],
    ['a response of another version', text('SIP/7.0 200 OK')],
    ['a response without Via', text('SIP/2.0 200 OK').replace(/Via.*\r\n/, '')],
    ['a response with a huge CSeq', text('SIP/2.0 200 OK', 'CSeq: 9292394834772304023312 OPTIONS')],
  ])('%s cannot be answered', (_what, message) => {
    expect(refusal(message).request).toBeUndefined();
  });

  test.each([
    ['a large head', 513, { headBytes: 100, bodyBytes: 100, headerCount: 100 }],
    ['a large body', 413, { headBytes: 1000, bodyBytes: 3, headerCount: 100 }],
    ['many header fields', 513, { headBytes: 1000, bodyBytes: 100, headerCount: 4 }],
  ])('%s is refused with %i', (_what, status, limits) => {
    expect(refusal(`${text(OPTIONS, 'Content-Length: 4')}body`, limits).status).toBe(status);
  });

  test('the answer to too large a head is built from its whole lines within the limit', () => {
    const lines = Array.from({ length: 40 }, (_, index) => `X-${index}: ${'y'.repeat(10)}`);
    const limits = { headBytes: 300, bodyBytes: 100, headerCount: 100 };
    const salvaged = refusal(text(OPTIONS, ...lines), limits).request;
    const written = salvaged?.headers.map(({ name, value }) => `${name}: ${value}`) ?? [];
    expect(salvaged).toMatchObject({ method: 'OPTIONS', uri: 'sip:bob@example.com' });
    expect(written.slice(0, 5)).toEqual([...MANDATORY, 'CSeq: 1 OPTIONS']);
    expect(written.slice(5)).toEqual(lines.slice(0, 6));
  });

  test('what cannot be answered because of its size', () => {
    const limits = { headBytes: 300, bodyBytes: 100, headerCount: 100 };
    const long = `X: ${'y'.repeat(400)}`;
    const late = text(OPTIONS).replace(/^From/m, `${long}\r\nFrom`);
    for (const message of [text('SIP/2.0 200 OK', long), late, 'y'.repeat(400)]) {
      expect(refusal(message, limits)).toMatchObject({ status: 513, request: undefined });
    }
  });

  test('too many header fields are answered with those of the request', () => {
    const limits = { headBytes: 1000, bodyBytes: 100, headerCount: 4 };
    expect(refusal(text(OPTIONS), limits).request?.headers).toHaveLength(5);
    expect(refusal(text('SIP/2.0 200 OK'), limits).request).toBeUndefined();
  });

  test('a quoted pair of NUL is legal (RFC 3261 §25.1)', () => {
    const message = parse(text(OPTIONS, 'Subject: "a\\\0b"'));
    expect(parse(formatSipMessage(message))).toEqual(
      parse(formatSipMessage(parse(formatSipMessage(message)))),
    );
    expect(getHeader(message, 'subject')).toBe('"a\\\0b"');
  });

  test('a bug is not mistaken for bad input', () => {
    const limits = {
      headBytes: 1000,
      headerCount: 100,
      get bodyBytes(): number {
        throw new RangeError('bug');
      },
    };
    expect(() => parseSipMessage(Buffer.from(text(OPTIONS)), limits)).toThrow(RangeError);
  });

  test('REGISTER may ask for all contacts', () => {
    expect(getHeader(parse(text('REGISTER sip:example.com SIP/2.0', 'Contact: *')), 'm')).toBe('*');
  });
});

describe('writing', () => {
  test('Content-Length is always exact and stands where one stood', () => {
    const headers = [
      { name: 'l', value: '99' },
      { name: 'X', value: '1' },
      { name: 'Content-Length', value: '5' },
    ];
    expect(formatSipMessage(request(headers, 'größe')).toString()).toBe(
      'INFO sip:bob@example.com SIP/2.0\r\nContent-Length: 7\r\nX: 1\r\n\r\ngröße',
    );
    expect(formatSipMessage(request([{ name: 'X', value: '1' }])).toString()).toBe(
      'INFO sip:bob@example.com SIP/2.0\r\nX: 1\r\nContent-Length: 0\r\n\r\n',
    );
  });

  test.each<[string, SipMessage]>([
    ['a line break in a value', request([{ name: 'X', value: 'a\r\nRoute: <sip:evil>' }])],
    ['a bare LF in a value', request([{ name: 'X', value: 'a\nb' }])],
    ['a bare CR in a value', request([{ name: 'X', value: 'a\rb' }])],
    ['NUL in a value', request([{ name: 'X', value: 'a\0b' }])],
    ['a colon in a name', request([{ name: 'X:Y', value: '1' }])],
    ['an empty name', request([{ name: '', value: '1' }])],
    ['a space in the method', { ...request(), method: 'IN FO' }],
    ['a line break in the URI', { ...request(), uri: 'sip:x\r\nVia: y' }],
    ['a space in the URI', { ...request(), uri: 'sip:x y' }],
    ['no URI', { ...request(), uri: '' }],
    [
      'a status of 99',
      { type: 'response', status: 99, reason: '', headers: [], body: Buffer.alloc(0) },
    ],
    [
      'a status of 700',
      { type: 'response', status: 700, reason: '', headers: [], body: Buffer.alloc(0) },
    ],
    [
      'a broken status',
      { type: 'response', status: 200.5, reason: '', headers: [], body: Buffer.alloc(0) },
    ],
    [
      'a line break in the reason',
      { type: 'response', status: 200, reason: 'a\nb', headers: [], body: Buffer.alloc(0) },
    ],
  ])('%s is refused', (_what, message) => {
    expect(() => formatSipMessage(message)).toThrow(WireError);
  });
});

describe('header access', () => {
  test('names match in any case and in compact form', () => {
    const message = request([
      { name: 'V', value: '1' },
      { name: 'via', value: '2' },
      { name: 'X', value: '3' },
    ]);
    expect(getHeader(message, 'Via')).toBe('1');
    expect(getHeaders(message, 'VIA')).toEqual(['1', '2']);
    expect(getHeader(message, 'to')).toBeUndefined();
  });

  test('set replaces all at the first place, or adds at the end', () => {
    const message = request([
      { name: 'A-B', value: '1' },
      { name: 'm', value: '2' },
      { name: 'Z', value: '3' },
      { name: 'Contact', value: '4' },
    ]);
    setHeader(message, 'Contact', '5');
    setHeader(message, 'New', '6');
    addHeader(message, 'Last', '7');
    prependHeader(message, 'First', '0');
    removeHeader(message, 'z');
    expect(message.headers.map(({ name, value }) => `${name}=${value}`)).toEqual([
      'First=0',
      'A-B=1',
      'Contact=5',
      'New=6',
      'Last=7',
    ]);
  });
});
