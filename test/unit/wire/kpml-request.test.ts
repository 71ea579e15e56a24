import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KPML_KEYS, kpmlKeyOf } from '../../../src/wire/kpml.ts';
import type { KpmlKey } from '../../../src/wire/kpml.ts';
import {
  formatKpmlRequest,
  KPML_REQUEST_DEFAULTS,
  parseKpmlRequest,
} from '../../../src/wire/kpml-request.ts';
import type { KpmlRequest } from '../../../src/wire/kpml-request.ts';
import { fullRequest, ourRequest, refusalOf } from './kpml-samples.ts';

const REQUEST_TYPE = 'application/kpml-request+xml';

function request(text: string | Buffer): KpmlRequest {
  return parseKpmlRequest(Buffer.from(text), REQUEST_TYPE);
}

function pattern(attributes: string, content = '<regex>x</regex>'): KpmlRequest {
  return request(
    `<kpml-request version="1.0"><pattern ${attributes}>${content}</pattern></kpml-request>`,
  );
}

const sip = (status: number): object => ({ type: 'sip', status });
const kpml = (code: number): object => ({ type: 'kpml', code });

describe('reading a request', () => {
  test('the usual one of a gateway', () => {
    const text =
      '<?xml version="1.0" encoding="UTF-8"?><kpml-request xmlns="urn:ietf:params:xml:ns:kpml-request" ' +
      'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:ietf:params:xml:ns:kpml-request ' +
      'kpml-request.xsd" version="1.0"><pattern persist="persist"><regex tag="dtmf">[x*#ABCD]</regex></pattern></kpml-request>';
    expect(request(text)).toEqual({
      ...KPML_REQUEST_DEFAULTS,
      persist: 'persist',
      regexes: [{ parts: [{ type: 'text', text: '[x*#ABCD]' }], tag: 'dtmf' }],
    });
  });

  test('everything a document may say', () => {
    const text = `<!-- c --><k:kpml-request xmlns:k="urn:ietf:params:xml:ns:kpml-request" version='1.0'>
      <k:stream><k:reverse/></k:stream>
      <k:pattern enterkey=" **r " nopartial="true" longrepeat="1" long="5000" extradigittimer="0"
                 criticaldigittimer="+250" interdigittimer="99999999999" persist="single-notify" other="x">
        <k:flush> yes </k:flush><other xmlns="urn:x"/>
        <k:regex tag="a &amp; b">1<k:pre>x{8}</k:pre>2</k:regex>
        <k:regex> <![CDATA[x.]]><!-- c --><o:pre xmlns:o="urn:x">9</o:pre></k:regex>
      </k:pattern></k:kpml-request>`;
    expect(request(text)).toEqual({
      isReverse: true,
      persist: 'single-notify',
      isPersistUnknown: false,
      interDigitTimerMs: 86_400_000,
      criticalDigitTimerMs: 250,
      extraDigitTimerMs: 0,
      longMs: 5000,
      isLongRepeat: true,
      isNoPartial: true,
      enterKey: ['*', '*', 'R'],
      isFlush: true,
      regexes: [
        {
          parts: [
            { type: 'text', text: '1' },
            { type: 'pre', text: 'x{8}' },
            { type: 'text', text: '2' },
          ],
          tag: 'a & b',
        },
        { parts: [{ type: 'text', text: 'x.' }] },
      ],
    } satisfies KpmlRequest);
  });

  test.each([
    ['text', '<stream>reverse</stream>', true],
    ['element', '<stream><reverse/></stream>', true],
    ['unknown word', '<stream>sideways</stream>', false],
    ['unknown element', '<stream><x:y xmlns:x="urn:x"/></stream>', false],
    ['none', '', false],
  ])('stream as %s', (_name, stream, expected) => {
    const text = `<kpml-request version="1.0">${stream}<pattern><regex>x</regex></pattern></kpml-request>`;
    expect(request(text).isReverse).toBe(expected);
  });

  test.each([
    ['persist="Persist"', 'one-shot', true],
    ['persist="persist"', 'persist', false],
    ['', 'one-shot', false],
  ])('pattern %s', (attributes, persist, isPersistUnknown) => {
    expect(pattern(attributes)).toMatchObject({ persist, isPersistUnknown });
  });

  test.each([
    ['<flush>yes</flush>', true],
    ['<flush>no</flush>', false],
    ['<flush>perhaps</flush>', false],
    ['<flush/>', false],
  ])('%s', (flush, expected) => {
    expect(pattern('', `${flush}<regex>x</regex>`).isFlush).toBe(expected);
  });

  test('100 regex are read', () => {
    expect(pattern('', '<regex>x</regex>'.repeat(100)).regexes).toHaveLength(100);
  });

  test.each<[name: string, text: string | Buffer, refusal: object]>([
    ['not XML', 'digits=1', sip(400)],
    ['document type', '<!DOCTYPE k><kpml-request version="1.0"/>', sip(400)],
    ['more than 16 kB', ' '.repeat(20_000), sip(413)],
    ['UTF-16', Buffer.from('\uFEFF<kpml-request version="1.0"/>', 'utf16le'), kpml(501)],
    ['foreign namespace', '<kpml-request xmlns="urn:evil" version="1.0"/>', kpml(502)],
    ['another root', '<kpml version="1.0"/>', kpml(501)],
    ['no version', '<kpml-request><pattern><regex>x</regex></pattern></kpml-request>', kpml(501)],
    [
      'another version',
      '<kpml-request version="2.0"><pattern><regex>x</regex></pattern></kpml-request>',
      kpml(501),
    ],
    ['no pattern', '<kpml-request version="1.0"/>', kpml(501)],
    [
      'two patterns',
      `<kpml-request version="1.0">${'<pattern><regex>x</regex></pattern>'.repeat(2)}</kpml-request>`,
      kpml(501),
    ],
    ['no regex', '<kpml-request version="1.0"><pattern>text</pattern></kpml-request>', kpml(501)],
  ])('%s is refused', (_name, text, refusal) => {
    expect(refusalOf(() => request(text))).toEqual(refusal);
  });

  test.each([
    ['interdigittimer="-1"', 501],
    ['criticaldigittimer="soon"', 501],
    ['extradigittimer=""', 501],
    ['long="2.5"', 501],
    ['nopartial="maybe"', 501],
    ['enterkey="x"', 501],
    ['enterkey="#E"', 501],
  ])('pattern %s is refused', (attributes, code) => {
    expect(refusalOf(() => pattern(attributes))).toEqual(kpml(code));
  });

  test('more than 100 regex and two pre in one are refused', () => {
    const many = '<regex>x</regex>'.repeat(101);
    expect(refusalOf(() => pattern('', many))).toEqual(kpml(534));
    const twice = '<regex><pre>1</pre><pre>2</pre></regex>';
    expect(refusalOf(() => pattern('', twice))).toEqual(kpml(501));
  });

  test.each([undefined, 'text/xml', 'multipart/mixed;boundary=b'])(
    'Content-Type %s is refused',
    (contentType) => {
      expect(refusalOf(() => parseKpmlRequest(Buffer.from('x'), contentType))).toEqual(sip(415));
    },
  );
});

