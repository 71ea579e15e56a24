/** Rules about translations of numbers. */
import type { Config } from './config.ts';
import type { LintRule, RuleFinding } from './lint.ts';
import { applied, type NumberRule } from './number-translation.ts';

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

/** Rules behind one that fits every number. */
function shadowedRules(config: Config): RuleFinding[] {
  return config.translations.flatMap((translation, at) =>
    KINDS.flatMap((kind) => {
      const rules = translation[kind];
      return rules.flatMap((rule, index): RuleFinding[] => {
        const earlier = rules.slice(0, index).findIndex((other) => fitsAll(other, rule));
        if (earlier < 0) return [];
        const message = `never applied: ${kind}[${earlier}] fits the same numbers before`;
        return [{ path: ['translations', at, kind, index], message }];
      });
    }),
  );
}

/** Whether `first` fits every number that `second` fits. */
function fitsAll(first: NumberRule, second: NumberRule): boolean {
  if (first.type === 'strip') return first.digits === 0;
  if (first.type !== 'strip-prefix') return false;
  return second.type === 'strip-prefix' && second.prefix.startsWith(first.prefix);
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
    code: 'unused-translation',
    severity: 'warning',
    explanation: 'Name it in translate-in, translate-out or translate, or remove it.',
    find: unusedTranslations,
  },
];
