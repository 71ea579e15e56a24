import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DigestAnswer,
  type DigestChallenge,
  digestKey,
  digestResponse,
  formatAnswer,
  formatChallenge,
  isDigestRight,
  parseAnswer,
  parseChallenges,
  readAlgorithm,
  type HashFunction,
} from '../../../src/wire/digest.ts';

const NODE_NAMES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };
const hash: HashFunction = (name, data) => createHash(NODE_NAMES[name]).update(data).digest('hex');

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const NO_BODY = new Uint8Array();

/** The examples of RFC 2617 §3.5 and RFC 7616 §3.9.1, and one in the manner of RFC 2069. */
const EXAMPLES = [
  {
    from: 'RFC 2617 §3.5',
    value:
      'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    password: 'Circle Of Life',
  },
  {
    from: 'RFC 7616 §3.9.1, MD5',
    value:
      'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    password: 'Circle of Life',
  },
  {
    from: 'RFC 7616 §3.9.1, SHA-256',
    value:
      'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    password: 'Circle of Life',
  },
];

describe('the response', () => {
  test.each(EXAMPLES)('of $from', ({ value, password }) => {
    const answer = parseAnswer(value);
    if (answer === undefined) throw new Error('not read');
    const { username, realm, algorithm } = answer;
    const key = digestKey(hash, readAlgorithm(algorithm)?.hash ?? 'MD5', {
      username,
      realm,
      password,
    });

    expect(isDigestRight(hash, key, answer, { method: 'GET', body: NO_BODY })).toBe(true);
    expect(isDigestRight(hash, key, answer, { method: 'PUT', body: NO_BODY })).toBe(false);
  });

  const answer = {
    username: 'bob',
    realm: 'biloxi.com',
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    uri: 'sip:bob@biloxi.com',
    algorithm: undefined,
    opaque: undefined,
    protection: { qop: 'auth' as const, cnonce: '0a4f113b', nonceCount: 1 },
  };
  const key = digestKey(hash, 'MD5', { ...answer, password: 'zanzibar' });
  const body = new TextEncoder().encode('v=0\r\n');

  /** As the formulas of RFC 7616 §3.4 are written. */
  const rows: [string, Omit<DigestAnswer, 'response'>, string][] = [
    [
      'without qop, as RFC 2069',
      { ...answer, protection: undefined },
      md5(`${key}:${answer.nonce}:${md5('INVITE:sip:bob@biloxi.com')}`),
    ],
    ['with qop auth', answer, '89eb0059246c02b2f6ee02c7961d5ea3'],
    [
      'with qop auth-int, over the body',
      { ...answer, protection: { ...answer.protection, qop: 'auth-int' } },
      md5(
        `${key}:${answer.nonce}:00000001:0a4f113b:auth-int:${md5(`INVITE:sip:bob@biloxi.com:${md5('v=0\r\n')}`)}`,
      ),
    ],
    [
      'with MD5-sess, keyed by the nonces',
      { ...answer, algorithm: 'md5-sess' },
      md5(
        `${md5(`${key}:${answer.nonce}:0a4f113b`)}:${answer.nonce}:00000001:0a4f113b:auth:${md5('INVITE:sip:bob@biloxi.com')}`,
      ),
    ],
  ];
  test.each(rows)('%s', (_what, given, expected) => {
    expect(digestResponse(hash, key, given, { method: 'INVITE', body })).toBe(expected);
  });

  test('does not exist without cnonce for -sess, nor for an unknown algorithm', () => {
    const subject = { method: 'INVITE', body };
    const odd = { ...answer, algorithm: 'SHA3' };
    const keyless = { ...answer, algorithm: 'MD5-sess', protection: undefined };

    expect(digestResponse(hash, key, odd, subject)).toBeUndefined();
    expect(digestResponse(hash, key, keyless, subject)).toBeUndefined();
    expect(isDigestRight(hash, key, { ...odd, response: '' }, subject)).toBe(false);
  });

  test('counts the use of the nonce in the letter case that was sent', () => {
    const counted = { ...answer, protection: { ...answer.protection, nonceCount: 11 } };
    for (const count of ['0000000b', '0000000B']) {
      const response = md5(
        `${key}:${answer.nonce}:${count}:0a4f113b:auth:${md5('INVITE:sip:bob@biloxi.com')}`,
      );
      const value = formatAnswer({ ...counted, response }).replace('0000000b', count);
      const read = parseAnswer(value);
      if (read === undefined) throw new Error('not read');
      expect(read.protection?.nonceCount).toBe(11);
      expect(isDigestRight(hash, key, read, { method: 'INVITE', body })).toBe(true);
      expect(formatAnswer(read)).toBe(value);
    }
  });

  test('is wrong when it is cut short', () => {
    const short = { ...answer, response: '89eb' };
    expect(isDigestRight(hash, key, short, { method: 'INVITE', body })).toBe(false);
  });
});

