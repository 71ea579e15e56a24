/** Whose feature keys a SUBSCRIBE is about. */

import { plainUser, telUser } from '../trunk/numbering.ts';
import { parseSipUri, type SipUri, uriScheme } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Presentity } from './feature-state.ts';

/** An address of record with its parts. */
export interface FeatureAccount {
  readonly presentity: Presentity;
  /** Unescaped; counts by letter case. */
  readonly user: string;
  /** One of the own domains, in lower case. */
  readonly domain: string;
}

export type AccountResult =
  | { readonly type: 'account'; readonly account: FeatureAccount }
  /** No SIP URI: 416; nobody of ours: 404. */
  | { readonly type: 'refused'; readonly status: 404 | 416 };

/** What would make an address of record read as another one. */
const UNUSABLE_USER = /[\s\p{Cc}@<>"\u{fffd}]/u;
const MAX_USER_LENGTH = 256;

/** The own domains under all their names. */
export class DomainTable {
  readonly #canonical = new Map<string, string>();

  /** @param domains further names and addresses by domain. */
  constructor(domains: Readonly<Record<string, readonly string[]>>) {
    for (const [domain, names] of Object.entries(domains)) {
      const own = hostKey(domain);
      this.#canonical.set(own, own);
      for (const name of names) this.#canonical.set(hostKey(name), own);
    }
  }

  /** The domain that comes first in the configuration. */
  get first(): string | undefined {
    return this.#canonical.values().next().value;
  }

  /** The domain that `host` stands for; `undefined` for a foreign one. */
  domainOf(host: string): string | undefined {
    return this.#canonical.get(hostKey(host));
  }
}

/**
 * The account a first SUBSCRIBE names.
 *
 * @param fromUri where the user comes from when the request-URI has none.
 */
export function accountOf(
  requestUri: string,
  fromUri: string | undefined,
  domains: DomainTable,
): AccountResult {
  const scheme = uriScheme(requestUri);
  const uri = readUri(requestUri);
  if (scheme !== 'sip' && scheme !== 'sips') return { type: 'refused', status: 416 };
  const domain = uri === undefined ? undefined : domains.domainOf(uri.host);
  const user = uri?.user ?? (fromUri === undefined ? undefined : readUri(fromUri)?.user);
  const plain = user === undefined ? undefined : unescapeUser(user);
  if (domain === undefined || plain === undefined) return { type: 'refused', status: 404 };
  return {
    type: 'account',
    account: { presentity: `sip:${plain}@${domain}`, user: plain, domain },
  };
}

/**
 * The account that a call to `uri` is for: the user as routing reads it, without parameters (`;npdi`, `;isub=1`) and a
 * number without separators, in the domain of the URI. A tel URI names no host: its `phone-context` counts if that is one of
 * the own domains, else the first domain of the configuration.
 *
 * @returns `undefined` for any other URI.
 */
export function calledAccountOf(uri: string, domains: DomainTable): FeatureAccount | undefined {
  const tel = telUser(uri);
  const parsed = tel === undefined ? readUri(uri) : undefined;
  const user = tel ?? parsed?.user;
  const domain =
    tel === undefined
      ? domains.domainOf(parsed?.host ?? '')
      : (domains.domainOf(contextOf(tel)) ?? domains.first);
  if (user === undefined || domain === undefined) return undefined;
  const isPhone = tel !== undefined || parsed?.parameters.get('user') === 'phone';
  const [called = ''] = plainUser(user, isPhone).split(';', 1);
  const plain = unescapeUser(called);
  return plain === undefined
    ? undefined
    : { presentity: `sip:${plain}@${domain}`, user: plain, domain };
}

function contextOf(telephoneUser: string): string {
  return /;phone-context=([^;]*)/i.exec(telephoneUser)?.[1] ?? '';
}

/** The user part of a SIP URI, unescaped; `undefined` when there is none that could be an account's. */
export function plainUserOf(uri: string): string | undefined {
  const user = readUri(uri)?.user;
  return user === undefined ? undefined : unescapeUser(user);
}

function unescapeUser(user: string): string | undefined {
  if (user.length > MAX_USER_LENGTH * 3) return undefined;
  const plain = decoded(user);
  if (plain === undefined || plain === '' || plain.length > MAX_USER_LENGTH) return undefined;
  return UNUSABLE_USER.test(plain) ? undefined : plain;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that begins no escape, or bytes that are no UTF-8.
    return undefined;
  }
}

function readUri(text: string): SipUri | undefined {
  try {
    return parseSipUri(text);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function hostKey(host: string): string {
  return host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}
