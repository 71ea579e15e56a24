/** Rules about translations of numbers. */
import type { Config } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import {
  applied,
  type NumberRule,
  type NumberTranslation,
  translateNumber,
} from './number-translation.ts';
import { expectedBy } from './lint-spellings.ts';
import { prefixOf } from './policy-index.ts';
import { PrefixMap } from './prefix-map.ts';

/** What numbers look like on both sides of a trunk: an extension, national, international, global, a service. */
const SAMPLES = ['110', '4711', '030123456', '0049301234567', '+49301234567', '*21*4711#', '1800'];

/** No international number is longer (ITU-T E.164 §6.2.1). */
const MAX_E164_DIGITS = 15;

const KINDS = ['called', 'calling'] as const;

interface Placed {
  readonly rule: NumberRule;
  readonly index: number;
  readonly path: readonly (string | number)[];
}

function rulesOf(config: Config): Placed[] {
  return config.translations.flatMap((translation, at) =>
    KINDS.flatMap((kind) =>
      translation[kind].map((rule, index) => {
        return { rule, index, path: ['translations', at, kind, index] };
      }),
    ),
  );
}

function emptyNumbers(config: Config): RuleFinding[] {
  return rulesOf(config).flatMap(({ rule, path }) => {
    const sample = emptied(rule);
    return sample === undefined
      ? []
      : [{ path, message: `nothing would be left of a number such as ${sample}` }];
  });
}

/** A number that the rule leaves nothing of; prefixes are meant for numbers that are longer. */
function emptied(rule: NumberRule): string | undefined {
  if (rule.type === 'replace') return SAMPLES.find((number) => applied(rule, number) === '');
  if (rule.addPrefix !== '') return undefined;
  const length = rule.type === 'strip' ? rule.digits : rule.prefix.length;
  return length < MAX_E164_DIGITS ? undefined : '1'.repeat(MAX_E164_DIGITS);
}

/** Rules behind one that fits the same numbers and more. */
function shadowedRules(config: Config): RuleFinding[] {
  return config.translations.flatMap((translation, at) =>
    KINDS.flatMap((kind) => {
      const earlier = new EarlierRules();
      return translation[kind].flatMap((rule, index): RuleFinding[] => {
        const shadow = earlier.firstFor(rule);
        earlier.add(rule, index);
        if (shadow === undefined) return [];
        const message = `never applied: ${kind}[${shadow}] fits the same numbers before`;
        return [{ path: ['translations', at, kind, index], message }];
      });
    }),
  );
}

/** Which rules fit what others fit, found without a look at each. */
class EarlierRules {
  /** Index of the first rule that fits every number. */
  #forAll: number | undefined;
  readonly #forPrefix = new PrefixMap<number>();

  add(rule: NumberRule, index: number): void {
    if (rule.type === 'strip' && rule.digits === 0) this.#forAll ??= index;
    if (rule.type === 'strip-prefix') this.#forPrefix.take(rule.prefix, () => index);
  }