describe('challenges', () => {
  const plain: DigestChallenge = {
    realm: 'a',
    nonce: 'n',
    opaque: undefined,
    algorithm: undefined,
    qop: undefined,
    isStale: false,
  };

  const rows: [string, string[], DigestChallenge[]][] = [
    ['the least there can be', ['Digest realm="a",nonce="n"'], [plain]],
    ['without quotes, any letter case', ['DIGEST Realm=a , NONCE=n'], [plain]],
    ['blanks around the equals sign', ['Digest realm = "a", nonce = "n"'], [plain]],
    ['an empty list of qop', ['Digest realm="a", nonce="n", qop=""'], [plain]],
    ['the first of a repeated parameter', ['Digest realm="a", nonce="n", realm="b"'], [plain]],
    ['text without name is left out', ['Digest realm="a", nonce="n", ="x", y'], [plain]],
    [
      'quoted characters and commas',
      ['Digest realm="a \\"b\\", c", nonce="n"'],
      [{ ...plain, realm: 'a "b", c' }],
    ],
    [
      'the better known qop of several',
      ['Digest realm="a", nonce="n", qop="auth-int, auth"'],
      [{ ...plain, qop: 'auth' }],
    ],
    [
      'auth-int where there is nothing else',
      ['Digest realm="a", nonce="n", qop=auth-int'],
      [{ ...plain, qop: 'auth-int' }],
    ],
    [
      'all there can be',
      ['Digest realm="a", nonce="n", opaque="o", stale=TRUE, algorithm=sha-256, qop="auth"'],
      [{ ...plain, opaque: 'o', isStale: true, algorithm: 'sha-256', qop: 'auth' }],
    ],
    [
      'several in one value and in several',
      ['Digest realm="a", nonce="n", Digest realm="b", nonce="n"', 'Digest realm="c", nonce="n"'],
      [plain, { ...plain, realm: 'b' }, { ...plain, realm: 'c' }],
    ],
    [
      'none of another scheme, with its parameters',
      ['Basic realm="x", Digest realm="a", nonce="n", Bearer realm="y", nonce="z"'],
      [plain],
    ],
    ['none without realm', ['Digest nonce="n"'], []],
    ['none without nonce', ['Digest realm="a"'], []],
    ['none with an unknown algorithm', ['Digest realm="a", nonce="n", algorithm=SHA3'], []],
    ['none with an unknown qop', ['Digest realm="a", nonce="n", qop="token"'], []],
    ['none with -sess and no qop', ['Digest realm="a", nonce="n", algorithm=MD5-sess'], []],
    ['none in broken quotes', ['Digest realm="a, nonce="n"'], []],
    ['none in nothing', [''], []],
  ];
  test.each(rows)('%s', (_what, values, expected) => {
    expect(parseChallenges(values)).toEqual(expected);
  });

  test('no more than eight', () => {
    const value = Array.from({ length: 20 }, () => 'Digest realm="a", nonce="n"').join(', ');
    expect(parseChallenges([value])).toHaveLength(8);
  });
});

describe('credentials that cannot be read', () => {
  const whole = 'Digest username="u", realm="r", nonce="n", uri="sip:x", response="0F"';
  test.each([
    ['another scheme', 'Basic dXNlcg=='],
    ['no username', whole.replace('username', 'name')],
    ['no realm', whole.replace('realm', 'world')],
    ['no nonce', whole.replace('nonce', 'once')],
    ['no uri', whole.replace('uri', 'url')],
    ['no response', whole.replace('response', 'answer')],
    ['unknown qop', `${whole}, qop=token, cnonce="c", nc=00000001`],
    ['qop without cnonce', `${whole}, qop=auth, nc=00000001`],
    ['qop without count', `${whole}, qop=auth, cnonce="c"`],
    ['a count that is none', `${whole}, qop=auth, cnonce="c", nc=1`],
  ])('%s', (_what, value) => {
    expect(parseAnswer(value)).toBeUndefined();
  });

  test('unlike those in capitals', () => {
    expect(parseAnswer(whole)?.response).toBe('0f');
  });
});

test('an algorithm that is not known is none', () => {
  expect(readAlgorithm('SHA-512-256-SESS')).toEqual({ hash: 'SHA-512-256', isSession: true });
  expect(readAlgorithm('-sess')).toBeUndefined();
});

/** What survives in a quoted string. */
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll(/[\r\n]/g, ''));
const algorithm = fc.constantFrom(undefined, 'MD5', 'MD5-sess', 'SHA-256', 'SHA-512-256');

describe('what is written reads back the same', () => {
  test('challenges', () => {
    const challenge = fc.record({
      realm: text,
      nonce: text,
      opaque: fc.option(text, { nil: undefined }),
      algorithm,
      qop: fc.constantFrom('auth' as const, 'auth-int' as const),
      isStale: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
        const value = challenges.map((each) => formatChallenge(each)).join(', ');
        expect(parseChallenges([value])).toEqual(challenges);
      }),
    );
    const bare = { realm: 'r', nonce: 'n', opaque: undefined, algorithm: undefined };
    const old: DigestChallenge = { ...bare, qop: undefined, isStale: false };
    expect(parseChallenges([formatChallenge(old)])).toEqual([old]);
  });

  test('credentials', () => {
    const answer = fc.record({
      username: text,
      realm: text,
      nonce: text,
      uri: text,
      response: fc.constantFrom('', '0123456789abcdef'),
      algorithm,
      opaque: fc.option(text, { nil: undefined }),
      protection: fc.option(
        fc.record({
          qop: fc.constantFrom('auth' as const, 'auth-int' as const),
          cnonce: text,
          nonceCount: fc.integer({ min: 0, max: 0xffff_ffff }),
        }),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(answer, (given) => {
        expect(parseAnswer(formatAnswer(given))).toEqual(given);
      }),
    );
  });

  test('anything else is read without throwing', () => {
    const part = fc.constantFrom('Digest', ' ', ',', '=', '"', '\\', '<', 'realm', 'nonce', 'qop');
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 30 }), (parts) => {
        expect(parseChallenges([parts.join('')]).length).toBeLessThanOrEqual(8);
        expect(() => parseAnswer(parts.join(''))).not.toThrow();
      }),
    );
  });
});
