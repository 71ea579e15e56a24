/**
 * Our answers to the challenges of one session agent (RFC 3261 §22.2, RFC 8760).
 *
 * The hash of a password is a present to whoever may guess passwords: only challenges that come from an address of the
 * agent itself, and for its realm if that is configured, are answered, and nothing is sent to anybody else.
 */
import {
  type DigestChallenge,
  type DigestHash,
  digestKey,
  digestResponse,
  formatAnswer,
  parseChallenges,
  readAlgorithm,
} from '../wire/digest.ts';
import { getHeaders, type SipResponse } from '../wire/sip-message.ts';
import { digestHash, newClientNonce } from './digest-hash.ts';
import type { PeerSource, SipHeaders } from './sip-connection.ts';

export interface DigestCredentials {
  readonly username: string;
  readonly password: string;
  /** `undefined`: whatever realm the agent names. */
  readonly realm: string | undefined;
}

/** What the answer is computed over. */
export interface DigestRequest {
  readonly method: string;
  /** Request-URI as on the wire. */
  readonly uri: string;
  readonly body: Uint8Array;
}

/** Status, header of the challenge and header of the answer (RFC 3261 §20.27, §20.44). */
const KINDS: readonly ChallengeKind[] = [
  { status: 401, challenge: 'WWW-Authenticate', answer: 'Authorization' },
  { status: 407, challenge: 'Proxy-Authenticate', answer: 'Proxy-Authorization' },
];

interface ChallengeKind {
  readonly status: number;
  readonly challenge: 'WWW-Authenticate' | 'Proxy-Authenticate';
  readonly answer: 'Authorization' | 'Proxy-Authorization';
}

/** A challenge whose nonce may be used again, and how often it was. */
interface Held {
  readonly challenge: DigestChallenge;
  nonceCount: number;
}

/** A server that asks and asks again is not to keep a call in the air. */
const MAX_ANSWERS = 3;

/** Whether a final answer asks for credentials. */
export function isChallenge(status: number): boolean {
  return status === 401 || status === 407;
}

/** The credentials for one agent and the nonces it has given out, shared by all requests to it. */
export class DigestClient {
  readonly #credentials: DigestCredentials;
  readonly #isAgent: (source: PeerSource) => boolean;
  /** The last challenge of each kind; later requests answer it before they are asked (RFC 3261 §22.1). */
  readonly #held = new Map<ChallengeKind['answer'], Held>();
  /** H(username:realm:password) of the realm and hash used last. */
  #key: { readonly of: string; readonly text: string } | undefined;

  constructor(credentials: DigestCredentials, isAgent: (source: PeerSource) => boolean) {
    this.#credentials = credentials;
    this.#isAgent = isAgent;
  }

  /** Whether `source` is the agent. */
  isAgent(source: PeerSource): boolean {
    return this.#isAgent(source);
  }

  /** The answers to the challenges that are held, each nonce counted once more. */
  authorize(request: DigestRequest): SipHeaders {
    const headers: SipHeaders = {};
    for (const [name, held] of this.#held) {
      held.nonceCount += 1;
      headers[name] = this.#answer(held, request);
    }
    return headers;
  }

  /** Takes up the challenge in a 401 or 407; `undefined` when there is none that we may or can answer. */
  take(response: SipResponse): DigestChallenge | undefined {
    const kind = KINDS.find(({ status }) => status === response.status);
    if (kind === undefined) return undefined;
    const { realm } = this.#credentials;
    const challenge = parseChallenges(getHeaders(response, kind.challenge)).find(
      (each) => realm === undefined || each.realm === realm,
    );
    if (challenge !== undefined) this.#held.set(kind.answer, { challenge, nonceCount: 0 });
    return challenge;
  }

  /** The credentials were refused: nothing is answered before it is asked any more. */
  forget(): void {
    this.#held.clear();
  }

  #answer({ challenge, nonceCount }: Held, { method, uri, body }: DigestRequest): string {
    const { realm, nonce, opaque, algorithm, qop } = challenge;
    const { username } = this.#credentials;
    const cnonce = newClientNonce();
    const protection = qop === undefined ? undefined : { qop, cnonce, nonceCount };
    const answer = { username, realm, nonce, uri, algorithm, opaque, protection };
    const key = this.#keyFor(readAlgorithm(algorithm)?.hash ?? 'MD5', realm);
    const response = digestResponse(digestHash, key, answer, { method, body }) ?? '';
    return formatAnswer({ ...answer, response });
  }

  #keyFor(hash: DigestHash, realm: string): string {
    const of = `${hash} ${realm}`;
    if (this.#key?.of !== of) {
      const { username, password } = this.#credentials;
      this.#key = { of, text: digestKey(digestHash, hash, { username, realm, password }) };
    }
    return this.#key.text;
  }
}

/**
 * The challenges to one request, until it is accepted or there is no use in going on.
 *
 *   401 of a realm, first time        answered
 *   401 of the same realm again       only with stale=true and a new nonce, once
 *   more than three in all            never
 */
export class DigestExchange {
  readonly #client: DigestClient;
  readonly #answered = new Map<string, { readonly nonce: string; readonly isRepeated: boolean }>();
  #answers = 0;

  constructor(client: DigestClient) {
    this.#client = client;
  }

  /** The credentials to send the request with once more; `undefined` when the challenge is its final answer. */
  next(
    response: SipResponse,
    source: PeerSource | undefined,
    request: DigestRequest,
  ): SipHeaders | undefined {
    if (source === undefined || !this.#client.isAgent(source)) return undefined;
    if (this.#answers >= MAX_ANSWERS) return undefined;
    const challenge = this.#client.take(response);
    if (challenge === undefined) return undefined;
    const key = `${response.status} ${challenge.realm}`;
    const before = this.#answered.get(key);
    const isNewNonce = challenge.isStale && challenge.nonce !== before?.nonce;
    if (before !== undefined && (before.isRepeated || !isNewNonce)) {
      this.#client.forget();
      return undefined;
    }
    this.#answers += 1;
    this.#answered.set(key, { nonce: challenge.nonce, isRepeated: before !== undefined });
    return this.#client.authorize(request);
  }
}
