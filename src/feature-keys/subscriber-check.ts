import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import { parseSipUri } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';
import { DigestServer } from './digest-server.ts';
import type { FeatureSettings } from './feature-settings.ts';
import { assertedUser } from './identity.ts';
import type { Identity } from './subscribe-ladder.ts';

/** Finds out who sends a SUBSCRIBE: by digest, or by the word of a trusted network. */
export class SubscriberCheck {
  readonly #digest: DigestServer;
  readonly #nowMs: () => number;

  constructor(config: FeatureKeysConfig, nowMs: () => number) {
    this.#digest = new DigestServer(config);
    this.#nowMs = nowMs;
  }

  reconfigure(config: FeatureKeysConfig): void {
    this.#digest.reconfigure(config);
  }

  /** @param domain of the dialog it came in; `undefined`: that of its request-URI. */
  identify(
    { message, source }: ReceivedRequest,
    domain: string | undefined,
    settings: FeatureSettings,
  ): Identity {
    const realm = domain ?? realmOf(message.uri, settings);
    if (settings.isAuthenticated && !settings.trusted.has(source.address)) {
      const verdict = this.#digest.judge(message, realm, this.#nowMs());
      if (verdict.type !== 'user') return verdict;
      return { type: 'user', actor: verdict.username, accounts: verdict.accounts };
    }
    // A password that was proven says more than a From that anybody can write.
    const isAsserted = message.headers.some(({ name }) => /^p-asserted-identity$/i.test(name));
    const proven = isAsserted ? undefined : this.#digest.proven(message, realm);
    if (proven !== undefined) {
      return { type: 'user', actor: proven.username, accounts: proven.accounts };
    }
    const user = assertedUser(message);
    return user === undefined
      ? { type: 'nobody' }
      : { type: 'user', actor: user, accounts: [user] };
  }
}

/** A foreign host is asked for credentials as well: it is refused behind the digest. */
function realmOf(uri: string, { domains }: FeatureSettings): string {
  try {
    const { host } = parseSipUri(uri);
    return domains.domainOf(host) ?? host;
  } catch (error) {
    if (error instanceof WireError) return 'localhost';
    throw error;
  }
}
