/**
 * The devices that have registered through us: what stands in their place at the registrar, and where they are.
 *
 *   REGISTER, Contact alice@phone      ->  REGISTER, Contact TOKEN@sbc      the token is the same at each refresh
 *   200, Contact TOKEN@sbc;expires=n   ->  200, Contact alice@phone         the binding counts from now on
 *   INVITE TOKEN@sbc                   ->  INVITE alice@phone, to where the REGISTER came from
 *
 * Time is an argument. A REGISTER changes nothing before the registrar has accepted it: nobody moves somebody else's calls.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { PeerSource } from '../../sip/sip-connection.ts';
import { formatHostPort } from '../../wire/sip-uri.ts';

export interface Binding {
  /** Address of record as the device named it. */
  readonly aor: string;
  /** URI in the Contact of the device. */
  readonly contact: string;
  /** Interface on which the device is. */
  readonly interfaceName: string;
  /** Where its REGISTER came from, which NAT may make another place than its Contact. */
  readonly source: PeerSource;
  /** Interface from which the registrar was reached, and on which alone the token counts. */
  readonly registrarInterface: string;
  readonly expiresAtMs: number;
}

const DEFAULT_CAPACITY = 20_000;
const TOKEN_LENGTH = 24;

export class Registrations {
  readonly #byToken = new Map<string, Binding>();
  /** Tokens by interface and source. */
  readonly #byPlace = new Map<string, Set<string>>();
  readonly #key = randomBytes(32);
  readonly #capacity: number;

  constructor(capacity = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byToken.size;
  }

  /** The user part that stands for a Contact: always the same for the same one, unknown to whoever is not shown it. */
  tokenOf(binding: Pick<Binding, 'aor' | 'contact' | 'interfaceName'>): string {
    const { aor, contact, interfaceName } = binding;
    const text = JSON.stringify([interfaceName, aor, contact]);
    return createHmac('sha256', this.#key).update(text).digest('hex').slice(0, TOKEN_LENGTH);
  }

  /** Whether one more binding would find room; those that are over make some. */
  hasRoom(nowMs: number): boolean {
    if (this.#byToken.size < this.#capacity) return true;
    for (const [token, { expiresAtMs }] of this.#byToken) {
      if (expiresAtMs <= nowMs) this.delete(token);
    }
    return this.#byToken.size < this.#capacity;
  }

  /** The registrar has accepted it. */
  set(binding: Binding): void {
    const token = this.tokenOf(binding);
    if (!this.#byToken.has(token) && this.#byToken.size >= this.#capacity) return;
    this.delete(token);
    this.#byToken.set(token, binding);
    const place = placeOf(binding);
    this.#byPlace.set(place, (this.#byPlace.get(place) ?? new Set()).add(token));
  }

  delete(token: string): void {
    const binding = this.#byToken.get(token);
    if (binding === undefined) return;
    this.#byToken.delete(token);
    const place = placeOf(binding);
    const tokens = this.#byPlace.get(place);
    tokens?.delete(token);
    if (tokens?.size === 0) this.#byPlace.delete(place);
  }

  /** The addresses of record that are registered now from `remote` (`host:port`) by way of an interface. */
  aorsAt(interfaceName: string, remote: string, nowMs: number): string[] {
    const tokens = this.#byPlace.get(`${interfaceName} ${remote}`) ?? [];
    return [...tokens].flatMap((token) => {
      const binding = this.#byToken.get(token);
      return binding !== undefined && binding.expiresAtMs > nowMs ? [binding.aor] : [];
    });
  }

  /** The device has taken back all its Contacts at once. */
  deleteAll(aor: string, interfaceName: string): void {
    for (const [token, binding] of this.#byToken) {
      if (binding.aor === aor && binding.interfaceName === interfaceName) this.delete(token);
    }
  }

  /** Who is meant by a user part in a request that came on `onInterface`. */
  find(user: string | undefined, onInterface: string, nowMs: number): Binding | undefined {
    const binding = user === undefined ? undefined : this.#byToken.get(user);
    if (binding === undefined || binding.expiresAtMs <= nowMs) return undefined;
    return binding.registrarInterface === onInterface ? binding : undefined;
  }
}

function placeOf({ interfaceName, source }: Binding): string {
  return `${interfaceName} ${formatHostPort(source.address, source.port)}`;
}
