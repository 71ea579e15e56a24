/**
 * Digest authentication in SIP, both sides (RFC 3261 §22, RFC 7616, RFC 8760).
 *
 *   challenge      WWW-Authenticate, Proxy-Authenticate     Digest realm="…", nonce="…", qop="auth"
 *   credentials    Authorization, Proxy-Authorization       Digest username="…", …, response="…"
 *
 * The hash function is an argument. Values are held without quotes and escapes, and hashed so.
 */
import { splitHeaderList } from './sip-headers.ts';
import { isToken, quote, trimSpace, unquote } from './sip-text.ts';

export type DigestHash = 'MD5' | 'SHA-256' | 'SHA-512-256';
export type DigestQop = 'auth' | 'auth-int';

/** The hash of the bytes, or of the UTF-8 form of a text, in lower-case hexadecimal. */
export type HashFunction = (hash: DigestHash, data: string | Uint8Array) => string;

/** An algorithm name: `MD5`, `SHA-256-sess` … */
export interface DigestAlgorithm {
  readonly hash: DigestHash;
  /** The nonces go into the key (RFC 7616 §3.4.2). */
  readonly isSession: boolean;
}

export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As it was written; `undefined` means MD5. */
  readonly algorithm: string | undefined;
  /** What of it we can do, `auth` first; `undefined` when there is no qop. */
  readonly qop: DigestQop | undefined;
  /** The nonce was too old, the password may be right. */
  readonly isStale: boolean;
}

export interface DigestAnswer {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hexadecimal. */
  readonly response: string;
  readonly algorithm: string | undefined;
  readonly opaque: string | undefined;
  /** Absent in the manner of RFC 2069. */
  readonly protection: DigestProtection | undefined;
}

export interface DigestProtection {
  readonly qop: DigestQop;
  readonly cnonce: string;
  /** How often the nonce was used, 1 for the first time. */
  readonly nonceCount: number;
  /** As it was written, which is what is hashed, when it has capitals. */
  readonly nonceCountText?: string;
}

/** What the response is computed over beside the credentials. */
export interface DigestSubject {
  readonly method: string;
  /** Counts with qop `auth-int` only. */
  readonly body: Uint8Array;
}

/** More challenges than a chain of proxies has. */
const MAX_CHALLENGES = 8;
const MAX_NONCE_COUNT = 0xffff_ffff;
const HASHES: readonly DigestHash[] = ['MD5', 'SHA-256', 'SHA-512-256'];

/** Reads an algorithm name in any letter case, `undefined` as MD5; nothing for one that is not known. */
export function readAlgorithm(name: string | undefined): DigestAlgorithm | undefined {
  const text = (name ?? 'MD5').toUpperCase();
  const isSession = text.endsWith('-SESS');
  const hash = HASHES.find((known) => known === (isSession ? text.slice(0, -5) : text));
  return hash === undefined ? undefined : { hash, isSession };
}

/**
 * The Digest challenges in the values of one header, in their order: several may stand in one value. Those that cannot
 * be read or met (another scheme, hash or qop) are left out.
 */
export function parseChallenges(values: readonly string[]): DigestChallenge[] {
  return values
    .flatMap(digestParameters)
    .flatMap((parameters) => challengeOf(parameters) ?? [])
    .slice(0, MAX_CHALLENGES);
}

