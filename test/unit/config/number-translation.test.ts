import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NumberRule, translateNumber } from '../../../src/config/number-translation.ts';
import { configOf, problemLines, SAMPLE } from './sample.ts';

/** Rules as the file spells them. */
function rulesOf(yaml: string): readonly NumberRule[] {
  const { translations } = configOf(
    `${SAMPLE}translations:\n  - { name: t, called: [ ${yaml} ] }\n`,
  );
  return translations[0]?.called ?? [];
}

const E164 = '{ strip-prefix: "00", add-prefix: "+" }, { strip-prefix: "0", add-prefix: "+49" }';

test.each([
  [E164, '0049301234', '+49301234'],
  [E164, '0301234', '+49301234'],
  [E164, '+49301234', '+49301234'],
  [E164, '110', '110'],
  [E164, '0', '+49'],
  ['{ strip: 2 }', '4711', '11'],
  ['{ strip: 2 }', '4', '4'],
  ['{ strip: 2 }', '47', '47'],
  ['{ strip: 2, add-prefix: "9" }', '47', '9'],
  ['{ add-prefix: "#31#" }', '4711', '#31#4711'],
  ['{ strip-prefix: "4711" }', '4711', '4711'],
  ['{ pattern: "^\\\\+49(.*)$", replace: "0$1" }', '+49301234', '0301234'],
  ['{ pattern: "^(\\\\d{3})(\\\\d+)$", replace: "$2$1" }', '12345', '45123'],
  ['{ pattern: "5", replace: "" }', '1525', '125'],
  ['{ pattern: "^.*$", replace: "" }, { add-prefix: "9" }', '1525', '91525'],
  ['{ pattern: "x(9)?", replace: "$1" }', '1x2', '12'],
  [E164, '', ''],
])('%s: %s becomes %s', (rules, number, expected) => {
  expect(translateNumber(rulesOf(rules), number)).toBe(expected);
});

test('what is too long for a number stays as it is', () => {
  const long = '0'.repeat(65);
  expect(translateNumber(rulesOf(E164), long)).toBe(long);
  expect(translateNumber(rulesOf(E164), '0'.repeat(64))).toHaveLength(63);
});

test('any number and any rules: a number comes out, never an empty one and never an endless one', () => {
  const rules = rulesOf(
    `${E164}, { pattern: "(a|aa)*(a|aa)*(a|aa)*b", replace: "$1" }, { strip: 3 }`,
  );
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64 }), (number) => {
      const result = translateNumber(rules, number);
      expect(result.length).toBeGreaterThan(0);
      expect(result.length).toBeLessThanOrEqual(64);
    }),
  );
  expect(translateNumber(rules, 'a'.repeat(60))).toBe('a'.repeat(57));
});

describe('a file does not load with', () => {
  test.each([
    ['{ pattern: "5" }', 'pattern and replace go together'],
    ['{ replace: "5" }', 'pattern and replace go together'],
    ['{ strip: 1, strip-prefix: "0" }', 'strip or strip-prefix, not both'],
    ['{ pattern: "5", replace: "6", strip: 1 }', 'takes no strip and no prefix'],
    ['{}', 'a rule needs strip'],
    ['{ add-prefix: "<sip:x>" }', 'is no part of a number'],
    ['{ add-prefix: "" }', 'is no part of a number'],
    ['{ pattern: "(", replace: "6" }', 'is no pattern'],
    ['{ pattern: "5", replace: "a;b" }', 'is no part of a number'],
    ['{ strip: 33 }', 'is no whole number from 1 to 32'],
  ])('%s: %s', (rule, problem) => {
    const lines = problemLines(`${SAMPLE}translations:\n  - { name: t, calling: [ ${rule} ] }\n`);
    expect(lines.join('\n')).toContain(problem);
  });
});
