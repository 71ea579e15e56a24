import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { FeatureUser } from '../../../src/config/feature-keys-config.ts';
import { DigestNonces } from '../../../src/feature-keys/digest-nonces.ts';
import { DigestServer } from '../../../src/feature-keys/digest-server.ts';
import type { SipRequest } from '../../../src/wire/sip-message.ts';

const DOMAIN = 'pbx.example';
const URI = 'sip:2001@pbx.example';

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function user(fields: Partial<FeatureUser>): FeatureUser {
  return { password: undefined, ha1: undefined, accounts: [], ...fields };
}

const USERS = {
  '2001': user({ password: 'pw' }),
  '2002': user({ ha1: md5('2002:pbx.example:pw').toUpperCase() }),
  '2003': user({ ha1: sha256('2003:pbx.example:pw') }),
  'door@pbx.example': user({ password: 'pw', accounts: ['2001', '2002'] }),
};
const CONFIG = { realm: undefined, algorithms: ['MD5', 'SHA-256'], nonceMs: 300_000 } as const;

function server(): DigestServer {
  return new DigestServer({ ...CONFIG, users: USERS });
}

function subscribe(...authorization: string[]): SipRequest {
  const headers = authorization.map((value) => ({ name: 'Authorization', value }));
  return { type: 'request', method: 'SUBSCRIBE', uri: URI, headers, body: Buffer.alloc(0) };
}

interface Wish {
  readonly username?: string;
  readonly password?: string;
  readonly realm?: string;
  readonly nc?: string;
  readonly uri?: string;
  readonly algorithm?: 'MD5' | 'SHA-256' | 'MD5-sess' | 'SHA-512-256';
  readonly qop?: 'auth' | 'none';
}

function credentials(nonce: string, wish: Wish = {}): string {
  const { username = '2001', password = 'pw', realm = DOMAIN, nc = '00000001' } = wish;
  const { algorithm = 'MD5', qop = 'auth', uri = URI } = wish;
  const hash = algorithm === 'SHA-256' ? sha256 : md5;
  const middle = qop === 'auth' ? `${nonce}:${nc}:c1:auth` : nonce;
  const response = hash(
    `${hash(`${username}:${realm}:${password}`)}:${middle}:${hash(`SUBSCRIBE:${uri}`)}`,
  );
  const named = `username="${username}",realm="${realm}",nonce="${nonce}",uri="${uri}"`;
  const protection = qop === 'auth' ? `,qop=auth,cnonce="c1",nc=${nc}` : '';
  return `Digest ${named},response="${response}",algorithm=${algorithm}${protection}`;
}

/** Asks for a nonce. */
function nonceOf(digest: DigestServer, nowMs = 0): string {
  const verdict = digest.judge(subscribe(), DOMAIN, nowMs);
  const [first = ''] = verdict.type === 'challenge' ? verdict.challenges : [];
  return /nonce="([^"]+)"/.exec(first)?.[1] ?? '';
}

describe('credentials', () => {
  test.each<[string, Wish, object]>([
    ['of a password', {}, { type: 'user', username: '2001', accounts: ['2001'] }],
    ['of an HA1', { username: '2002' }, { type: 'user', username: '2002' }],
    ['of an HA1 of SHA-256', { username: '2003', algorithm: 'SHA-256' }, { type: 'user' }],
    ['with SHA-256', { algorithm: 'SHA-256' }, { type: 'user' }],
    ['without qop', { qop: 'none' }, { type: 'user' }],
    [
      'of a user with accounts',
      { username: 'door@pbx.example' },
      { type: 'user', username: 'door', accounts: ['2001', '2002'] },
    ],
    [
      'of a user with the domain',
      { username: '2001@pbx.example' },
      { type: 'user', username: '2001' },
    ],
    ['with a wrong password', { password: 'guess' }, { type: 'challenge' }],
    ['of an unknown user', { username: 'nobody' }, { type: 'challenge' }],
    ['of a name every object has', { username: 'constructor' }, { type: 'challenge' }],
    ['for another realm', { realm: 'else.example' }, { type: 'challenge' }],
    ['with an algorithm not offered', { algorithm: 'SHA-512-256' }, { type: 'challenge' }],
    ['with a session key', { algorithm: 'MD5-sess' }, { type: 'challenge' }],
    [
      'of an HA1 for another hash',
      { username: '2002', algorithm: 'SHA-256' },
      { type: 'challenge' },
    ],
  ])('%s', (_what, wish, verdict) => {
    const digest = server();
    const request = subscribe(credentials(nonceOf(digest), wish));
    expect(digest.judge(request, DOMAIN, 0)).toMatchObject(verdict);
  });

  test('that cannot be read are malformed, those of another scheme are none', () => {
    const digest = server();
    const type = (...values: string[]): string =>
      digest.judge(subscribe(...values), DOMAIN, 0).type;
    expect(type('Digest nonsense')).toBe('malformed');
    expect(type('Basic YTpi')).toBe('challenge');
    expect(type('Digest nonsense', credentials(nonceOf(digest)))).toBe('user');
    expect(type(...Array.from({ length: 10 }, () => credentials('x')))).toBe('malformed');
  });
});

