import type { AgentAuth, SessionAgent } from '../config/config.ts';
import { DigestClient } from '../sip/digest-client.ts';
import type { PeerSource } from '../sip/sip-connection.ts';

interface Known {
  readonly auth: AgentAuth;
  readonly client: DigestClient;
}

/** What answers the challenges of each session agent with `auth`: one for all calls and OPTIONS, as they share nonces. */
export class AgentCredentials {
  readonly #isAddressOf: (agentName: string, source: PeerSource) => boolean;
  readonly #known = new Map<string, Known>();

  constructor(isAddressOf: (agentName: string, source: PeerSource) => boolean) {
    this.#isAddressOf = isAddressOf;
  }

  /** `undefined` for an agent without `auth`. A call keeps the client it has got, whatever a reload says. */
  digestOf({ name, auth }: SessionAgent): DigestClient | undefined {
    if (auth === undefined) {
      this.#known.delete(name);
      return undefined;
    }
    const known = this.#known.get(name);
    if (known !== undefined && isSameAuth(known.auth, auth)) return known.client;
    const client = new DigestClient(auth, (source) => this.#isAddressOf(name, source));
    this.#known.set(name, { auth, client });
    return client;
  }
}

function isSameAuth(known: AgentAuth, wanted: AgentAuth): boolean {
  return (
    known.username === wanted.username &&
    known.password === wanted.password &&
    known.realm === wanted.realm
  );
}
