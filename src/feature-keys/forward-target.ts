/** The URI to which a call goes when a forward names a number, or an address, as somebody typed it. */
import { parseSipUri, uriScheme } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';

/** Separators that people write into numbers. */
const SEPARATORS = /[\s\-.()/]/g;
const NUMBER = /^[+\d*#]+$/;
/** As carriers write ported numbers; the parameters are not part of what is dialled. */
const NUMBER_WITH_PARAMETERS = /^([+\d*#][\s\-.()/\d*#]*);/;
const PLAIN = /[^A-Za-z0-9\-_.!~*'()&=+$,]/gu;

/**
 * The SIP URI that `text` stands for in the dial plan of `domain`: a SIP URI as it is, `user@host` as a SIP URI, anything
 * else as a user of the domain, numbers without their separators.
 *
 * @returns `undefined` for a URI that cannot be called.
 */
export function forwardUri(text: string, domain: string): string | undefined {
  const trimmed = text.trim();
  const scheme = uriScheme(trimmed);
  if (scheme === 'sip' || scheme === 'sips') return callable(trimmed);
  const tel = /^tel:([^;?]+)/i.exec(trimmed)?.[1];
  if (tel === undefined && /^[^\s@<>"]+@[^\s@<>"]+$/.test(trimmed))
    return callable(`sip:${trimmed}`);
  const typed = tel ?? NUMBER_WITH_PARAMETERS.exec(trimmed)?.[1] ?? trimmed;
  const number = typed.replaceAll(SEPARATORS, '');
  const user = NUMBER.test(number) ? number : typed;
  return user === '' ? undefined : callable(`sip:${escaped(user)}@${domain}`);
}

function escaped(user: string): string {
  return user.replaceAll(PLAIN, (character) =>
    character.isWellFormed() ? encodeURIComponent(character) : '',
  );
}

/** Headers of a URI would become headers of our INVITE. */
function callable(uri: string): string | undefined {
  try {
    const { headers, user } = parseSipUri(uri);
    return headers === undefined && user !== undefined ? uri : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