describe('writing a request', () => {
  test('our request', () => {
    expect(formatKpmlRequest(ourRequest)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<kpml-request xmlns="urn:ietf:params:xml:ns:kpml-request" version="1.0">' +
        '<pattern persist="persist" interdigittimer="7260000"><regex tag="dtmf">[x*#ABCD]</regex></pattern></kpml-request>',
    );
  });

  test('a full request reads back', () => {
    expect(request(formatKpmlRequest(fullRequest))).toEqual(fullRequest);
  });

  test('any request reads back', () => {
    const text = fc.stringMatching(/^[0-9A-DRx*#.{},^L-]{1,10}$/);
    const tag = fc.string({ unit: 'grapheme-ascii', maxLength: 10 });
    const key = fc.constantFrom<KpmlKey[]>(
      ...KPML_KEYS.split('').map((each) => kpmlKeyOf(each) ?? '0'),
    );
    const anyRequest: fc.Arbitrary<KpmlRequest> = fc.record({
      isReverse: fc.boolean(),
      persist: fc.constantFrom('one-shot', 'persist', 'single-notify'),
      isPersistUnknown: fc.constant(false),
      interDigitTimerMs: fc.nat(86_400_000),
      criticalDigitTimerMs: fc.nat(86_400_000),
      extraDigitTimerMs: fc.nat(86_400_000),
      longMs: fc.nat(86_400_000),
      isLongRepeat: fc.boolean(),
      isNoPartial: fc.boolean(),
      enterKey: fc.array(key, { maxLength: 3 }),
      isFlush: fc.boolean(),
      regexes: fc.array(
        fc.record(
          { parts: text.map((each) => [{ type: 'text' as const, text: each }]), tag },
          { requiredKeys: ['parts'] },
        ),
        { minLength: 1, maxLength: 5 },
      ),
    });
    fc.assert(
      fc.property(anyRequest, (value) => {
        expect(request(formatKpmlRequest(value))).toEqual(value);
      }),
    );
  });
});
