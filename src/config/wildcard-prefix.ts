/**
 * Prefixes written in the manner of other dial plans or of regular expressions. Here a prefix is compared letter by letter
 * and needs nothing behind it:
 *
 *   49*  49.*  49x  _49X.  ^49  +49 30  tel:+49       49[5-7]  49|50
 *   49   49    49   49     49   +4930   +49           each on its own
 */

/** What stands before a number elsewhere: a scheme, an anchor, the mark of a pattern, an escape. */
const LEAD = /^(?:(?:sips?|tel):)?\^?(?:\\(?=\+)|_(?=[+0-9]))?/i;
/** Separators that no number has when it is looked up, and that are no part of a name either. */
const BLANKS = /[\s/]/g;
const SEVERAL = /[|,[{]/;
/** From here on nothing is digits any more but what stands for some: X, N, Z, \d and what repeats them. */
const PLACEHOLDERS = /(?:[xnz]|\\d|[?$!…]|%(?![0-9a-f]{2}))[xnzd0-9.!*+?$%…\\-]*$/i;
const PLAIN = /^\+?[0-9]*$/;
const NUMBER_START = /^[+(0-9]/;

/** What to do about a prefix that no number has because of such signs; `undefined` when it has none. */
export function wildcardAdvice(prefix: string): string | undefined {
  if (PLAIN.test(prefix)) return undefined;
  const bare = prefix.replace(LEAD, '');
  const isNumber = NUMBER_START.test(bare);
  if (SEVERAL.test(bare) && /^[+(0-9[]/.test(bare)) return 'write each beginning on its own';
  const stem = withoutWildcards(isNumber ? bare.replaceAll(BLANKS, '') : bare);
  if (stem === prefix) return undefined;
  return `write "${stem === '' ? '*' : stem}"`;
}

function withoutWildcards(text: string): string {
  if (/^[.*+?$]*$/.test(text)) return /^[+*]?$/.test(text) ? text : '';
  // A service code such as *21* may end in one.
  if (/^[*#]/.test(text)) return text.replace(PLACEHOLDERS, '');
  const number = NUMBER_START.test(text) ? text.replace(PLACEHOLDERS, '') : text;
  const ending = NUMBER_START.test(text) ? /(?:[.*]+|\.\+)$/ : /\.?\*$/;
  const stem = number.replace(ending, '').replace(/@.*$/, '');
  const isPlain = /^[-+.()0-9*#]+$/.test(stem);
  return isPlain && stem !== text ? stem.replaceAll(/[-.()]/g, '') : stem;
}
