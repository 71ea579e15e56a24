import { describe, expect, test } from 'vitest';
import { problemLines, SAMPLE } from './sample.ts';

describe('text that is no configuration', () => {
  test.each<[name: string, text: string, problems: string[]]>([
    [
      'empty',
      '',
      [
        '1:1: realms: "realms" is required here',
        '1:1: sip-interfaces: "sip-interfaces" is required here',
      ],
    ],
    [
      'a comment',
      '# nothing\n',
      [
        '1:1: realms: "realms" is required here',
        '1:1: sip-interfaces: "sip-interfaces" is required here',
      ],
    ],
    [
      'a word',
      'realms',
      [
        '1:1: expected a mapping of sections such as "realms:" and "sip-interfaces:"',
        '1:1: realms: "realms" is required here',
        '1:1: sip-interfaces: "sip-interfaces" is required here',
      ],
    ],
    [
      'a list',
      '- realms\n',
      [
        '1:1: expected a mapping of sections such as "realms:" and "sip-interfaces:"',
        '1:1: realms: "realms" is required here',
        '1:1: sip-interfaces: "sip-interfaces" is required here',
      ],
    ],
    [
      'an open bracket',
      'realms: [\n',
      ['2:1: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['a tab', 'realms:\n\t- name: x\n', ['2:1: Tabs are not allowed as indentation']],
    [
      'two documents',
      'realms: []\n---\nrealms: []\n',
      ['2:1: only one document (---) may stand in the file'],
    ],
    [
      'a mapping as key',
      '{ a: 1 }: x\n',
      [
        '1:1: a key must be plain text',
        '1:1: realms: "realms" is required here',
        '1:1: sip-interfaces: "sip-interfaces" is required here',
      ],
    ],
    [
      'a tag',
      'log: !!js/function x\n',
      [
        '1:1: realms: "realms" is required here',
        '1:1: sip-interfaces: "sip-interfaces" is required here',
        '1:6: tags (!name) are not supported; a value that begins with "!" stands in quotes',
        '1:20: log: expected a mapping, found a single value',
      ],
    ],
  ])('%s is refused with a place', (_, text, problems) => {
    expect(problemLines(text)).toEqual(problems);
  });

  test('a huge file is refused unread', () => {
    expect(problemLines(' '.repeat(5_000_000))).toEqual(['1:1: the file is larger than 4 MiB']);
  });

  test('endless nesting is refused', () => {
    expect(problemLines('['.repeat(2000)).length).toBeGreaterThan(0);
  });

  test('"__proto__" is a key like any other', () => {
    expect(problemLines(`${SAMPLE}__proto__: { sip: x }\n`)).toEqual([
      '12:1: __proto__: unknown key "__proto__"',
    ]);
  });
});
