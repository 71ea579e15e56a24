/** Rules about numbers in a spelling that policies and translations never see: they look at numbers in plain. */
import type { Config } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import type { NumberRule } from './number-translation.ts';
import { prefixOf } from './policy-index.ts';
import { wildcardAdvice } from './wildcard-prefix.ts';

/** A number with or without the separators that are an ornament (RFC 3966 §5.1.1); names have them for a reason. */
const NUMBER = /^[-.()]*[0-9+*#][-.()0-9+*#]*$/;
const ORNAMENT = /[-.()%]/;
const SEPARATOR = /[-.()]/g;
/** What stays an escape: a percent sign, and what cannot be printed. */
const LASTING_ESCAPE = /^%(?:25|[01][0-9A-F]|7F|[89A-F][0-9A-F])$/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

function unmatchedSpellings(config: Config): RuleFinding[] {
  // What translations put into a number is looked up, and translated on, as it stands.
  const rules = config.translations.flatMap(({ called, calling }) => [...called, ...calling]);
  const areSpelt = rules.some((rule) => ORNAMENT.test(insertedBy(rule)));
  if (areSpelt) return policyFindings(config, wildcardProblem);
  const problems = policyFindings(config, (prefix) => wildcardProblem(prefix) ?? problemOf(prefix));
  return [...problems, ...translationFindings(config)];
}

function policyFindings(
  { localPolicies }: Config,
  find: (prefix: string) => string | undefined,
): RuleFinding[] {
  const found = new Map<string, RuleFinding>();
  for (const { place, to, from } of localPolicies) {
    for (const [key, prefix] of Object.entries({ to, from })) {
      const message = find(prefixOf(prefix));
      const path = ['local-policies', place, key];
      if (message !== undefined) found.set(`${place} ${key} ${message}`, { path, message });
    }
  }
  return [...found.values()];
}

function translationFindings({ translations }: Config): RuleFinding[] {
  return translations.flatMap((translation, at) =>
    (['called', 'calling'] as const).flatMap((kind) =>
      translation[kind].flatMap((rule, index): RuleFinding[] => {
        const message = problemOf(expectedBy(rule));
        return message === undefined ? [] : [{ path: ['translations', at, kind, index], message }];
      }),
    ),
  );
}

function wildcardProblem(prefix: string): string | undefined {
  const advice = wildcardAdvice(prefix);
  return advice === undefined ? undefined : `no number begins with "${prefix}" here; ${advice}`;
}

function problemOf(beginning: string): string | undefined {
  const plain = plainSpelling(beginning);
  if (plain === undefined) return undefined;
  return `no number begins with "${beginning}" here; write "${plain}"`;
}

/** `text` as it would have to be written; `undefined` when it is so. */
function plainSpelling(text: string): string | undefined {
  const clear = text.replaceAll(ESCAPE, (escape, digits: string) => {
    if (LASTING_ESCAPE.test(escape.toUpperCase())) return escape.toUpperCase();
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
  const plain = NUMBER.test(clear) ? clear.replaceAll(SEPARATOR, '') : clear;
  return plain === text ? undefined : plain;
}

function insertedBy(rule: NumberRule): string {
  return rule.type === 'replace' ? rule.replace.replaceAll(/\$\d/g, '') : rule.addPrefix;
}

/** What a number has to begin with for the rule to fit; empty when that is not plain to see. */
export function expectedBy(rule: NumberRule): string {
  if (rule.type === 'strip') return '';
  return rule.type === 'strip-prefix' ? rule.prefix : literalBeginning(rule.pattern);
}

/** The text that every match of an anchored pattern begins with. */
function literalBeginning(pattern: string): string {
  if (!pattern.startsWith('^') || pattern.includes('|')) return '';
  let literal = '';
  for (const [token] of pattern.slice(1).matchAll(/\\?[^]/g)) {
    if (/^[?*{]$/.test(token)) return literal.slice(0, -1);
    if (/^(?:[+.()[\]}$^]|\\[A-Za-z0-9]|\\)$/.test(token)) return literal;
    literal += token.replace('\\', '');
  }
  return literal;
}

export const SPELLING_RULES: readonly LintRule[] = [
  {
    code: 'unmatched-spelling',
    severity: 'warning',
    explanation:
      'Numbers are looked up without visual separators and escapes: +49-900 and %2B49(900) are +49900. A prefix is compared letter by letter, without wildcards: 49 is enough for 49x. What is written otherwise never fits.',
    find: unmatchedSpellings,
  },
];
