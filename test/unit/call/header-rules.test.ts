import { describe, expect, test } from 'vitest';
import { applyHeaderRules } from '../../../src/call/headers/header-rules.ts';
import type { HeaderRule } from '../../../src/config/header-rule.ts';
import { type Field, rule } from './header-fixtures.ts';

function after(
  rules: readonly HeaderRule[],
  fields: readonly Field[],
  message: { direction?: 'in' | 'out'; method?: string; status?: number } = {},
): Field[] {
  const headers = fields.map(([name, value]) => ({ name, value }));
  const { direction = 'in', method = 'INVITE', status } = message;
  const ruled = applyHeaderRules(rules, { direction, method, status, headers });
  return ruled.headers.map(({ name, value }): Field => [name, value]);
}

const SUBJECT: Field = ['Subject', 'Re: lunch at noon'];

describe('each action', () => {
  test.each<[string, HeaderRule, Field[], Field[]]>([
    ['add', rule('add', 'X-Tag', { value: 'v' }), [SUBJECT], [SUBJECT, ['X-Tag', 'v']]],
    ['add, already there', rule('add', 'subject', { value: 'v' }), [SUBJECT], [SUBJECT]],
    ['add, there in short', rule('add', 'Subject', { value: 'v' }), [['s', 'x']], [['s', 'x']]],
    ['remove', rule('remove', 'subject'), [SUBJECT], []],
    ['remove the short form', rule('remove', 'Subject'), [['s', 'x']], []],
    ['remove every one', rule('remove', 'X-A'), [['X-A', '1'], SUBJECT, ['x-a', '2']], [SUBJECT]],
    [
      'remove by value',
      rule('remove', 'X-A', { pattern: '^2' }),
      [
        ['X-A', '1'],
        ['X-A', '22'],
      ],
      [['X-A', '1']],
    ],
    ['replace all', rule('replace', 'Subject', { value: 'x' }), [SUBJECT], [['Subject', 'x']]],
    [
      'replace a part',
      rule('replace', 'Subject', { pattern: '^Re: (.+) at (.+)$', value: '$2, $1, $$1, $7.' }),
      [SUBJECT],
      [['Subject', 'noon, lunch, $1, .']],
    ],
    [
      'replace the first match only',
      rule('replace', 'Subject', { pattern: 'n', value: '' }),
      [SUBJECT],
      [['Subject', 'Re: luch at noon']],
    ],
    ['replace without match', rule('replace', 'Subject', { pattern: 'z' }), [SUBJECT], [SUBJECT]],
    [
      'replace grown too long',
      rule('replace', 'Subject', { pattern: 'Re', value: 'y'.repeat(2048) }),
      [SUBJECT],
      [],
    ],
  ])('%s', (_name, given, fields, expected) => {
    expect(after([given], fields)).toEqual(expected);
  });
});

function remove(changed: Partial<HeaderRule>): HeaderRule {
  return rule('remove', 'Subject', changed);
}

describe('conditions', () => {
  test.each<[string, HeaderRule, Parameters<typeof after>[2], boolean]>([
    ['the direction', remove({}), { direction: 'out' }, false],
    ['the method', remove({ methods: ['INVITE', 'BYE'] }), { method: 'BYE' }, true],
    ['another method', remove({ methods: ['INVITE'] }), { method: 'BYE' }, false],
    ['requests', remove({ messages: 'requests' }), {}, true],
    ['requests, not responses', remove({ messages: 'requests' }), { status: 200 }, false],
    ['responses', remove({ messages: 'responses' }), { status: 200 }, true],
    ['responses, not requests', remove({ messages: 'responses' }), {}, false],
    ['a code', remove({ responseCodes: ['486'] }), { status: 486 }, true],
    ['a class', remove({ responseCodes: ['180', '4xx'] }), { status: 486 }, true],
    ['another code', remove({ responseCodes: ['4xx'] }), { status: 500 }, false],
    ['a code, no request', remove({ responseCodes: ['4xx'] }), {}, false],
    ['a header that is there', remove({ ifHeader: 'x-A' }), {}, true],
    ['a header that is not', remove({ ifHeader: 'X-B' }), {}, false],
    ['one of its values', remove({ ifHeader: 'X-A', ifPattern: '^2$' }), {}, true],
    ['none of its values', remove({ ifHeader: 'X-A', ifPattern: '^3$' }), {}, false],
  ])('%s', (_name, given, message, isRemoved) => {
    const fields: Field[] = [SUBJECT, ['X-A', '1'], ['X-A', '2']];
    expect(after([given], fields, message).length).toBe(isRemoved ? 2 : 3);
  });
});

test('rules work on what the ones before have left', () => {
  const rules = [
    rule('add', 'X-A', { value: '1' }),
    rule('replace', 'X-A', { pattern: '1', value: '12' }),
    rule('add', 'X-B', { value: '2', ifHeader: 'X-A', ifPattern: '^12$' }),
    rule('remove', 'X-A'),
  ];
  expect(after(rules, [])).toEqual([['X-B', '2']]);
});

test('what passes stays marked when it is replaced', () => {
  const rules = [rule('pass', 'X-A'), rule('replace', 'X-A', { value: 'new' })];
  const ruled = applyHeaderRules(rules, {
    direction: 'in',
    method: 'INVITE',
    headers: [{ name: 'X-A', value: 'old' }],
  });
  expect([...ruled.passed].filter((field) => ruled.headers.includes(field))).toEqual([
    { name: 'X-A', value: 'new' },
  ]);
});

test('a message that costs more than a message may is left without what was to be judged', () => {
  const costly = rule('remove', 'X-A', { pattern: '(a*)*(a|b|c)*(a?){64}z' });
  const fields = Array.from({ length: 64 }, (): Field => ['X-A', 'a'.repeat(200)]);
  expect(after([costly], [SUBJECT, ...fields]).length).toBeLessThan(10);
});