describe('several credentials', () => {
  test('of which one is right say who it is, in any order', () => {
    const digest = server();
    const wrong = (): string => credentials(nonceOf(digest), { username: '2002', password: 'no' });
    const right = (): string => credentials(nonceOf(digest));
    const known = { type: 'user', username: '2001' };
    expect(digest.judge(subscribe(wrong(), right()), DOMAIN, 0)).toMatchObject(known);
    expect(digest.judge(subscribe(right(), wrong()), DOMAIN, 0)).toMatchObject(known);
    expect(digest.proven(subscribe(wrong(), right()), DOMAIN)).toMatchObject(known);
    expect(digest.judge(subscribe(wrong(), wrong()), DOMAIN, 0).type).toBe('challenge');
  });

  test('of which one is old do not make the phone ask anew', () => {
    const digest = server();
    const old = credentials(nonceOf(digest));
    const fresh = credentials(nonceOf(digest, 400_000));
    const stale = digest.judge(subscribe(old), DOMAIN, 400_000);
    expect(stale.type === 'challenge' && stale.challenges[0]).toContain('stale=true');
    expect(digest.judge(subscribe(old, fresh), DOMAIN, 400_000).type).toBe('user');
  });
});

describe('the uri that the credentials were made for', () => {
  test.each([
    ['sip:2001@127.0.0.1:5060', 'user'],
    ['sips:%32001@pbx.example;transport=tls', 'user'],
    ['sip:pbx.example', 'user'],
    ['/index.html', 'user'],
    ['sip:2002@pbx.example', 'malformed'],
  ])('%s: %s', (uri, type) => {
    const digest = server();
    const request = subscribe(credentials(nonceOf(digest), { uri }));
    expect(digest.judge(request, DOMAIN, 0).type).toBe(type);
  });

  test('is nothing that a stranger hears about', () => {
    const digest = server();
    const uri = 'sip:2002@pbx.example';
    const request = subscribe(credentials(nonceOf(digest), { uri, password: 'guess' }));
    expect(digest.judge(request, DOMAIN, 0).type).toBe('challenge');
  });
});

describe('a nonce', () => {
  test('may be counted in capitals', () => {
    const digest = server();
    const request = subscribe(credentials(nonceOf(digest), { nc: '0000000B' }));
    expect(digest.judge(request, DOMAIN, 0).type).toBe('user');
  });

  test('counts up, and is stale when it does not or is too old', () => {
    const digest = server();
    const nonce = nonceOf(digest, 1_000_000);
    const judge = (nc: string, nowMs: number): string => {
      const verdict = digest.judge(subscribe(credentials(nonce, { nc })), DOMAIN, nowMs);
      return verdict.type === 'challenge' ? (verdict.challenges[0] ?? '') : verdict.type;
    };
    expect(judge('00000003', 1_000_001)).toBe('user');
    expect(judge('00000004', 1_000_002)).toBe('user');
    expect(judge('00000004', 1_000_003)).toContain('stale=true');
    expect(judge('00000001', 1_000_004)).toContain('stale=true');
    expect(judge('00000005', 1_300_001)).toContain('stale=true');
  });

  test('without a count is good for one request', () => {
    const digest = server();
    const request = subscribe(credentials(nonceOf(digest), { qop: 'none' }));
    expect(digest.judge(request, DOMAIN, 0).type).toBe('user');
    expect(digest.judge(request, DOMAIN, 0).type).toBe('challenge');
  });

  test('of somebody else is not stale but foreign', () => {
    const digest = server();
    const other = nonceOf(server());
    const made = digest.judge(subscribe(credentials(other)), DOMAIN, 0);
    expect(made.type === 'challenge' && made.challenges[0]?.includes('stale')).toBe(false);
  });

  test('that strangers ask for costs no memory, used ones a bounded one', () => {
    const nonces = new DigestNonces({ lifeMs: 5000, capacity: 3 });
    const issued = Array.from({ length: 2000 }, (_, index) => nonces.issue(index));
    expect(nonces.counted).toBe(0);
    const used = issued.slice(1990).filter((nonce) => nonces.count(nonce, 1, 1999));
    expect([used.length, nonces.counted]).toEqual([10, 3]);
    // What was forgotten cannot be used a second time.
    expect(issued.slice(1990).filter((nonce) => nonces.count(nonce, 1, 1999))).toEqual([]);
    expect(nonces.count(issued[1999] ?? '', 2, 1999)).toBe(true);
  });

  test.each(['', 'x', '0'.repeat(52), 'g'.repeat(52), '0'.repeat(10_000)])(
    'that is made up (%#) is foreign',
    (nonce) => {
      expect(new DigestNonces({ lifeMs: 1000 }).judge(nonce, 0)).toBe('foreign');
    },
  );
});
