/**
 * Who calls, who answers and who forwarded, as one side of a call tells it to the other (RFC 3323, 3325, 5806, 7044).
 *
 *   from        to          P-Asserted-Identity                      Privacy          Diversion, History-Info, Referred-By
 *   trusted     trusted     crosses                                  crosses          cross
 *   trusted     untrusted   crosses unless `id` or `user` is asked   `none` crosses   vanish
 *   untrusted   trusted     vanishes                                 crosses          vanish
 *   untrusted   untrusted   vanishes                                 `none` crosses   vanish
 *
 * Forwards of our own (forward/forward-chain.ts) are told to everybody, to the untrusted without the names of private accounts.
 *
 * P-Preferred-Identity never crosses; a trusted side that sends no P-Asserted-Identity is taken at its word there.
 * Whatever crosses has our host in place of the other leg's; in Diversion and History-Info other domains stay. `header` and `session` ask for what a B2BUA with anchored
 * media does anyway.
 */
import { numberOf, plainUser } from '../../trunk/numbering.ts';
import {
  formatNameAddr,
  type NameAddr,
  parseNameAddr,
  splitHeaderList,
} from '../../wire/sip-headers.ts';
import { getHeader, getHeaders, type SipHeader } from '../../wire/sip-message.ts';
import { parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';
import { ANONYMOUS_HOST, type LegNames, shows } from './header-topology.ts';

/** The message of the one side, and what has to be known of both. */
export interface IdentitySource {
  readonly headers: readonly SipHeader[];
  readonly isFromTrusted: boolean;
  readonly isToTrusted: boolean;
  /** Names of the leg it comes from. */
  readonly names: LegNames;
  /** Our host on the leg it goes to, as it stands in URIs. */
  readonly ownHost: string;
}

/** Stands for our address and port in P-Asserted-Identity; the SIP engine puts them in. */
const OWN_ADDRESS = 'localhost';

/** As many as fit into a request of sane size. */
const MAX_ENTRIES = 20;

type HistoryField = 'Diversion' | 'History-Info';

/** RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1. */
const PRIVACY_VALUES: ReadonlySet<string> = new Set([
  'none',
  'header',
  'session',
  'user',
  'id',
  'history',
  'critical',
]);

/** The values of Privacy, lower case (RFC 3323 §4.2). */
export function privacyOf(headers: readonly SipHeader[]): ReadonlySet<string> {
  const words = getHeaders({ headers: [...headers] }, 'Privacy').flatMap((value) =>
    value.toLowerCase().split(/[;,\s]+/),
  );
  return new Set(words.filter((word) => word !== ''));
}

/** The identity headers for the other side. */
export function identityHeaders(source: IdentitySource): Record<string, string> {
  const headers: Record<string, string> = {};
  const privacy = privacyOf(source.headers);
  const isWithheld = !source.isToTrusted && (privacy.has('id') || privacy.has('user'));
  if (source.isFromTrusted && !isWithheld) {
    const asserted = assertedIdentities(source).map((address) => formatNameAddr(address));
    if (asserted.length > 0) headers['P-Asserted-Identity'] = asserted.join(', ');
  }
  const asked = [...privacy].filter((word) => PRIVACY_VALUES.has(word));
  // What was asked for is done here; only that nothing was has to be told to others.
  const isTold = source.isToTrusted || asked.every((word) => word === 'none');
  if (asked.length > 0 && isTold) headers['Privacy'] = asked.join(';');
  return headers;
}

/** Diversion and History-Info for the other side, where both sides are trusted. */
export function historyHeaders(source: IdentitySource): Record<string, string> {
  if (!source.isFromTrusted || !source.isToTrusted) return {};
  const headers: Record<string, string> = {};
  for (const name of ['Diversion', 'History-Info'] as const) {
    const entries = addresses(source.headers, name)
      .slice(0, MAX_ENTRIES)
      .flatMap((address) => {
        const entry = rewrittenEntry(address, name, source);
        return entry === undefined ? [] : [formatNameAddr(entry)];
      });
    if (entries.length > 0) headers[name] = entries.join(', ');
  }
  return headers;
}

/** Referred-By for the other side, where both sides are trusted (RFC 3892 §2.1); a signed copy of it stays here. */
export function referrerHeaders(source: IdentitySource): { 'Referred-By'?: string } {
  if (!source.isFromTrusted || !source.isToTrusted) return {};
  const [address] = addresses(source.headers, 'Referred-By');
  const uri = address && rewrittenUri(address.uri, source.ownHost, source.names);
  if (address === undefined || uri === undefined) return {};
  return {
    'Referred-By': formatNameAddr({ ...shown(address, source.names), uri, parameters: NONE }),
  };
}

/**
 * Whether From has to be anonymous for the other side: it asked for `user`, or for `id` while From shows what
 * P-Asserted-Identity withholds. A From that differs from it is what the caller wants to be shown instead.
 */
export function hidesCaller(source: Pick<IdentitySource, 'headers' | 'isToTrusted'>): boolean {
  if (source.isToTrusted) return false;
  const privacy = privacyOf(source.headers);
  if (privacy.has('user')) return true;
  if (!privacy.has('id')) return false;
  const withheld = ['P-Asserted-Identity', 'P-Preferred-Identity'].flatMap((name) =>
    addresses(source.headers, name).flatMap(({ uri }) => userPart(uri) ?? []),
  );
  const from = addresses(source.headers, 'From').map(({ uri }) => userPart(uri))[0];
  return withheld.length === 0 || from === undefined || withheld.some((user) => isSame(user, from));
}

/** At most one sip and one tel URI (RFC 3325 §9.1), with our host. */
function assertedIdentities(source: IdentitySource): NameAddr[] {
  const given = addresses(source.headers, 'P-Asserted-Identity');
  const claimed = given.length > 0 ? given : addresses(source.headers, 'P-Preferred-Identity');
  const rewritten = claimed.flatMap((address) => {
    const uri = rewrittenUri(address.uri, OWN_ADDRESS, source.names);
    return uri === undefined ? [] : [{ ...shown(address, source.names), uri, parameters: NONE }];
  });
  const one = [rewritten.find((address) => !isTel(address)), rewritten.find(isTel)];
  return one.filter((address) => address !== undefined);
}

function isTel({ uri }: NameAddr): boolean {
  return uri.startsWith('tel:');
}

const NONE: ReadonlyMap<string, string> = new Map();

/** What says how a call was forwarded; the rest may hold anything. */
const ENTRY_PARAMETERS: Readonly<Record<HistoryField, ReadonlySet<string>>> = {
  Diversion: new Set(['reason', 'counter', 'limit', 'privacy', 'screen']),
  'History-Info': new Set(['index', 'rc', 'mp', 'np']),
};

function rewrittenEntry(
  address: NameAddr,
  field: HistoryField,
  source: IdentitySource,
): NameAddr | undefined {
  const host = shownHost(address.uri, source);
  const uri = rewrittenUri(address.uri, host, source.names);
  if (uri === undefined) return undefined;
  const headers = field === 'History-Info' ? historyReason(address.uri, source.names) : '';
  const parameters = new Map(
    [...address.parameters].filter(
      ([name, value]) => ENTRY_PARAMETERS[field].has(name) && !shows(value, source.names),
    ),
  );
  return { ...shown(address, source.names), uri: `${uri}${headers}`, parameters };
}

/**
 * A party of some other domain keeps it: with our host it would be somebody of ours. Names of the other leg, and addresses,
 * give way to our host.
 */
function shownHost(uri: string, { names, ownHost }: IdentitySource): string {
  try {
    const { user, host } = parseSipUri(uri);
    const isDomain = /\.[A-Za-z][A-Za-z0-9-]*\.?$/.test(host);
    return user !== undefined && isDomain && !shows(host, names) ? host : ownHost;
  } catch (error) {
    // A number has no host.
    if (error instanceof WireError) return ownHost;
    throw error;
  }
}

/** Reason and Privacy of an entry, escaped in its URI (RFC 7044 §5.1). */
function historyReason(uri: string, names: LegNames): string {
  const question = uri.indexOf('?');
  const kept = (question < 0 ? '' : uri.slice(question + 1))
    .split('&')
    .filter((header) => /^(?:Reason|Privacy)=[^&]+$/i.test(header) && !shows(header, names));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/** User and telephone parameters with `host`; `undefined` when the user itself names the other leg. */
export function rewrittenUri(uri: string, host: string, names: LegNames): string | undefined {
  const tel = /^tel:(\+?[0-9A-Fa-f*#().-]+)(?:;|$)/i.exec(uri)?.[1];
  if (tel !== undefined && shows(tel, names)) return undefined;
  if (tel !== undefined) {
    // A local number means nothing without its context, which is a name of the other side (RFC 3966 §5.1.5).
    return tel.startsWith('+') ? `tel:${tel}` : `sip:${tel}@${host}`;
  }
  try {
    const { user, host: given, parameters } = parseSipUri(uri);
    const at = given === ANONYMOUS_HOST ? ANONYMOUS_HOST : host;
    if (user === undefined) return `sip:anonymous@${at}`;
    const [number = ''] = user.split(';', 1);
    if (number === '' || shows(number, names)) return undefined;
    const phone = parameters.get('user') === 'phone' ? ';user=phone' : '';
    const cause = /^\d{3}$/.test(parameters.get('cause') ?? '') ? parameters.get('cause') : '';
    return `sip:${number}@${at}${phone}${cause === '' ? '' : `;cause=${cause}`}`;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function shown(address: NameAddr, names: LegNames): { displayName?: string } {
  const { displayName } = address;
  return displayName === undefined || shows(displayName, names) ? {} : { displayName };
}

/** The values that can be read. */
function addresses(headers: readonly SipHeader[], name: string): NameAddr[] {
  const message = { headers: [...headers] };
  const values = name === 'From' ? [getHeader(message, name) ?? ''] : getHeaders(message, name);
  return values.flatMap((value) => {
    try {
      return splitHeaderList(value).map(parseNameAddr);
    } catch (error) {
      if (error instanceof WireError) return [];
      throw error;
    }
  });
}

function userPart(uri: string): string | undefined {
  const tel = /^tel:([^;]+)/i.exec(uri)?.[1];
  if (tel !== undefined) return tel;
  try {
    return parseSipUri(uri).user;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function isSame(a: string, b: string): boolean {
  return digitsOf(a) === digitsOf(b);
}

/** Without escapes, parameters and visual separators. */
function digitsOf(user: string): string {
  return numberOf(plainUser(user)).replaceAll(/[+().-]/g, '');
}
