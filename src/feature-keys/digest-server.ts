/**
 * Asks phones for digest credentials and judges them (RFC 3261 §22, RFC 7616, RFC 8760).
 *
 *   no credentials, wrong ones        401 with one challenge per algorithm
 *   right ones with an old nonce,
 *   or with a count that did not grow 401 with stale=true: the phone tries again by itself
 *   what cannot be read, or was made
 *   for the URI of another user       400
 */
import type { FeatureKeysConfig, FeatureUser } from '../config/feature-keys-config.ts';
import { digestHash } from '../sip/digest-hash.ts';
import {
  type DigestAnswer,
  type DigestHash,
  digestKey,
  formatChallenge,
  isDigestRight,
  parseAnswer,
  readAlgorithm,
} from '../wire/digest.ts';
import { getHeaders, type SipRequest } from '../wire/sip-message.ts';
import { DigestNonces } from './digest-nonces.ts';
import { plainUserOf } from './presentity.ts';

export type DigestVerdict =
  | { readonly type: 'user'; readonly username: string; readonly accounts: readonly string[] }
  /** The values of WWW-Authenticate, one field each. */
  | { readonly type: 'challenge'; readonly challenges: readonly string[] }
  | { readonly type: 'malformed' };

type DigestUser = Extract<DigestVerdict, { type: 'user' }>;

/** What is wrong with credentials. */
type Flaw = 'wrong' | 'stale' | 'other-uri';

type DigestConfig = Pick<FeatureKeysConfig, 'realm' | 'algorithms' | 'nonceMs' | 'users'>;

/** Lengths of hexadecimal keys by hash. */
const KEY_DIGITS: Readonly<Record<DigestHash, number>> = {
  MD5: 32,
  'SHA-256': 64,
  'SHA-512-256': 64,
};
const MAX_CREDENTIALS = 4;
/** Key of nobody: an unknown user costs the same time as a wrong password. */
const NO_KEY = '0'.repeat(32);

export class DigestServer {
  readonly #nonces: DigestNonces;
  #config: DigestConfig;
  #users: ReadonlyMap<string, FeatureUser>;

  constructor(config: DigestConfig) {
    this.#config = config;
    this.#users = new Map(Object.entries(config.users));
    this.#nonces = new DigestNonces({ lifeMs: config.nonceMs });
  }

  /** Nonces given out before stay good. */
  reconfigure(config: DigestConfig): void {
    this.#config = config;
    this.#users = new Map(Object.entries(config.users));
    this.#nonces.setLife(config.nonceMs);
  }

  /**
   * Who sent `request`.
   *
   * @param domain realm where the configuration names none.
   */
  judge(request: SipRequest, domain: string, nowMs: number): DigestVerdict {
    const realm = this.#config.realm ?? domain;
    const credentials = credentialsIn(request, realm);
    if (credentials === 'malformed') return { type: 'malformed' };
    // A phone may send old credentials along with new ones, or those of several lines.
    const flaws = new Set<Flaw>();
    for (const answer of credentials) {
      const found = this.#try(answer, request, nowMs);
      if (typeof found !== 'string') return found;
      flaws.add(found);
    }
    if (flaws.has('other-uri')) return { type: 'malformed' };
    return this.#challenge(realm, flaws.has('stale'), nowMs);
  }

  #try(answer: DigestAnswer, request: SipRequest, nowMs: number): DigestUser | Flaw {
    const use = this.#nonces.judge(answer.nonce, nowMs);
    const user = use === 'foreign' ? undefined : this.#userBehind(answer, request);
    if (user === undefined) return 'wrong';
    if (namesAnotherUser(answer.uri, request.uri)) return 'other-uri';
    // Credentials in the manner of RFC 2069 have no count: good for one request.
    const nonceCount = answer.protection?.nonceCount ?? 1;
    const isNew = use === 'fresh' && this.#nonces.count(answer.nonce, nonceCount, nowMs);
    return isNew ? user : 'stale';
  }

  /** The user whose password made the credentials of `request`, whatever nonce they were made for. */
  proven(request: SipRequest, domain: string): DigestUser | undefined {
    const credentials = credentialsIn(request, this.#config.realm ?? domain);
    if (credentials === 'malformed') return undefined;
    for (const answer of credentials) {
      const user = this.#userBehind(answer, request);
      if (user !== undefined) return user;
    }
    return undefined;
  }

  #userBehind(answer: DigestAnswer, { method, body }: SipRequest): DigestUser | undefined {
    const algorithm = readAlgorithm(answer.algorithm);
    const isOffered = this.#config.algorithms.some((offered) => offered === algorithm?.hash);
    if (algorithm === undefined || algorithm.isSession || !isOffered) return undefined;
    const name = this.#nameOf(answer.username);
    const user = name === undefined ? undefined : this.#users.get(name);
    const key = user === undefined ? undefined : keyOf(user, answer, algorithm.hash);
    const isRight = isDigestRight(digestHash, key ?? NO_KEY, answer, { method, body });
    if (!isRight || key === undefined || name === undefined || user === undefined) return undefined;
    const username = withoutDomain(name);
    return {
      type: 'user',
      username,
      accounts: user.accounts.length === 0 ? [username] : user.accounts,
    };
  }

  /** Users may stand in the configuration with their domain. */
  #nameOf(username: string): string | undefined {
    return [username, withoutDomain(username)].find((name) => this.#users.has(name));
  }

  #challenge(realm: string, isStale: boolean, nowMs: number): DigestVerdict {
    const nonce = this.#nonces.issue(nowMs);
    const challenges = this.#config.algorithms.map((algorithm) =>
      formatChallenge({ realm, nonce, opaque: undefined, algorithm, qop: 'auth', isStale }),
    );
    return { type: 'challenge', challenges };
  }
}

function keyOf(user: FeatureUser, answer: DigestAnswer, hash: DigestHash): string | undefined {
  const { password, ha1 } = user;
  if (password === undefined) {
    return ha1?.length === KEY_DIGITS[hash] ? ha1.toLowerCase() : undefined;
  }
  const { username, realm } = answer;
  return digestKey(digestHash, hash, { username, realm, password });
}

/** Those for `realm`; credentials for others along the way are none of our business. */
function credentialsIn(request: SipRequest, realm: string): readonly DigestAnswer[] | 'malformed' {
  const values = getHeaders(request, 'Authorization').filter((value) =>
    /^[ \t]*digest(?:[ \t]|$)/i.test(value),
  );
  if (values.length > MAX_CREDENTIALS) return 'malformed';
  const answers = values.map(parseAnswer);
  const ours = answers.filter((answer): answer is DigestAnswer => answer?.realm === realm);
  return ours.length === 0 && answers.includes(undefined) ? 'malformed' : ours;
}

/** Hosts are left out: proxies write them anew, and inside a dialog the request-URI is our Contact. */
function namesAnotherUser(digestUri: string, requestUri: string): boolean {
  const named = plainUserOf(digestUri);
  const asked = plainUserOf(requestUri);
  return named !== undefined && asked !== undefined && named !== asked;
}

function withoutDomain(name: string): string {
  const at = name.indexOf('@');
  return at <= 0 ? name : name.slice(0, at);
}
