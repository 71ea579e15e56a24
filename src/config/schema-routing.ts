/** Schema of local-policies and translations. */
import * as z from 'zod';
import { CONTROL } from './header-rule.ts';
import { readPattern } from './linear-pattern.ts';
import type { NumberRule, NumberTranslation } from './number-translation.ts';
import { DEFAULT_PRIORITY, type LocalPolicy } from './routing-config.ts';
import { isTimeZone, parseDays, parseHours, timeWindow } from './time-window.ts';
import {
  choice,
  type Conversion,
  entityName,
  integer,
  nonEmptyText,
  type Scalar,
  scalar,
} from './values.ts';

const METHODS = [
  'INVITE',
  'REGISTER',
  'OPTIONS',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'REFER',
] as const;
const RANK = { minimum: 0, maximum: 10_000 };
const MAX_RULES = 256;
const MAX_PHRASE_LENGTH = 128;

const days = scalar(
  { description: 'Days such as mon-fri or sat,sun.', minLength: 3 },
  (text): Conversion<{ text: string; days: readonly number[] }> => {
    const parsed = parseDays(text);
    return parsed === undefined
      ? { type: 'problem', message: `"${text}" is no list of days such as mon-fri or sat,sun` }
      : { type: 'value', value: { text, days: parsed } };
  },
);

const hours = scalar(
  {
    description:
      'Hours such as 08:00-18:00; 22:00-06:00 go over midnight and belong to the day they begin on.',
    pattern: '^[0-2][0-9]:[0-5][0-9] *- *[0-2][0-9]:[0-5][0-9]$',
  },
  (text): Conversion<{ text: string; hours: { from: number; until: number } }> => {
    const parsed = parseHours(text);
    return parsed === undefined
      ? { type: 'problem', message: `"${text}" is no span of hours such as 08:00-18:00` }
      : { type: 'value', value: { text, hours: parsed } };
  },
);

const zone = scalar(
  { description: 'IANA time zone whose wall clock counts, such as Europe/Berlin.' },
  (text): Conversion<string> =>
    isTimeZone(text)
      ? { type: 'value', value: text }
      : { type: 'problem', message: `"${text}" is no time zone such as Europe/Berlin or UTC` },
);

const time = z
  .strictObject({
    days: days.prefault('mon-sun'),
    hours: hours.prefault('00:00-24:00'),
    zone: zone.prefault('UTC'),
  })
  .transform((raw) =>
    timeWindow(
      { days: raw.days.days, hours: raw.hours.hours },
      raw.zone,
      `${raw.days.text} ${raw.hours.text} ${raw.zone}`,
    ),
  );

const phrase = scalar(
  {
    description: 'Reason phrase of a rejection; unset: the usual one of the code.',
    minLength: 1,
    maxLength: MAX_PHRASE_LENGTH,
  },
  (text): Conversion<string> =>
    text === '' || text.length > MAX_PHRASE_LENGTH || CONTROL.test(text)
      ? { type: 'problem', message: `a phrase is one line of 1 to ${MAX_PHRASE_LENGTH} characters` }
      : { type: 'value', value: text },
);

/** Refusals that say something to a caller and that every SIP engine can send. */
// oxfmt-ignore
const REJECT_CODES = [
  400, 403, 404, 405, 406, 408, 410, 416, 433, 480, 484, 485, 486, 488,
  500, 501, 502, 503, 504, 600, 603, 604, 606,
];

const rejectCode = scalar(
  {
    description: 'Status that the caller gets, with reject only.',
    type: 'integer',
    enum: REJECT_CODES,
  },
  (text): Conversion<number> => {
    const code = REJECT_CODES.find((known) => String(known) === text);
    return code === undefined
      ? { type: 'problem', message: `"${text}" is not one of ${REJECT_CODES.join(', ')}` }
      : { type: 'value', value: code };
  },
);

export const localPolicy = z
  .strictObject({
    'from-realm': nonEmptyText('Realm the request came from, or "*".').prefault('*'),
    'from-agent': nonEmptyText(
      'Session agent the request came from, in place of from-realm.',
    ).optional(),
    to: nonEmptyText(
      'Prefix of the called number, or "*"; the longest match wins. Quote digits.',
    ).prefault('*'),
    'to-prefixes': z
      .array(nonEmptyText('Prefix of the called number.'))
      .min(1)
      .meta({ description: 'Several prefixes in place of `to`. Quote digits.' })
      .optional(),
    from: nonEmptyText(
      'Prefix of the calling number, or "*"; looked at after `to`. Quote digits.',
    ).prefault('*'),
    methods: z
      .array(choice(METHODS, 'Method of a request outside every call.'))
      .min(1)
      .meta({ description: 'Requests the policy is for.' })
      .prefault(['INVITE']),
    priority: integer(RANK, 'Lower goes first, before longer prefixes and agents.').prefault(
      String(DEFAULT_PRIORITY),
    ),
    cost: integer(RANK, 'Lower goes first among policies that are equal otherwise.').prefault('0'),
    time: time.meta({ description: 'When the policy counts; unset: always.' }).optional(),
    'next-hop': nonEmptyText('Session agent, session group, request-uri, or reject.'),
    'to-realm': nonEmptyText(
      'Realm to send from, with request-uri only. Unset: the first interface of another realm.',
    ).optional(),
    code: rejectCode.optional(),
    reason: phrase.optional(),
    translate: nonEmptyText(
      'Translation of requests that take this policy, between translate-in and translate-out.',
    ).optional(),
  })
  .transform((raw): PolicyOfFile => ({
    prefixes: [...new Set(raw['to-prefixes'] ?? [raw.to])],
    fromRealm: raw['from-realm'],
    fromAgent: raw['from-agent'],
    from: raw.from,
    methods: [...new Set(raw.methods)],
    priority: raw.priority,
    cost: raw.cost,
    time: raw.time,
    nextHop: raw['next-hop'],
    toRealm: raw['to-realm'],
    rejection:
      raw['next-hop'] === 'reject' ? { status: raw.code ?? 403, phrase: raw.reason } : undefined,
    translate: raw.translate,
  }));

