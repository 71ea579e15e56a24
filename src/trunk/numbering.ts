/**
 * Numbers on their way through: where the translations of a request stand, and the user part that carries a number.
 *
 *   translate-in of the sender -> policies are looked up -> translate of the policy -> translate-out of the receiver
 *
 * A user part is a number with parameters (RFC 3966 §5, RFC 4694). Translations see the number alone.
 */
import type { Config, SessionAgent, SipInterface } from '../config/config.ts';
import {
  type NumberKind,
  type NumberTranslation,
  translateNumber,
} from '../config/number-translation.ts';

/** One end of a request: a translation of the agent takes the place of the interface's. */
export interface NumberEnd {
  readonly agent?: SessionAgent | undefined;
  readonly sipInterface?: SipInterface | undefined;
}

/** The translation that applies to what comes from `end`, or goes there. */
export function translationAt(
  config: Config,
  end: NumberEnd,
  direction: 'in' | 'out',
): readonly NumberTranslation[] {
  const key = direction === 'in' ? 'translateIn' : 'translateOut';
  return translationNamed(config, end.agent?.[key] ?? end.sipInterface?.[key]);
}

/** None for `undefined` and for `none`. */
export function translationNamed(
  config: Config,
  name: string | undefined,
): readonly NumberTranslation[] {
  if (name === undefined || name === 'none') return [];
  return config.translations.filter((translation) => translation.name === name);
}

/** A user part with its number as `translations` leave it, one after the other. */
export function translateUser(
  translations: readonly NumberTranslation[],
  kind: NumberKind,
  user: string,
): string {
  const before = numberOf(user);
  const after = translations.reduce(
    (number, translation) => translateNumber(translation[kind], number),
    before,
  );
  if (after === before) return user;
  const parameters = user.split(';').slice(1);
  // Only a local number has a context (RFC 3966 §5.1.5).
  const kept = after.startsWith('+') ? parameters.filter((each) => !isContext(each)) : parameters;
  // A user part takes no bare `#` (RFC 3261 §25.1).
  return [after.replaceAll('#', '%23'), ...kept].join(';');
}

function isContext(parameter: string): boolean {
  return parameter.toLowerCase().startsWith('phone-context=');
}

/** The number in a user part, with the signs that phones may write as escapes. */
export function numberOf(user: string): string {
  const [number = ''] = user.split(';', 1);
  return number.replaceAll(/%2b/gi, '+').replaceAll(/%23/g, '#').replaceAll(/%2a/gi, '*');
}

/** What of a tel URI means the same at another host: number portability, carrier, extension and the context of a local number. */
const TEL_PARAMETERS = new Set(['npdi', 'rn', 'cic', 'ext', 'isub', 'phone-context']);

/** The user part that stands for a tel URI in a sip URI (RFC 3261 §19.1.6); `undefined` when it is none. */
export function telUser(uri: string): string | undefined {
  const [, number, tail = ''] = /^tel:([^;?\s]+)(?:;([^?\s]*))?$/i.exec(uri) ?? [];
  if (number === undefined) return undefined;
  const kept = tail.split(';').filter((parameter) => {
    const [name = ''] = parameter.split('=', 1);
    return TEL_PARAMETERS.has(name.toLowerCase());
  });
  return [number, ...kept].join(';');
}