  /** Index of the first that fits every number that `rule` fits. */
  firstFor(rule: NumberRule): number | undefined {
    const found = rule.type === 'strip-prefix' ? this.#forPrefix.matches(rule.prefix) : [];
    if (this.#forAll !== undefined) found.push(this.#forAll);
    return found.length === 0 ? undefined : Math.min(...found);
  }
}

function unusedTranslations(config: Config): RuleFinding[] {
  const used = new Set([
    ...config.sipInterfaces.flatMap((each) => [each.translateIn, each.translateOut]),
    ...config.sessionAgents.flatMap((each) => [each.translateIn, each.translateOut]),
    ...config.localPolicies.map(({ translate }) => translate),
  ]);
  return config.translations.flatMap(({ name }, index) =>
    used.has(name)
      ? []
      : [{ path: ['translations', index], message: `nothing names translation "${name}"` }],
  );
}

/** Behind a prefix, so that patterns with a length fit as well. */
const TAILS = ['', '1', '30', '1234567', '123456789012'];

/** Policies for numbers that no number has any more once it has been translated. */
function translatedAway(config: Config): RuleFinding[] {
  const found = new Map<string, RuleFinding>();
  const incoming = incomingTranslations(config);
  for (const { place, to, from, fromRealm, fromAgent } of config.localPolicies) {
    const source = fromAgent === undefined ? `realm ${fromRealm}` : `agent ${fromAgent}`;
    const translations = [...(incoming.get(source) ?? [])];
    for (const [key, kind, prefix] of [
      ['to', 'called', prefixOf(to)],
      ['from', 'calling', prefixOf(from)],
    ] as const) {
      if (prefix === '' || translations.length === 0) continue;
      if (!translations.every((each) => isTakenAway(each?.[kind] ?? [], prefix))) continue;
      const names = [...new Set(translations.map((each) => `"${each?.name}"`))].join(', ');
      const message = `translation ${names} leaves no number from ${source} that begins with "${prefix}"`;
      found.set(`${place} ${message}`, { path: ['local-policies', place, key], message });
    }
  }
  return [...found.values()];
}

type Translations = Set<NumberTranslation | undefined>;

/** What is done to numbers from each realm and each agent, by every way they may come in; `undefined` is for nothing. */
function incomingTranslations(config: Config): ReadonlyMap<string, Translations> {
  const named = new Map(config.translations.map((each) => [each.name, each]));
  const incoming = new Map<string, Translations>();
  for (const { realm, translateIn } of config.sipInterfaces) {
    const ofRealm = incoming.get(`realm ${realm}`) ?? new Set();
    incoming.set(`realm ${realm}`, ofRealm.add(named.get(translateIn ?? '')));
  }
  const ofInterfaces = new Map([...incoming].map(([source, each]) => [source, new Set(each)]));
  for (const { name, realm, translateIn } of config.sessionAgents) {
    const inherited: Translations = ofInterfaces.get(`realm ${realm}`) ?? new Set();
    const own = translateIn === undefined ? inherited : new Set([named.get(translateIn)]);
    incoming.set(`agent ${name}`, own);
    const ofRealm = incoming.get(`realm ${realm}`) ?? new Set();
    for (const each of own) ofRealm.add(each);
  }
  return incoming;
}

/** A rule with what its numbers begin with before and, where that is plain to see, behind it. */
interface KnownRule {
  readonly rule: NumberRule;
  readonly before: string;
  readonly behind: string | undefined;
}

const KNOWN = new WeakMap<readonly NumberRule[], readonly KnownRule[]>();

function knownRules(rules: readonly NumberRule[]): readonly KnownRule[] {
  const known =
    KNOWN.get(rules) ??
    rules.map((rule) => ({ rule, before: expectedBy(rule), behind: startBehind(rule) }));
  KNOWN.set(rules, known);
  return known;
}

function startBehind(rule: NumberRule): string | undefined {
  if (rule.type !== 'replace') return rule.addPrefix;
  const { pattern, replace } = rule;
  const isWhole = pattern.startsWith('^') && !pattern.includes('|');
  return isWhole ? replace.split('$', 1).join('') : undefined;
}

/** Whether numbers with this prefix become others, and no number comes to have it. */
function isTakenAway(rules: readonly NumberRule[], prefix: string): boolean {
  const known = knownRules(rules);
  if (known.some(({ behind }) => behind === undefined || mayAgree(behind, prefix))) return false;
  const fitting = known.filter(({ before }) => mayAgree(before, prefix)).map(({ rule }) => rule);
  return TAILS.every((tail) => !translateNumber(fitting, `${prefix}${tail}`).startsWith(prefix));
}

/** Whether a number can begin with both. */
function mayAgree(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

export const TRANSLATION_RULES: readonly LintRule[] = [
  {
    code: 'empty-number',
    severity: 'warning',
    explanation:
      'A rule that would leave nothing of a number is not applied to it. Make the rule narrower, or let it put something in place.',
    find: emptyNumbers,
  },
  {
    code: 'shadowed-rule',
    severity: 'warning',
    explanation:
      'The first rule that fits is applied, the others are not. Put longer prefixes first.',
    find: shadowedRules,
  },
  {
    code: 'translated-away',
    severity: 'info',
    explanation:
      'translate-in comes before policies are looked up, so they see numbers as it leaves them. Write the prefix as it is behind it, unless forwards and transfers are to find it.',
    find: translatedAway,
  },
  {
    code: 'unused-translation',
    severity: 'warning',
    explanation: 'Name it in translate-in, translate-out or translate, or remove it.',
    find: unusedTranslations,
  },
];