/** A policy with all its prefixes. */
type PolicyOfFile = Omit<LocalPolicy, 'to' | 'place'> & { readonly prefixes: readonly string[] };

/** The policies of the file, one for each prefix. */
export function expandPolicies(policies: readonly PolicyOfFile[]): LocalPolicy[] {
  return policies.flatMap(({ prefixes, ...policy }, place) =>
    prefixes.map((to) => ({ ...policy, place, to })),
  );
}

/** What may stand in a number without escapes. */
function digits(description: string): Scalar<string> {
  const form = '^[0-9A-Za-z+*#.-]{1,32}$';
  return scalar({ description, pattern: form }, (text): Conversion<string> =>
    new RegExp(form).test(text)
      ? { type: 'value', value: text }
      : {
          type: 'problem',
          message: `"${text}" is no part of a number: 1 to 32 of 0-9 A-Z + * # . -`,
        },
  );
}

const pattern = scalar(
  { description: 'Regular expression on the number.', format: 'regex' },
  (text): Conversion<string> => {
    const program = readPattern(text);
    return 'problem' in program
      ? { type: 'problem', message: `"${text}" is no pattern: ${program.problem}` }
      : { type: 'value', value: text };
  },
);

const replacement = scalar(
  {
    description: 'What takes the place of the matched part, $1 to $9 for groups.',
    pattern: '^[0-9A-Za-z+*#.$-]{0,32}$',
  },
  (text): Conversion<string> =>
    /^[0-9A-Za-z+*#.$-]{0,32}$/.test(text)
      ? { type: 'value', value: text }
      : { type: 'problem', message: `"${text}" is no part of a number` },
);

const rule = z
  .strictObject({
    strip: integer({ minimum: 1, maximum: 32 }, 'Characters taken off the front.').optional(),
    'strip-prefix': digits(
      'Taken off the front; numbers that begin otherwise do not fit the rule.',
    ).optional(),
    'add-prefix': digits('Put in front after that.').optional(),
    pattern: pattern.optional(),
    replace: replacement.optional(),
  })
  .check(({ value, issues }) => {
    const problem = combinationProblem(value);
    if (problem === undefined) return;
    issues.push({ code: 'custom', message: problem, input: value, path: [] });
  })
  .transform(buildRule);

interface RawRule {
  readonly strip?: number | undefined;
  readonly 'strip-prefix'?: string | undefined;
  readonly 'add-prefix'?: string | undefined;
  readonly pattern?: string | undefined;
  readonly replace?: string | undefined;
}

function combinationProblem(raw: RawRule): string | undefined {
  const hasPattern = raw.pattern !== undefined;
  if (hasPattern !== (raw.replace !== undefined)) return 'pattern and replace go together';
  const others = [raw.strip, raw['strip-prefix'], raw['add-prefix']];
  const isOther = others.some((value) => value !== undefined);
  if (hasPattern) return isOther ? 'a rule with pattern takes no strip and no prefix' : undefined;
  if (!isOther) return 'a rule needs strip, strip-prefix, add-prefix, or pattern and replace';
  return raw.strip !== undefined && raw['strip-prefix'] !== undefined
    ? 'strip or strip-prefix, not both'
    : undefined;
}

function buildRule(raw: RawRule): NumberRule {
  if (raw.pattern !== undefined) {
    return { type: 'replace', pattern: raw.pattern, replace: raw.replace ?? '' };
  }
  const addPrefix = raw['add-prefix'] ?? '';
  const prefix = raw['strip-prefix'];
  return prefix === undefined
    ? { type: 'strip', digits: raw.strip ?? 0, addPrefix }
    : { type: 'strip-prefix', prefix, addPrefix };
}

function rules(description: string) {
  return z
    .array(rule)
    .max(MAX_RULES, `more than ${MAX_RULES} rules`)
    .meta({ description })
    .prefault([]);
}

export const translation = z
  .strictObject({
    name: entityName('Name by which interfaces, agents and policies refer to the translation.'),
    called: rules('Rules for the called number; the first that fits is applied.'),
    calling: rules('Rules for the calling number; the first that fits is applied.'),
  })
  .transform((raw): NumberTranslation => raw);

/** `translate-in` and `translate-out` of an interface or agent. */
export const TRANSLATE_KEYS = {
  in: nonEmptyText(
    'Translation of the numbers of requests from there, before policies are looked up.',
  ),
  out: nonEmptyText('Translation of the numbers of requests that go there.'),
  agentIn: nonEmptyText("The same for this agent, in place of the interface's; none for none."),
  agentOut: nonEmptyText('And for requests that go to it.'),
};
