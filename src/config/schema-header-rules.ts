/** Schema of `header-rules` on sip-interfaces and session-agents. */
import * as z from 'zod';
import {
  CONTROL,
  type HeaderRule,
  headerNameProblem,
  MAX_RULE_VALUE_LENGTH,
} from './header-rule.ts';
import { readPattern } from './linear-pattern.ts';
import { choice, type Conversion, type Scalar, scalar } from './values.ts';

const MAX_RULES = 64;
const METHODS = ['INVITE', 'UPDATE', 'INFO', 'MESSAGE', 'BYE', 'CANCEL'] as const;

function headerName(description: string): Scalar<string> {
  return scalar({ description, minLength: 2 }, (text): Conversion<string> => {
    const message = headerNameProblem(text);
    return message === undefined ? { type: 'value', value: text } : { type: 'problem', message };
  });
}

/** For conditions, which may look at every header. */
function anyHeaderName(description: string): Scalar<string> {
  return scalar({ description, minLength: 2 }, (text): Conversion<string> =>
    /^[A-Za-z][A-Za-z0-9-]{1,63}$/.test(text)
      ? { type: 'value', value: text }
      : { type: 'problem', message: `"${text}" is no long header name` },
  );
}

function linearPattern(description: string): Scalar<string> {
  return scalar({ description, format: 'regex' }, (text): Conversion<string> => {
    const program = readPattern(text);
    return 'problem' in program
      ? { type: 'problem', message: `"${text}" is no pattern: ${program.problem}` }
      : { type: 'value', value: text };
  });
}

const lineValue = scalar(
  {
    description:
      'add: the value. replace: what takes the place of the matched text, $1 to $9 for groups, $$ for a dollar.',
    maxLength: MAX_RULE_VALUE_LENGTH,
  },
  (text): Conversion<string> => {
    if (CONTROL.test(text)) {
      return { type: 'problem', message: 'line breaks and control characters are not allowed' };
    }
    return text.length > MAX_RULE_VALUE_LENGTH
      ? { type: 'problem', message: `longer than ${MAX_RULE_VALUE_LENGTH} characters` }
      : { type: 'value', value: text };
  },
);

const responseCode = scalar(
  { description: 'A status such as 486, or a class such as 4xx.', pattern: '^[1-6]([0-9]{2}|xx)$' },
  (text): Conversion<string> =>
    /^[1-6](?:\d\d|xx)$/.test(text)
      ? { type: 'value', value: text }
      : { type: 'problem', message: `"${text}" is no response code such as 486 or 4xx` },
);

const headerRule = z
  .strictObject({
    direction: choice(
      ['in', 'out'],
      'in: on what the other end sends us, before the header policy; out: on what we send there, after it.',
    ),
    action: choice(
      ['add', 'remove', 'replace', 'pass'],
      'add: unless the header is there; remove; replace the value or what the pattern matches in it; pass: lets an unlisted header cross (direction in).',
    ),
    header: headerName('Name of the header in its long form; letter case does not matter.'),
    pattern: linearPattern(
      'remove, replace, pass: only fields whose value matches this regular expression.',
    ).optional(),
    value: lineValue.optional(),
    methods: z
      .array(choice(METHODS, 'Method of the request, for a response of its request.'))
      .meta({ description: 'Only messages of these methods; unset: all.' })
      .prefault([]),
    messages: choice(['any', 'requests', 'responses'], 'Only requests or only responses.').prefault(
      'any',
    ),
    'response-codes': z
      .array(responseCode)
      .meta({ description: 'Only responses with these codes, no requests; unset: all.' })
      .prefault([]),
    'if-header': anyHeaderName('Only if the message has this header.').optional(),
    'if-pattern': linearPattern('And only if a value of `if-header` matches.').optional(),
  })
  .check(({ value, issues }) => {
    const problem = combinationProblem(value);
    if (problem === undefined) return;
    issues.push({ code: 'custom', message: problem, input: value, path: ['action'] });
  })
  .transform((raw): HeaderRule => ({
    direction: raw.direction,
    action: raw.action,
    header: raw.header,
    value: raw.value ?? '',
    pattern: raw.pattern,
    methods: raw.methods,
    messages: raw.messages,
    responseCodes: raw['response-codes'],
    ifHeader: raw['if-header'],
    ifPattern: raw['if-pattern'],
  }));

interface RawRule {
  readonly direction: string;
  readonly action: string;
  readonly pattern?: string | undefined;
  readonly value?: string | undefined;
  readonly messages: string;
  readonly 'response-codes': readonly string[];
  readonly 'if-header'?: string | undefined;
  readonly 'if-pattern'?: string | undefined;
}

function combinationProblem(raw: RawRule): string | undefined {
  const { action, pattern, value } = raw;
  const needsValue = action === 'add' || action === 'replace';
  if (needsValue && value === undefined) return `"${action}" needs a value`;
  if (!needsValue && value !== undefined) return `"${action}" takes no value`;
  if (action === 'add' && pattern !== undefined) return '"add" takes no pattern, only if-pattern';
  if (action === 'pass' && raw.direction === 'out') return '"pass" belongs to direction in';
  if (raw['if-pattern'] !== undefined && raw['if-header'] === undefined) {
    return 'if-pattern needs if-header';
  }
  if (raw.messages === 'requests' && raw['response-codes'].length > 0) {
    return 'requests have no response code';
  }
  return undefined;
}

export const headerRules = z.array(headerRule).max(MAX_RULES, `more than ${MAX_RULES} rules`);
