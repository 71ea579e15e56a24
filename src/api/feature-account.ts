/** Which account a path, a query or an argument names. */
import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { Presentity } from '../feature-keys/feature-state.ts';
import { DomainTable, plainUserOf } from '../feature-keys/presentity.ts';
import { parseSipUri } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';

export type AccountName =
  | { readonly type: 'account'; readonly presentity: Presentity }
  | { readonly type: 'malformed'; readonly message: string }
  | { readonly type: 'foreign'; readonly message: string };

/** Longer ones are no address that a phone could have. */
const MAX_LENGTH = 256;
const OTHER_SCHEME = /^(?!sips?:)[a-z][a-z0-9+.-]*:/i;

/** Reads `user@domain`, `sip:user@domain`, or a bare user where there is one domain only. */
export function readAccount(text: string, domains: FeatureKeysConfig['domains']): AccountName {
  if (text.length > MAX_LENGTH) return malformed(`longer than ${MAX_LENGTH} characters`);
  if (OTHER_SCHEME.test(text)) return malformed('the account is no SIP address');
  const address = text.replace(/^sips?:/i, '');
  const [only, ...others] = Object.keys(domains);
  const isBare = !address.includes('@');
  if (isBare && (only === undefined || others.length > 0)) {
    return malformed('the account is no SIP address: a bare user needs exactly one domain');
  }
  const uri = `sip:${isBare ? `${address}@${only}` : address}`;
  const host = hostOf(uri);
  const user = plainUserOf(uri);
  if (host === undefined) return malformed('the account is no SIP address');
  if (user === undefined) return malformed('the account has no user part that could be one');
  const domain = tableOf(domains).domainOf(host);
  if (domain === undefined) {
    return { type: 'foreign', message: 'the domain is none of feature-keys.domains' };
  }
  return { type: 'account', presentity: `sip:${user}@${domain}` };
}

/** Made once for each configuration. */
const tables = new WeakMap<FeatureKeysConfig['domains'], DomainTable>();

function tableOf(domains: FeatureKeysConfig['domains']): DomainTable {
  const table = tables.get(domains) ?? new DomainTable(domains);
  tables.set(domains, table);
  return table;
}

function hostOf(uri: string): string | undefined {
  try {
    return parseSipUri(uri).host;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function malformed(message: string): AccountName {
  return { type: 'malformed', message };
}
