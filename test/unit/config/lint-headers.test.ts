import { describe, expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { configOf, edited, problemLines, validOf } from './sample.ts';

const ACCESS = 'admit: anyone';
const CORE = 'tcp/127.0.0.1:6062 ]';
const AGENT = 'address: 127.0.0.1:6080';

/** The sample with `header-rules: [ rules ]` on the interface access or, if it is written, on the agent. */
function withRules(rules: string, at = ACCESS): string {
  return edited([at, `${at}, header-rules: [ ${rules} ]`]);
}

function codesOf(text: string): string[] {
  return lintConfig(validOf(text)).map(({ code, line }) => `${code}@${line ?? '-'}`);
}

function remove(header: string): string {
  return `{ direction: in, action: remove, header: ${header} }`;
}

describe('a rule that is refused', () => {
  test.each([
    'Via',
    'call-id',
    'CSEQ',
    'Contact',
    'Content-Length',
    'Content-Type',
    'From',
    'To',
    'Route',
    'Record-Route',
    'Max-Forwards',
    'Require',
    'Allow-Events',
    'Event',
    'Authorization',
  ])('touches %s, which the SBC owns', (header) => {
    expect(problemLines(withRules(remove(header))).join('\n')).toContain(
      `${header} belongs to the SBC: dialogs, bodies and topology hiding rest on it, so no rule may touch it`,
    );
  });

  test.each([
    ['{ direction: in, action: remove, header: s }', '"s" is a short form: write the long name'],
    ['{ direction: in, action: remove, header: "X Y" }', '"X Y" is no header name'],
    ['{ direction: in, action: remove, header: "X:" }', '"X:" is no header name'],
    ['{ direction: in, action: remove, header: constructor }', '"constructor" is no header name'],
    ['{ direction: in, action: remove, header: X_Y }', '"X_Y" is no header name'],
    [`{ direction: in, action: remove, header: ${'x'.repeat(65)} }`, 'is no header name'],
    ['{ direction: in, action: add, header: X-A }', '"add" needs a value'],
    ['{ direction: in, action: replace, header: X-A }', '"replace" needs a value'],
    ['{ direction: in, action: remove, header: X-A, value: x }', '"remove" takes no value'],
    ['{ direction: in, action: add, header: X-A, value: x, pattern: y }', '"add" takes no pattern'],
    ['{ direction: out, action: pass, header: X-A }', '"pass" belongs to direction in'],
    [
      '{ direction: in, action: add, header: X-A, value: "a\\r\\nVia: b" }',
      'line breaks and control',
    ],
    ['{ direction: in, action: add, header: X-A, value: "a\\nb" }', 'line breaks and control'],
    ['{ direction: in, action: add, header: X-A, value: "a\\tb" }', 'line breaks and control'],
    [`{ direction: in, action: add, header: X-A, value: ${'v'.repeat(1025)} }`, 'longer than 1024'],
    ['{ direction: in, action: remove, header: X-A, pattern: "(" }', 'a "(" without ")"'],
    ['{ direction: in, action: remove, header: X-A, pattern: "(a)\\\\1" }', 'is not supported'],
    ['{ direction: in, action: remove, header: X-A, if-pattern: x }', 'if-pattern needs if-header'],
    ['{ direction: in, action: remove, header: X-A, if-header: X }', 'is no long header name'],
    ['{ direction: in, action: remove, header: X-A, methods: [ invite ] }', 'is not one of INVITE'],
    ['{ direction: in, action: remove, header: X-A, response-codes: [ 700 ] }', 'no response code'],
    [
      '{ direction: in, action: remove, header: X-A, response-codes: [ "486" ], messages: requests }',
      'requests have no response code',
    ],
    ['{ direction: both, action: remove, header: X-A }', 'is not one of in, out'],
    [Array.from({ length: 65 }, () => remove('X-A')).join(', '), 'more than 64 rules'],
  ])('%s: %s', (rule, message) => {
    const problems = problemLines(withRules(rule)).join('\n');
    expect(message.split('|').filter((part) => problems.includes(part))).not.toEqual([]);
  });
});

test('a rule has all its parts', () => {
  const rule =
    '{ direction: out, action: replace, header: X-A, pattern: "^(.)", value: "$1", methods: [ BYE ], messages: responses, response-codes: [ 2xx ], if-header: To, if-pattern: x }';
  expect(configOf(withRules(rule)).sipInterfaces[0]?.headerRules).toEqual([
    {
      direction: 'out',
      action: 'replace',
      header: 'X-A',
      pattern: '^(.)',
      value: '$1',
      methods: ['BYE'],
      messages: 'responses',
      responseCodes: ['2xx'],
      ifHeader: 'To',
      ifPattern: 'x',
    },
  ]);
});

test('an agent has rules of its own or none', () => {
  expect(configOf(withRules('', AGENT)).sessionAgents[0]?.headerRules).toEqual([]);
  expect(configOf(edited()).sessionAgents[0]?.headerRules).toBeUndefined();
});

const PASS_PAI = '{ direction: in, action: replace, header: P-Asserted-Identity, value: x }';
const DIVERT = '{ direction: in, action: add, header: Diversion, value: x }';
const REMOVE = '{ direction: in, action: remove, header: X-A }';

describe('a finding', () => {
  test.each<[string, string[]]>([
    [edited([ACCESS, `${ACCESS}, trust: trusted`]), ['trusted-strangers@5']],
    [edited([CORE, `${CORE}, trust: trusted`]), []],
    [edited([CORE, `${CORE}, trust: trusted, allow: [ 192.0.2.0/24 ]`]), ['trusted-networks@6']],
    [edited([AGENT, `${AGENT}, trust: trusted`]), []],
    [withRules(PASS_PAI), ['header-rule-without-effect@5']],
    [withRules(DIVERT), ['header-rule-without-effect@5']],
    [edited([AGENT, `${AGENT}, trust: trusted, header-rules: [ ${DIVERT}, ${PASS_PAI} ]`]), []],
    [edited([AGENT, `${AGENT}, header-rules: [ ${DIVERT} ]`]), ['header-rule-without-effect@8']],
    [
      edited([CORE, `${CORE}, header-rules: [ ${DIVERT} ]`], [AGENT, `${AGENT}, trust: trusted`]),
      [],
    ],
    [withRules(`${REMOVE}, ${REMOVE}`), ['header-rule-without-effect@5']],
    [withRules(`${REMOVE}, { direction: in, action: add, header: x-a, value: b }, ${REMOVE}`), []],
    [withRules(`{ direction: in, action: remove, header: X-A, methods: [ BYE ] }, ${REMOVE}`), []],
    [withRules(`${REMOVE}, { direction: out, action: remove, header: X-A }`), []],
  ])('%#: %j', (text, codes) => {
    expect(codesOf(text).filter((code) => /trust|header/.test(code))).toEqual(codes);
  });
});
