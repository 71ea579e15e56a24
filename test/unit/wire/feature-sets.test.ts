import { describe, expect, test } from 'vitest';
import { readFeatureSets } from '../../../src/wire/feature-sets.ts';
import {
  DECLARATION,
  DND_ON,
  dnd,
  forward,
  manyAttributes,
  REFUSED,
  VECTORS,
} from './feature-samples.ts';

const TYPE = 'application/x-as-feature-event+xml';

function read(text: string | Buffer, contentType = TYPE) {
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  return readFeatureSets({ contentType, body });
}

describe('the body of a SUBSCRIBE', () => {
  test.each(VECTORS)('is read: %s', (_name, body, expected) => {
    const indented = `\n${body.replaceAll('><', '>\n    <')}\n`;
    for (const form of [body, DECLARATION + body, indented.trimStart()]) {
      expect(read(form)).toEqual({ type: 'sets', sets: [expected] });
    }
  });

  test.each(REFUSED)('is refused: %s', (_name, body, code) => {
    const result = read(body);
    expect(result).toMatchObject({ type: 'refused', status: 400, code });
  });

  test('is read when it is ISO-8859-1 and says so', () => {
    const body = forward('forwardBusy', 'true', '<forwardDN>Müller</forwardDN>');
    expect(read(Buffer.from(DECLARATION + body, 'latin1'))).toMatchObject({
      sets: [{ feature: 'CallForwardingBusy', forwardTo: 'Müller' }],
    });
  });

  test('is taken at the limits: 8 levels, 64 elements, 16 attributes', () => {
    const deep = `<extra>${'<a>'.repeat(6)}${'</a>'.repeat(6)}</extra>`;
    const many = '<b/>'.repeat(64 - 2 - 7);
    const on = `<doNotDisturbOn ${manyAttributes(16)}>true</doNotDisturbOn>`;
    expect(read(dnd(deep + many + on))).toEqual({ type: 'sets', sets: [DND_ON] });
  });

  test.each([
    ['between elements', (blanks: string) => dnd(`${blanks}<doNotDisturbOn>true</doNotDisturbOn>`)],
    ['before the root', (blanks: string) => blanks + dnd('<doNotDisturbOn>true</doNotDisturbOn>')],
    ['behind it', (blanks: string) => dnd('<doNotDisturbOn>true</doNotDisturbOn>') + blanks],
  ])('may have white space %s, up to 16384 bytes in all', (_where, document) => {
    const blanks = ' \n\t\r\n'.repeat(3500).slice(0, 16_384 - document('').length);
    expect(read(document(blanks))).toEqual({ type: 'sets', sets: [DND_ON] });
    expect(read(document(`${blanks} `))).toMatchObject({ status: 413, code: 'limits' });
  });

  test('says where it is wrong, and repeats nothing of itself', () => {
    const body = dnd('\n  <device>secret</device>\n  <doNotDisturbOn>maybe</doNotDisturbOn>\n');
    const result = read(body);
    expect(result).toMatchObject({ text: 'line 3, column 3: expected true or false' });
    for (const [, refused] of REFUSED) {
      const { text } = { text: '', ...read(refused) };
      expect(text).toMatch(/^line \d+, column \d+: [a-zA-Z0-9 ,-]+$/);
    }
  });

  test.each([
    [undefined],
    [''],
    ['text/plain'],
    ['application/sdp'],
    ['application/x-as-feature-event'],
    ['multipart/alternative;boundary=two'],
  ])('has a type of the package: not %s', (contentType) => {
    const body = Buffer.from(dnd('<doNotDisturbOn>true</doNotDisturbOn>'));
    const message = contentType === undefined ? { body } : { contentType, body };
    expect(readFeatureSets(message)).toMatchObject({ status: 415, code: 'content-type' });
  });

  test.each([
    ['application/xml'],
    ['text/xml; charset=utf-8'],
    ['Application/X-AS-Feature-Event+XML'],
  ])('may be called %s', (contentType) => {
    const body = dnd('<doNotDisturbOn>true</doNotDisturbOn>');
    expect(read(body, contentType)).toEqual({ type: 'sets', sets: [DND_ON] });
  });

  test('may not be encoded further', () => {
    const body = Buffer.from(dnd('<doNotDisturbOn>true</doNotDisturbOn>'));
    const encoded = readFeatureSets({ contentType: TYPE, contentEncoding: 'gzip', body });
    expect(encoded).toMatchObject({ status: 415, code: 'content-type' });
    const plain = readFeatureSets({ contentType: TYPE, contentEncoding: 'Identity', body });
    expect(plain).toMatchObject({ type: 'sets' });
  });
});

function part(document: string, type = TYPE): string {
  return `--two\r\nContent-Type: ${type}\r\n\r\n${document}\r\n`;
}

describe('a multipart body of a SUBSCRIBE', () => {
  const MULTIPART = 'multipart/mixed;boundary=two';
  const ON = part(dnd('<doNotDisturbOn>true</doNotDisturbOn>'));
  const BUSY_OFF = part(forward('forwardBusy', 'false'));

  test('is read part by part, in order', () => {
    expect(read(`${ON}${BUSY_OFF}--two--\r\n`, MULTIPART)).toEqual({
      type: 'sets',
      sets: [DND_ON, { feature: 'CallForwardingBusy', status: false }],
    });
  });

  test.each([
    ['a bad value in one', `${ON}${part(dnd(''))}--two--\r\n`, 400, 'missing-element'],
    ['another type in one', `${ON}${part('x', 'text/plain')}--two--\r\n`, 415, 'content-type'],
    [
      'a part in base64',
      `${ON.replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n')}--two--\r\n`,
      415,
      'content-type',
    ],
    ['no part', '--two--\r\n', 400, 'malformed'],
    ['no end', ON, 400, 'malformed'],
    ['40 parts', `${ON.slice(0, 60).repeat(40)}\r\n--two--\r\n`, 400, 'malformed'],
  ])('is refused whole for %s', (_name, body, status, code) => {
    expect(read(body, MULTIPART)).toMatchObject({ type: 'refused', status, code });
  });

  test('needs a boundary', () => {
    expect(read(ON, 'multipart/mixed')).toMatchObject({ status: 400, code: 'malformed' });
  });
});
