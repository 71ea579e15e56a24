import { describe, expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { edited, SAMPLE, validOf } from './sample.ts';

const BEFORE = SAMPLE.slice(0, SAMPLE.indexOf('local-policies:'));

/** `code: message` of the findings about spellings. */
function findingsOf(text: string): string[] {
  return lintConfig(validOf(text))
    .filter(({ code }) => code === 'unmatched-spelling')
    .map(({ code, message }) => `${code}: ${message}`);
}

function withPolicies(policies: readonly string[], rest = ''): string {
  const lines = [...policies, '{ next-hop: carrier }'].map((policy) => `  - ${policy}\n`);
  return `${BEFORE}local-policies:\n${lines.join('')}${rest}`;
}

function withTranslation(rules: string): string {
  const head = edited(['admit: anyone', 'admit: anyone, translate-in: t']);
  return `${head}translations:\n  - { name: t, called: [ ${rules} ] }\n`;
}

const SEPARATED = '{ to: "+49-900", next-hop: carrier }';

describe('policies', () => {
  test.each<[title: string, policies: string[], findings: string[]]>([
    [
      'prefixes as no number is spelt where policies are looked up',
      [
        '{ to: "+49-900", from: "8%30", next-hop: reject }',
        '{ to-prefixes: [ "(0)30", "*21*", "8%2d0" ], next-hop: carrier }',
      ],
      [
        'unmatched-spelling: no number begins with "+49-900" here; write "+49900"',
        'unmatched-spelling: no number begins with "8%30" here; write "80"',
        'unmatched-spelling: no number begins with "(0)30" here; write "030"',
        'unmatched-spelling: no number begins with "8%2d0" here; write "80"',
      ],
    ],
    [
      'prefixes of names',
      [
        '{ to: "joe.smith", from: "anna-%C3%A9", next-hop: carrier }',
        '{ to: "-", next-hop: reject }',
      ],
      [],
    ],
  ])('%s', (_, policies, findings) => {
    expect(findingsOf(withPolicies(policies))).toEqual(findings);
  });

  test.each<[prefix: string, advice: string | undefined]>([
    ['49*', 'write "49"'],
    ['+49*', 'write "+49"'],
    ['49.*', 'write "49"'],
    ['49.', 'write "49"'],
    ['49...', 'write "49"'],
    ['49.+', 'write "49"'],
    ['49x', 'write "49"'],
    ['49XXXX', 'write "49"'],
    ['0[1-9]x', 'write each beginning on its own'],
    ['[2-9]XX', 'write each beginning on its own'],
    ['49|50', 'write each beginning on its own'],
    ['49, 50', 'write each beginning on its own'],
    ['0(1|2)', 'write each beginning on its own'],
    ['49{3}', 'write each beginning on its own'],
    ['_49X.', 'write "49"'],
    ['_+49N!', 'write "+49"'],
    ['^49', 'write "49"'],
    ['^\\+49\\d+$', 'write "+49"'],
    ['49$', 'write "49"'],
    ['49%', 'write "49"'],
    ['0 49', 'write "049"'],
    ['+49 30', 'write "+4930"'],
    ['+49 (30) 1x', 'write "+49301"'],
    ['030/12', 'write "03012"'],
    ['tel:+49', 'write "+49"'],
    ['sip:49@pbx.example', 'write "49"'],
    ['sip:anna', 'write "anna"'],
    ['anna@pbx.example', 'write "anna"'],
    ['sales.*', 'write "sales"'],
    ['sales*', 'write "sales"'],
    ['.*', 'write "*"'],
    ['^.*$', 'write "*"'],
    ['*21x', 'write "*21"'],
    ['*', undefined],
    ['+', undefined],
    ['*21*', undefined],
    ['**9', undefined],
    ['#31#', undefined],
    ['100*200', undefined],
    ['0049', undefined],
    ['2001pri', undefined],
    ['49xavier', undefined],
    ['49a', undefined],
    ['x200', undefined],
    ['_anna', undefined],
    ['joe.', undefined],
  ])('a prefix is no pattern: %s', (prefix, advice) => {
    const written = JSON.stringify(prefix);
    const message = `unmatched-spelling: no number begins with "${prefix}" here; ${advice}`;
    const expected = advice === undefined ? [] : [message];
    for (const policy of [`to: ${written}`, `to-prefixes: [ ${written} ]`, `from: ${written}`]) {
      expect(findingsOf(withPolicies([`{ ${policy}, next-hop: reject }`]))).toEqual(expected);
    }
  });

  test('the finding has the line of the key', () => {
    const text = withPolicies(['next-hop: carrier\n    to: "+49-900"']);
    const found = lintConfig(validOf(text)).filter(({ code }) => code === 'unmatched-spelling');
    const line = text.split('\n').findIndex((each) => each.includes('+49-900')) + 1;
    expect(found.map((finding) => finding.line)).toEqual([line]);
  });

  test.each([
    ['{ add-prefix: "+49-" }', 0],
    ['{ pattern: "^(..)", replace: "$1-" }', 0],
    ['{ add-prefix: "+49" }', 1],
  ])('separators that a translation puts in can be looked up: %s', (rule, count) => {
    const rest = `translations:\n  - { name: t, called: [ ${rule} ] }\n`;
    expect(findingsOf(withPolicies([SEPARATED], rest))).toHaveLength(count);
  });
});

describe('translations', () => {
  test.each<[title: string, rules: string, findings: string[]]>([
    [
      'separators and escapes that no number has by then',
      '{ strip-prefix: "0-0" }, { pattern: "^8%300(.*)$", replace: "$1" }, { pattern: "^\\\\+49-9\\\\.", replace: "0" }',
      [
        'unmatched-spelling: no number begins with "0-0" here; write "00"',
        'unmatched-spelling: no number begins with "8%300" here; write "800"',
        'unmatched-spelling: no number begins with "+49-9." here; write "+499"',
      ],
    ],
    [
      'separators that may be missing, and those of names',
      '{ pattern: "^0-?3", replace: "0" }, { pattern: "^joe\\\\.(.+)$", replace: "$1" }, { pattern: "0-|^1", replace: "2" }',
      [],
    ],
  ])('%s', (_, rules, findings) => {
    expect(findingsOf(withTranslation(rules))).toEqual(findings);
  });
});
