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
