/**
 * Which agent the text of another element means: `gw.example.com`, `192.0.2.1`, `192.0.2.1:5060`.
 *
 * The agent of that host name goes before one that has the text as its address, and one at that port before one at
 * another. No port and the usual port of SIP are the same.
 */
import { parseHostPort } from '../address.ts';
import { NameMap } from './acme-names.ts';

export interface AgentTexts {
  readonly hostname: string;
  /** '' where it has none besides the host name. */
  readonly address: string;
  /** `undefined`: the usual one; 0: DNS names it. */
  readonly port: number | undefined;
  readonly isTls: boolean;
}

const USUAL_PORT = 5060;
const USUAL_TLS_PORT = 5061;
const ANYWHERE = '';

export class AgentIndex<T> {
  readonly #byName = new NameMap<T>();
  readonly #byPlace = new NameMap<T>();
  readonly #byHost = new NameMap<T>();

  /** `realm`: its name here. The first agent of a text stays. */
  add(realm: string, { hostname, address, port, isTls }: AgentTexts, agent: T): void {
    for (const scope of [realm, ANYWHERE]) {
      if (hostname !== '') this.#byName.add(`${scope} ${hostname}`, agent);
      for (const text of [hostname, address]) {
        const where = parseHostPort(text);
        if (where === undefined) continue;
        const at = port ?? where.port ?? (isTls ? USUAL_TLS_PORT : USUAL_PORT);
        this.#byHost.add(`${scope} ${where.host}`, agent);
        if (at !== 0) this.#byPlace.add(`${scope} ${where.host} ${at}`, agent);
      }
    }
  }

  /** The one in `realm`; where that has none, or is not given, the one anywhere. */
  find(text: string, realm?: string): T | undefined {
    const there = realm === undefined ? undefined : this.#in(realm, text);
    return there ?? this.#in(ANYWHERE, text);
  }

  #in(scope: string, text: string): T | undefined {
    const named = this.#byName.get(`${scope} ${text}`);
    const where = named === undefined ? parseHostPort(text) : undefined;
    if (where === undefined) return named;
    const { host, port } = where;
    const placed = this.#byPlace.get(`${scope} ${host} ${port ?? USUAL_PORT}`);
    return placed ?? (port === undefined ? this.#byHost.get(`${scope} ${host}`) : undefined);
  }
}
