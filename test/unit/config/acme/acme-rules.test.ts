import { describe, expect, test } from 'vitest';
import { translateNumber } from '../../../../src/config/number-translation.ts';
import { load } from './imported.ts';

describe('translation-rules', () => {
  test.each<[string[], string, string]>([
    [['type add', 'add-string 9'], '123', '9123'],
    [['type add', 'add-string 9', 'add-index 2'], '12345', '129345'],
    [['type add', 'add-string 9', 'add-index $'], '123', '1239'],
    [['type delete', 'delete-string +49'], '+4930', '30'],
    [['type delete', 'delete-string +49'], '0049', '0049'],
    [['type delete', 'delete-string @@'], '12345', '345'],
    [['type delete', 'delete-string @@', 'delete-index 1'], '12345', '145'],
    [['type delete', 'delete-string .', 'delete-index 1'], '1.2', '12'],
    [['type replace', 'delete-string 00', 'add-string +'], '0049', '+49'],
    [
      ['type replace', 'delete-string 3', 'delete-index 2', 'add-index 2', 'add-string 9'],
      '12345',
      '12945',
    ],
  ])('%j makes of %s %s', (rule, number, expected) => {
    const { config } = load([
      'session-agent',
      ' hostname x',
      ' realm-id core',
      ' in-translationid t',
      'session-translation',
      ' id t',
      ' rules-called r',
      'translation-rules',
      ' id r',
      ...rule.map((text) => ` ${text}`),
    ]);
    expect(translateNumber(config.translations[0]?.called ?? [], number)).toBe(expected);
    expect(config.sessionAgents[1]?.translateIn).toBe('t');
  });

  test('rules at the front that always apply are one rule', () => {
    const { config, lines } = load([
      'session-agent',
      ' hostname x',
      ' realm-id core',
      ' out-translationid t',
      'session-translation',
      ' id t',
      ' rules-calling (nine three strip)',
      'translation-rules',
      ' id nine',
      ' type add',
      ' add-string 99',
      'translation-rules',
      ' id three',
      ' type delete',
      ' delete-string @@@',
      'translation-rules',
      ' id strip',
      ' type add',
      ' add-string +',
    ]);
    expect(config.translations[0]?.calling).toEqual([{ type: 'strip', digits: 1, addPrefix: '+' }]);
    expect(lines.find(({ parameter }) => parameter === 'rules-calling')?.fate).toBe('carried');
  });

  test('rules that cannot be one are carried with a warning', () => {
    const { lines } = load([
      'session-agent',
      ' hostname x',
      ' realm-id core',
      ' out-translationid t',
      'session-translation',
      ' id t',
      ' rules-called a b',
      'translation-rules',
      ' id a',
      ' type delete',
      ' delete-string 00',
      'translation-rules',
      ' id b',
      ' type add',
      ' add-string +',
    ]);
    expect(lines.find(({ parameter }) => parameter === 'rules-called')?.fate).toBe('changed');
  });
});

/** What becomes of one header rule: the rule here, or why there is none. */
function headerRule(...texts: string[]) {
  const { config, lines } = load([
    'session-agent',
    ' hostname x',
    ' realm-id core',
    ' out-manipulationid m',
    'sip-manipulation',
    ' name m',
    ' header-rule',
    ...texts.map((text) => `  ${text}`),
  ]);
  const [made] = config.sessionAgents[1]?.headerRules ?? [];
  return made ?? lines.find(({ element }) => element.startsWith('header-rule'))?.reason;
}

describe('sip-manipulation', () => {
  test.each<[string[], object | string]>([
    [['header-name X-A', 'action delete'], { direction: 'out', action: 'remove', header: 'X-A' }],
    [
      ['header-name X-A', 'action delete', 'match-value a+b', 'comparison-type case-sensitive'],
      { action: 'remove', pattern: '^a\\+b$' },
    ],
    [
      [
        'header-name X-A',
        'action add',
        'new-value "some text"',
        'msg-type request',
        'methods INVITE',
      ],
      { action: 'add', value: 'some text', messages: 'requests', methods: ['INVITE'] },
    ],
    [
      [
        'header-name X-A',
        'action find-replace-all',
        'comparison-type pattern-rule',
        'match-value 00',
        'new-value +',
      ],
      { action: 'replace', pattern: '00', value: '+' },
    ],
    [
      [
        'header-name X-A',
        'action manipulate',
        'element-rule',
        '  name e',
        '  type header-value',
        '  action replace',
        '  new-value new',
      ],
      { action: 'replace', value: 'new' },
    ],
    [['header-name X-A', 'action add', 'new-value $LOCAL_IP'], 'its new-value is computed'],
    [['header-name X-A', 'action store'], 'action store has no counterpart'],
    [
      [
        'header-name X-A',
        'action manipulate',
        'element-rule',
        '  type uri-host',
        '  action replace',
        '  new-value a',
      ],
      'parts of a header (uri-host)',
    ],
  ])('%j', (texts, expected) => {
    const made = headerRule(...texts);
    expect(typeof expected === 'string' ? { reason: made } : made).toMatchObject(
      typeof expected === 'string' ? { reason: expected } : expected,
    );
  });

  test('rules about headers of the SBC itself are lost', () => {
    expect(headerRule('header-name Via', 'action delete')).toMatch(/^Via belongs to the SBC/);
  });
});
