import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatSipMessage, parseSipMessage } from '../../../src/wire/sip-message.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';
import { SipParseError } from '../../../src/wire/sip-parse-error.ts';
import { uriScheme } from '../../../src/wire/sip-uri.ts';

const DATA = new URL('../../../../shared/data/', import.meta.url);

/** The files of one corpus with the class of answer its manifest asks for; empty when the data is not there. */
function corpus(folder: string): [file: string, expected: string][] {
  const manifest = new URL(`${folder}/manifest.json`, DATA);
  if (!existsSync(manifest)) return [];
  const entries: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  if (!Array.isArray(entries)) throw new TypeError('expected a list of files');
  return entries.map((entry: Record<string, unknown>) => [
    `${folder}/${String(entry['file'])}`,
    String(entry['expectAtUas'] ?? entry['expect']),
  ]);
}

function read(file: string): SipMessage | SipParseError {
  try {
    return parseSipMessage(readFileSync(new URL(file, DATA)));
  } catch (error) {
    if (error instanceof SipParseError) return error;
    throw error;
  }
}

/** 'message', the status of the answer, or 'drop' when nothing can be answered. */
function outcome(file: string): string {
  const result = read(file);
  if (!(result instanceof SipParseError)) return 'message';
  return result.request === undefined ? 'drop' : String(result.status);
}

/** What this room may make of a file; the other answers need the transaction layer or the user agent. */
function allowedOutcomes(file: string, expected: string): string[] {
  // Well-formed; dropped by the client side since it has a Via too many.
  if (file.endsWith('bcast.dat')) return ['message'];
  if (expected === '400-or-accept') return ['message', '400'];
  if (['400', '400/501', '505', 'drop'].includes(expected))
    return [expected.slice(0, 4).replace('/', '')];
  if (expected === 'reject-400') return ['400'];
  return expected.startsWith('tolerate') ? ['message', '400'] : ['message'];
}

const rfc4475 = corpus('rfc4475');
const rfc5118 = corpus('rfc5118');

describe.skipIf(rfc4475.length === 0)('SIP torture messages', () => {
  test('all files of both corpora are there', () => {
    expect(rfc4475).toHaveLength(49);
    expect(rfc5118).toHaveLength(12);
  });

  test.each([...rfc4475, ...rfc5118])('%s: %s', (file, expected) => {
    expect(allowedOutcomes(file, expected)).toContain(outcome(file));
  });

  const readable = [...rfc4475, ...rfc5118].filter(([file]) => outcome(file) === 'message');

  test.each(readable)('%s is a fixed point once written', (file) => {
    const message = parseSipMessage(readFileSync(new URL(file, DATA)));
    const written = formatSipMessage(message);
    const again = parseSipMessage(written);
    expect(formatSipMessage(again)).toEqual(written);
    expect(again.body).toEqual(message.body);
  });

  test('content survives: method case, escapes and what looks like another message', () => {
    const oddMethod = read('rfc4475/esc02.dat');
    const escapedNul = read('rfc4475/escnull.dat');
    const twoInOne = read('rfc4475/dblreq.dat');
    expect(oddMethod).toMatchObject({ method: 'RE%47IST%45R' });
    expect(escapedNul).toMatchObject({
      headers: expect.arrayContaining([{ name: 'Contact', value: '<sip:%00@host5.example.com>' }]),
    });
    expect(twoInOne).toMatchObject({ method: 'REGISTER', body: Buffer.alloc(0) });
  });

  test('only the two files with foreign schemes have one', () => {
    const foreign = rfc4475.filter(([file]) => {
      const message = read(file);
      if (message instanceof SipParseError || message.type === 'response') return false;
      return !['sip', 'sips'].includes(uriScheme(message.uri));
    });
    expect(foreign.map(([file]) => file)).toEqual(['rfc4475/unkscm.dat', 'rfc4475/novelsc.dat']);
  });
});
