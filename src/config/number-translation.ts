/**
 * Named sets of rules that rewrite called and calling numbers. The first rule that fits a number is applied, the others
 * are not.
 *
 *   rule                                    0049301234    0301234    +49301234
 *   strip-prefix "00", add-prefix "+"       +49301234     -          -
 *   strip-prefix "0", add-prefix "+49"      (came later)  +49301234  -
 *   strip 2                                 49301234      01234      9301234
 *   pattern "^\+49(.*)$", replace "0$1"     -             -          0301234
 *
 * A rule that would leave nothing of a number does not fit it.
 */
import { matchPattern, type Program, readPattern } from './linear-pattern.ts';

export interface NumberTranslation {
  readonly name: string;
  readonly called: readonly NumberRule[];
  readonly calling: readonly NumberRule[];
}

export type NumberKind = 'called' | 'calling';

export type NumberRule =
  /** The first `digits` characters, then `addPrefix` in their place. */
  | { readonly type: 'strip'; readonly digits: number; readonly addPrefix: string }
  /** Numbers that begin with `prefix`. */
  | { readonly type: 'strip-prefix'; readonly prefix: string; readonly addPrefix: string }
  /** What `pattern` matches first; `replace` may hold $1 to $9. */
  | { readonly type: 'replace'; readonly pattern: string; readonly replace: string };

/** Longer ones are no numbers: they stay as they are. */
const MAX_NUMBER_LENGTH = 64;

/** Steps of the pattern matcher that one rule may cost: far below a millisecond. */
const STEPS_PER_RULE = 4000;

/** `number` as the first fitting rule leaves it; the same text when none fits. */
export function translateNumber(rules: readonly NumberRule[], number: string): string {
  if (number === '' || number.length > MAX_NUMBER_LENGTH) return number;
  for (const rule of rules) {
    const result = applied(rule, number);
    if (result !== undefined && result !== '') return result.slice(0, MAX_NUMBER_LENGTH);
  }
  return number;
}

/** What `rule` alone makes of `number`, empty included; `undefined` when it does not fit. */
export function applied(rule: NumberRule, number: string): string | undefined {
  switch (rule.type) {
    case 'strip':
      if (number.length < rule.digits) return undefined;
      return `${rule.addPrefix}${number.slice(rule.digits)}`;
    case 'strip-prefix':
      if (!number.startsWith(rule.prefix)) return undefined;
      return `${rule.addPrefix}${number.slice(rule.prefix.length)}`;
    case 'replace':
    default:
      return replaced(rule, number);
  }
}

function replaced(
  rule: Extract<NumberRule, { type: 'replace' }>,
  number: string,
): string | undefined {
  const match = matchPattern(programOf(rule), number, { steps: STEPS_PER_RULE });
  if (match === 'none' || match === 'exhausted') return undefined;
  const inserted = rule.replace.replaceAll(/\$(\d)/g, (_, group: string) => {
    return match.groups[Number(group)] ?? '';
  });
  return `${number.slice(0, match.start)}${inserted}${number.slice(match.end)}`;
}

const PROGRAMS = new WeakMap<NumberRule, Program>();

function programOf(rule: Extract<NumberRule, { type: 'replace' }>): Program {
  const known = PROGRAMS.get(rule);
  if (known !== undefined) return known;
  const program = readPattern(rule.pattern);
  if ('problem' in program) throw new Error(`pattern ${rule.pattern}: ${program.problem}`);
  PROGRAMS.set(rule, program);
  return program;
}
