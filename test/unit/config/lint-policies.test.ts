import { describe, expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { edited, problemLines, SAMPLE, validOf } from './sample.ts';

const BEFORE = SAMPLE.slice(0, SAMPLE.indexOf('local-policies:'));
const CORE = '{ from-realm: core, next-hop: request-uri }';

/** The sample with these policies, a second agent and a second agent in realm access. */
function withPolicies(policies: readonly string[], rest = ''): string {
  const agents =
    '  - { name: two, realm: core, address: 127.0.0.1:6082 }\n' +
    '  - { name: pbx, realm: access, address: 127.0.0.1:6070 }\n';
  const lines = [...policies, CORE].map((policy) => `  - ${policy}\n`);
  return `${BEFORE}${agents}local-policies:\n${lines.join('')}${rest}`;
}

const RELEVANT = new Set([
  'unreachable-route',
  'no-route',
  'ambiguous-realm',
  'overlapping-times',
  'time-gap',
  'bare-number',
  'empty-number',
  'shadowed-rule',
  'unused-translation',
]);

/** `code: message` of the findings about policies and translations. */
function findingsOf(text: string): string[] {
  return lintConfig(validOf(text))
    .filter(({ code }) => RELEVANT.has(code))
    .map(({ code, message }) => `${code}: ${message}`);
}

function codesOf(text: string): string[] {
  return lintConfig(validOf(text)).map(({ code }) => code);
}

const DAY = 'time: { days: mon-fri, hours: "08:00-18:00" }';

describe('policies', () => {
  test.each<[title: string, policies: string[], findings: string[]]>([
    [
      'alternatives by cost',
      ['{ to: "1", next-hop: carrier }', '{ to: "1", cost: 5, next-hop: two }'],
      [],
    ],
    [
      'the same next hop twice',
      ['{ to: "1", next-hop: carrier }', '{ to: "1", cost: 5, next-hop: carrier }'],
      [
        'unreachable-route: never used: local-policies[0] has the same from-realm and to, and the same next-hop',
      ],
    ],
    [
      'the same next hop with other numbers',
      [
        '{ to: "1", next-hop: carrier }',
        '{ to: "1", cost: 5, next-hop: carrier, translate: plus }',
      ],
      [],
    ],
    [
      'an alternative behind a rejection',
      [
        '{ to: "1", cost: 9, next-hop: two }',
        '{ to: "1", next-hop: carrier }',
        '{ to: "1", cost: 5, next-hop: reject }',
      ],
      ['unreachable-route: never used: local-policies[2] rejects the same requests before'],
    ],
    [
      'a shorter prefix with lower priority number',
      ['{ to: "12", next-hop: two }', '{ to: "1", priority: 5, next-hop: carrier }'],
      ['unreachable-route: never used: local-policies[1] is for the same requests with priority 5'],
    ],
    [
      'the same at certain hours, or for some callers, or for other methods',
      [
        '{ to: "12", next-hop: two }',
        `{ to: "1", priority: 5, ${DAY}, next-hop: carrier }`,
        '{ to: "1", priority: 5, from: "9", next-hop: carrier }',
        '{ to: "1", priority: 5, methods: [ REGISTER ], next-hop: carrier }',
        '{ to: "1", next-hop: two }',
      ],
      [],
    ],
    [
      'a policy for an agent beside that of its realm',
      [
        '{ from-agent: pbx, to: "1", next-hop: two }',
        '{ from-realm: access, to: "1", next-hop: carrier }',
      ],
      [],
    ],
    [
      'a wildcard that every realm overrides',
      [
        '{ to: "1", next-hop: two }',
        '{ from-realm: access, to: "1", next-hop: carrier }',
        '{ from-realm: core, to: "1", next-hop: carrier }',
      ],
      ['unreachable-route: never used: every realm has a policy of its own for this prefix'],
    ],
    [
      'a wildcard that the realms override at certain hours only',
      [
        '{ to: "1", next-hop: two }',
        `{ from-realm: access, to: "1", ${DAY}, next-hop: carrier }`,
        '{ from-realm: core, to: "1", next-hop: carrier }',
      ],
      [],
    ],
    [
      'hours that overlap',
      [
        `{ to: "1", ${DAY}, next-hop: carrier }`,
        '{ to: "1", time: { days: fri, hours: "17:00-20:00" }, next-hop: two }',
        '{ to: "1", cost: 1, time: { days: fri, hours: "16:00-20:00" }, next-hop: two }',
        '{ to: "1", next-hop: two }',
      ],
      ['overlapping-times: its hours overlap those of local-policies[0], which goes first'],
    ],
    [
      'hours that leave a gap',
      [
        `{ from-realm: access, to: "1", ${DAY}, next-hop: carrier }`,
        '{ from-realm: access, to: "1", time: { days: sat-sun }, next-hop: two }',
      ],
      [
        'time-gap: outside of mon-fri 08:00-18:00 UTC, sat-sun 00:00-24:00 UTC requests to "1" have no route',
      ],
    ],
    [
      'hours that fill the week',
      [
        '{ from-realm: access, to: "1", time: { hours: "08:00-18:00" }, next-hop: carrier }',
        '{ from-realm: access, to: "1", time: { hours: "18:00-08:00" }, next-hop: two }',
      ],
      [],
    ],
    [
      'hours with a more general policy for the rest',
      [
        `{ from-realm: access, to: "1", ${DAY}, next-hop: carrier }`,
        '{ from-realm: access, next-hop: two }',
      ],
      [],
    ],
    [
      'several prefixes, all of them shadowed',
      [
        '{ to: "1", priority: 5, next-hop: carrier }',
        '{ to-prefixes: [ "12", "13" ], next-hop: two }',
      ],
      ['unreachable-route: never used: local-policies[0] is for the same requests with priority 5'],
    ],
    [
      'several prefixes without quotes',
      ['{ to-prefixes: [ 0049, 0030 ], next-hop: carrier }'],
      [
        'bare-number: write the digits of "to-prefixes" with quotes',
        'bare-number: write the digits of "to-prefixes" with quotes',
      ],
    ],
    [
      'digits without quotes',
      ['{ to: 0049, from: 0030, next-hop: carrier }'],
      [
        'bare-number: write the digits of "to" with quotes',
        'bare-number: write the digits of "from" with quotes',
      ],
    ],
  ])('%s', (_, policies, findings) => {
    const rest = 'translations:\n  - { name: plus, called: [ { add-prefix: "+" } ] }\n';
    const found = findingsOf(withPolicies(policies, rest)).filter(
      (finding) => !finding.includes('translation "plus"'),
    );
    expect(found).toEqual(findings);
  });

  test('an interface whose only route is that of an agent has one', () => {
    const text = withPolicies(['{ from-agent: pbx, next-hop: carrier }']);
    expect(findingsOf(text)).toEqual([]);
    expect(findingsOf(withPolicies(['{ from-agent: two, next-hop: carrier }']))).toEqual([
      'no-route: calls that arrive on interface "access" have no route',
    ]);
  });

  test('a policy for requests that no policy is asked for', () => {
    const text = withPolicies(['{ methods: [ INVITE, REGISTER ], next-hop: carrier }']);
    expect(codesOf(text)).toContain('method-not-served');
  });

  test('a policy for agents exposes no trunk to strangers', () => {
    const exposed = withPolicies(['{ from-agent: pbx, next-hop: carrier }']).replace(
      'udp/127.0.0.1:6060',
      'udp/192.0.2.1:6060',
    );
    expect(codesOf(exposed)).not.toContain('open-interface');
    expect(codesOf(exposed.replace('from-agent: pbx', 'from-realm: access'))).toContain(
      'open-interface',
    );
  });
});

describe('translations', () => {
  test.each<[title: string, rules: string, findings: string[]]>([
    ['longer prefixes first', '{ strip-prefix: "00" }, { strip-prefix: "0" }', []],
    [
      'a shorter prefix before a longer one',
      '{ strip-prefix: "0" }, { strip-prefix: "00" }',
      ['shadowed-rule: never applied: called[0] fits the same numbers before'],
    ],
    [
      'a rule behind one for all numbers',
      '{ add-prefix: "9" }, { pattern: "1", replace: "2" }',
      ['shadowed-rule: never applied: called[0] fits the same numbers before'],
    ],
    [
      'a pattern that leaves nothing',
      '{ pattern: "^0.*$", replace: "" }',
      ['empty-number: nothing would be left of a number such as 030123456'],
    ],
    ['a pattern that leaves something', '{ pattern: "^0", replace: "" }', []],
    [
      'more stripped than there can be',
      '{ strip: 15 }',
      ['empty-number: nothing would be left of a number such as 111111111111111'],
    ],
    ['more stripped, and something put in place', '{ strip: 15, add-prefix: "1" }', []],
    [
      'digits without quotes',
      '{ strip-prefix: 00, add-prefix: 0049 }',
      [
        'bare-number: write the digits of "strip-prefix" with quotes',
        'bare-number: write the digits of "add-prefix" with quotes',
      ],
    ],
  ])('%s', (_, rules, findings) => {
    const text = `${edited(['admit: anyone', 'admit: anyone, translate-in: t'])}translations:\n  - { name: t, called: [ ${rules} ] }\n`;
    expect(findingsOf(text)).toEqual(findings);
  });

  test('a translation that nothing names', () => {
    const text = `${SAMPLE}translations:\n  - { name: t, called: [ { strip: 1 } ] }\n`;
    expect(findingsOf(text)).toEqual(['unused-translation: nothing names translation "t"']);
  });
});

describe('a file does not load with', () => {
  test.each([
    ['{ from-agent: carier, next-hop: carrier }', 'session agent "carier" does not exist'],
    ['{ from-agent: carier, next-hop: carrier }', 'did you mean "carrier"?'],
    ['{ from-agent: carrier, from-realm: core, next-hop: two }', 'from-realm or from-agent'],
    ['{ to: "1", to-prefixes: [ "2" ], next-hop: carrier }', 'to or to-prefixes, not both'],
    ['{ to-prefixes: [], next-hop: carrier }', 'to-prefixes'],
    ['{ next-hop: carrier, code: 403 }', 'code goes with next-hop reject only'],
    ['{ next-hop: carrier, reason: no }', 'reason goes with next-hop reject only'],
    ['{ next-hop: reject, to-realm: core }', 'to-realm goes with next-hop request-uri only'],
    ['{ next-hop: reject, translate: none }', 'nothing is translated by a policy that rejects'],
    ['{ next-hop: reject, code: 302 }', '"302" is not one of'],
    ['{ next-hop: reject, code: 699 }', '"699" is not one of'],
    ['{ next-hop: reject, reason: "a\\r\\nb" }', 'a phrase is one line'],
    ['{ next-hop: carrier, translate: nothing }', 'translation "nothing" does not exist'],
    ['{ next-hop: carrier, methods: [] }', 'methods'],
    ['{ next-hop: carrier, methods: [ BYE ] }', '"BYE" is not one of'],
    ['{ next-hop: carrier, time: { days: someday } }', 'is no list of days'],
    ['{ next-hop: carrier, time: { hours: "8-18" } }', 'is no span of hours'],
    ['{ next-hop: carrier, time: { zone: Europe/Atlantis } }', 'is no time zone'],
  ])('%s: %s', (policy, problem) => {
    expect(problemLines(withPolicies([policy])).join('\n')).toContain(problem);
  });

  test.each([
    ['admit: anyone, translate-out: no', 'translation "no" does not exist'],
    ['admit: anyone, translate-in: no', 'translation "no" does not exist'],
  ])('%s: %s', (key, problem) => {
    expect(problemLines(edited(['admit: anyone', key])).join('\n')).toContain(problem);
  });

  test('words that mean something else as names', () => {
    const text = `${SAMPLE}translations:\n  - { name: none }\n  - { name: a }\n  - { name: a }\n`;
    expect(problemLines(text).join('\n')).toContain('"none" is a reserved word');
    expect(problemLines(text).join('\n')).toContain('"a" is already the name');
    expect(problemLines(edited(['name: carrier', 'name: reject'])).join('\n')).toContain(
      '"reject" is a reserved word',
    );
  });
});
