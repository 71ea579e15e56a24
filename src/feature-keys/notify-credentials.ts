import type { NotifyCredentials } from '../config/feature-keys-config.ts';
import { digestHash, newClientNonce } from '../sip/digest-hash.ts';
import type { SentRequest, SipHeaders } from '../sip/sip-connection.ts';
import {
  digestKey,
  digestResponse,
  formatAnswer,
  parseChallenges,
  readAlgorithm,
} from '../wire/digest.ts';
import { getHeaders, type SipResponse } from '../wire/sip-message.ts';

/**
 * The credentials with which a NOTIFY is sent once more after a 401 or 407.
 *
 * @returns `undefined` when there are none for the realm of any challenge.
 */
export function answerChallenge(
  response: SipResponse | undefined,
  sent: SentRequest['message'],
  credentials: ReadonlyMap<string, NotifyCredentials>,
): SipHeaders | undefined {
  if (response === undefined || sent === undefined) return undefined;
  if (response.status !== 401 && response.status !== 407) return undefined;
  const isProxy = response.status === 407;
  const header = isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate';
  for (const challenge of parseChallenges(getHeaders(response, header))) {
    const own = credentials.get(challenge.realm);
    if (own === undefined) continue;
    const { realm, nonce, opaque, algorithm, qop } = challenge;
    const { username, password } = own;
    const protection =
      qop === undefined ? undefined : { qop, cnonce: newClientNonce(), nonceCount: 1 };
    const answer = { username, realm, nonce, uri: sent.uri, algorithm, opaque, protection };
    const hash = readAlgorithm(algorithm)?.hash ?? 'MD5';
    const key = digestKey(digestHash, hash, { username, realm, password });
    const { method, body } = sent;
    const proof = digestResponse(digestHash, key, answer, { method, body });
    if (proof === undefined) continue;
    const name = isProxy ? 'Proxy-Authorization' : 'Authorization';
    return { [name]: formatAnswer({ ...answer, response: proof }) };
  }
  return undefined;
}
