import { numberOf, plainUser, telUser } from '../../trunk/numbering.ts';
import { parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';

/** The same for URIs that mean the same user of the same host, or the same number. */
export function partyKey(uri: string): string {
  const tel = telUser(uri);
  if (tel !== undefined) return numberOf(plainUser(tel, true));
  try {
    const { user = '', host } = parseSipUri(uri);
    return `${numberOf(plainUser(user))}@${host}`;
  } catch (error) {
    if (error instanceof WireError) return uri.toLowerCase();
    throw error;
  }
}
