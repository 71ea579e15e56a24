/**
 * Numbers on their way through: where the translations of a request stand, and the user part that carries a number.
 *
 *   translate-in of the sender -> policies are looked up -> translate of the policy -> translate-out of the receiver
 *
 * A user part is a number with parameters (RFC 3966 §5, RFC 4694). Translations see the number alone, and one number has
 * many spellings; policies and translations see it in plain, and so it leaves: nobody is to read another number than they.
 *
 *   as it came                        in plain
 *   8%30777  8%2D%30777  8-0777       80777
 *   +49(900)12.3  %2B4990012-3        +49900123
 *   %6Aoe.smith  joe.smith            joe.smith     (no number: its separators are no ornament)
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

/** A user part with its number as `translations` leave it, one after the other; they see it in plain. */
export function translateUser(
  translations: readonly NumberTranslation[],
  kind: NumberKind,
  user: string,
): string {
  const before = numberOf(plainUser(user));
  const after = translations.reduce(
    (number, translation) => translateNumber(translation[kind], number),
    before,
  );
  if (after === before) return user;
  const parameters = user.split(';').slice(1);
  // Only a local number has a context (RFC 3966 §5.1.5).
  const kept = after.startsWith('+') ? parameters.filter((each) => !isContext(each)) : parameters;
  return [escapedNumber(after), ...kept].join(';');
}

function isContext(parameter: string): boolean {
  return parameter.toLowerCase().startsWith('phone-context=');
}

/** The number in a user part, without escapes but with its visual separators. */
export function numberOf(user: string): string {
  const [number = ''] = user.split(';', 1);
  return number.replaceAll(ESCAPE, (escape) => {
    const character = escapedBy(escape);
    // An unescaped percent sign could not be told from the beginning of an escape.
    return PRINTABLE.test(character) && character !== '%' ? character : escape;
  });
}

/**
 * A user part in the one spelling that all equivalent ones share: only what has to be is escaped (RFC 3261 §19.1.4), and a
 * number has no visual separators (RFC 3966 §5.1.1). `isPhone`: it is said to be a number, whose digits may be hexadecimal.
 */
export function plainUser(user: string, isPhone = false): string {
  const [written = '', ...parameters] = user.split(';');
  const clear = written.replaceAll(ESCAPE, (escape) => {
    const character = escapedBy(escape);
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
  const escaped = clear.replaceAll(UNSAFE, percentEncoded);
  const isNumber = (isPhone ? PHONE : DIGITS).test(numberOf(escaped));
  const plain = isNumber ? escaped.replaceAll(SEPARATOR, '') : escaped;
  return [plain, ...parameters].join(';');
}

const ESCAPE = /%[0-9A-Fa-f]{2}/g;
const PRINTABLE = /[ -~]/;
/** What means the same with and without an escape; phones escape the plus sign as well. */
const UNRESERVED = /[A-Za-z0-9\-_.!~*'()+]/;
/** What no user part takes bare, and a percent sign that begins no escape. */
const UNSAFE = /#|%(?![0-9A-Fa-f]{2})/g;

const SEPARATOR = /[-.()]/g;
const DIGITS = /^[-.()]*[0-9+*#][-.()0-9+*#]*$/;
const PHONE = /^[-.()]*[0-9A-Fa-f+*#][-.()0-9A-Fa-f+*#]*$/;

function escapedBy(escape: string): string {
  return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** What `numberOf` gave, for a user part. */
function escapedNumber(number: string): string {
  return number
    .replaceAll(/[ "<>@:;[\]\\^`{|}]/g, percentEncoded)
    .replaceAll(UNSAFE, percentEncoded)
    .replaceAll(ESCAPE, (escape) => escape.toUpperCase());
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