export function formatChallenge(challenge: DigestChallenge): string {
  const { realm, nonce, opaque, algorithm, qop, isStale } = challenge;
  const parts = [`realm=${quote(realm)}`, `nonce=${quote(nonce)}`];
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
  if (isStale) parts.push('stale=true');
  if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`);
  if (qop !== undefined) parts.push(`qop=${quote(qop)}`);
  return `Digest ${parts.join(', ')}`;
}

/** Reads the credentials in the value of one header; `undefined` for what is no complete Digest answer. */
export function parseAnswer(value: string): DigestAnswer | undefined {
  const [parameters] = digestParameters(value);
  if (parameters === undefined) return undefined;
  const username = parameters.get('username');
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const uri = parameters.get('uri');
  const response = parameters.get('response')?.toLowerCase();
  if (username === undefined || realm === undefined || nonce === undefined) return undefined;
  if (uri === undefined || response === undefined) return undefined;
  const protection = readProtection(parameters);
  if (protection === 'unreadable') return undefined;
  return {
    username,
    realm,
    nonce,
    uri,
    response,
    algorithm: parameters.get('algorithm'),
    opaque: parameters.get('opaque'),
    protection,
  };
}

export function formatAnswer(answer: DigestAnswer): string {
  const { username, realm, nonce, uri, response, algorithm, opaque, protection } = answer;
  const parts = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response=${quote(response)}`,
  ];
  if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`);
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
  if (protection !== undefined) {
    const { qop, cnonce } = protection;
    parts.push(`qop=${qop}`, `cnonce=${quote(cnonce)}`, `nc=${nonceCountText(protection)}`);
  }
  return `Digest ${parts.join(', ')}`;
}

/** H(username:realm:password), which a server may keep in place of the password. */
export function digestKey(
  hash: HashFunction,
  algorithm: DigestHash,
  user: { readonly username: string; readonly realm: string; readonly password: string },
): string {
  return hash(algorithm, `${user.username}:${user.realm}:${user.password}`);
}

/**
 * The response that belongs to the other fields of `answer` (RFC 7616 §3.4.1).
 *
 * @param key of {@link digestKey}, made with the hash of the answer's algorithm.
 * @returns `undefined` for an algorithm that is not known, or one with `-sess` without cnonce.
 */
export function digestResponse(
  hash: HashFunction,
  key: string,
  answer: Omit<DigestAnswer, 'response'>,
  { method, body }: DigestSubject,
): string | undefined {
  const algorithm = readAlgorithm(answer.algorithm);
  if (algorithm === undefined) return undefined;
  const { nonce, uri, protection } = answer;
  const h = (text: string): string => hash(algorithm.hash, text);
  if (algorithm.isSession && protection === undefined) return undefined;
  const a1 = algorithm.isSession ? h(`${key}:${nonce}:${protection?.cnonce}`) : key;
  const bodyHash = protection?.qop === 'auth-int' ? `:${hash(algorithm.hash, body)}` : '';
  const a2 = h(`${method}:${uri}${bodyHash}`);
  if (protection === undefined) return h(`${a1}:${nonce}:${a2}`);
  const { qop, cnonce } = protection;
  return h(`${a1}:${nonce}:${nonceCountText(protection)}:${cnonce}:${qop}:${a2}`);
}

/** Whether the response in `answer` is the one that `key` gives; takes the same time wherever the two differ. */
export function isDigestRight(
  hash: HashFunction,
  key: string,
  answer: DigestAnswer,
  subject: DigestSubject,
): boolean {
  const expected = digestResponse(hash, key, answer, subject);
  if (expected === undefined || expected.length !== answer.response.length) return false;
  let difference = 0;
  for (let at = 0; at < expected.length; at += 1) {
    difference |= expected.charCodeAt(at) ^ answer.response.charCodeAt(at);
  }
  return difference === 0;
}

type Parameters = ReadonlyMap<string, string>;

/** The parameters of each Digest challenge, or of the one set of credentials, in a header value. */
function digestParameters(value: string): Parameters[] {
  const found: Parameters[] = [];
  let current: Map<string, string> | undefined;
  for (const element of elementsOf(value)) {
    // `Digest realm="…"` opens a challenge, the elements behind it without scheme belong to it.
    const opening = /^([^\s=",]+)[ \t]+(?=[^\s=])/.exec(element);
    if (opening !== null) {
      current = opening[1]?.toLowerCase() === 'digest' ? new Map() : undefined;
      if (current !== undefined) found.push(current);
    }
    if (current !== undefined) addParameter(current, element.slice(opening?.[0].length ?? 0));
  }
  return found;
}

function elementsOf(value: string): string[] {
  try {
    return splitHeaderList(value);
  } catch {
    return [];
  }
}

/** Of a repeated parameter the first one counts. */
function addParameter(parameters: Map<string, string>, text: string): void {
  const equals = text.indexOf('=');
  const name = trimSpace(text.slice(0, Math.max(equals, 0))).toLowerCase();
  if (!isToken(name) || parameters.has(name)) return;
  const value = trimSpace(text.slice(equals + 1));
  parameters.set(name, /^"[\s\S]*"$/.test(value) ? unquote(value) : value);
}

function challengeOf(parameters: Parameters): DigestChallenge | undefined {
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  const algorithm = parameters.get('algorithm');
  const known = readAlgorithm(algorithm);
  if (realm === undefined || nonce === undefined || known === undefined) return undefined;
  const qop = chooseQop(parameters.get('qop'));
  // Without cnonce there is no session key.
  if (qop === 'none of ours' || (known.isSession && qop === undefined)) return undefined;
  return {
    realm,
    nonce,
    opaque: parameters.get('opaque'),
    algorithm,
    qop,
    isStale: parameters.get('stale')?.toLowerCase() === 'true',
  };
}

function chooseQop(list: string | undefined): DigestQop | undefined | 'none of ours' {
  if (list === undefined || trimSpace(list) === '') return undefined;
  const offered = list.split(',').map((item) => trimSpace(item).toLowerCase());
  if (offered.includes('auth')) return 'auth';
  return offered.includes('auth-int') ? 'auth-int' : 'none of ours';
}

function readProtection(parameters: Parameters): DigestProtection | undefined | 'unreadable' {
  const qop = parameters.get('qop')?.toLowerCase();
  if (qop === undefined) return undefined;
  const cnonce = parameters.get('cnonce');
  const count = parameters.get('nc') ?? '';
  if (qop !== 'auth' && qop !== 'auth-int') return 'unreadable';
  if (cnonce === undefined || !/^[0-9A-Fa-f]{8}$/.test(count)) return 'unreadable';
  const protection = { qop, cnonce, nonceCount: Number.parseInt(count, 16) } as const;
  return /[A-F]/.test(count) ? { ...protection, nonceCountText: count } : protection;
}

function nonceCountText({ nonceCount, nonceCountText: written }: DigestProtection): string {
  return written ?? Math.min(nonceCount, MAX_NONCE_COUNT).toString(16).padStart(8, '0');
}
