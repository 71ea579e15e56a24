/** The calling numbers of an INVITE as the translations of its hop leave them: From and P-Asserted-Identity. */
import { plainUser, translateUser } from '../../trunk/numbering.ts';
import type { Hop } from '../../trunk/policy.ts';
import { formatNameAddr, parseNameAddr, splitHeaderList } from '../../wire/sip-headers.ts';
import { formatSipUri, parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';
import { ANONYMOUS, type CallerIdentity } from './header-policy.ts';

const ASSERTED = 'P-Asserted-Identity';

/** Who calls, with the number that `hop` is to see. */
export function translatedCaller(identity: CallerIdentity, hop: Hop): CallerIdentity {
  if (identity.isAnonymous || identity.user === ANONYMOUS.user) return identity;
  return { ...identity, user: translatedUser(identity.user, hop) };
}

/** `headers` with the numbers in P-Asserted-Identity that `hop` is to see. */
export function translatedHeaders(
  headers: Readonly<Record<string, string>>,
  hop: Hop,
): Record<string, string> {
  const asserted = headers[ASSERTED];
  if (asserted === undefined) return { ...headers };
  return { ...headers, [ASSERTED]: translatedIdentities(asserted, hop) };
}

function translatedIdentities(value: string, hop: Hop): string {
  return splitHeaderList(value)
    .map((element) => {
      const address = parseNameAddr(element);
      return formatNameAddr({ ...address, uri: translatedUri(address.uri, hop) });
    })
    .join(', ');
}

function translatedUri(uri: string, hop: Hop): string {
  const tel = /^tel:([^;]+)$/i.exec(uri)?.[1];
  if (tel !== undefined) {
    if (hop.translations === undefined) return `tel:${plainUser(tel)}`;
    const number = translatedUser(tel, hop);
    // A number without context is none for a tel URI (RFC 3966 §5.1.5); the SIP engine puts our address in.
    return number.startsWith('+') ? `tel:${number}` : `sip:${number}@localhost;user=phone`;
  }
  try {
    const parsed = parseSipUri(uri);
    if (parsed.user === undefined || parsed.user === ANONYMOUS.user) return uri;
    return formatSipUri({ ...parsed, user: translatedUser(parsed.user, hop) });
  } catch (error) {
    if (error instanceof WireError) return uri;
    throw error;
  }
}

function translatedUser(user: string, { translations }: Hop): string {
  const plain = plainUser(user);
  if (translations === undefined) return plain;
  return translateUser([...translations.before, ...translations.leaving], 'calling', plain);
}
