import { expect, test } from 'vitest';
import { LINT_RULES, lintConfig, type LintFinding } from '../../../src/config/lint.ts';
import type { LintCase } from './lint-case.ts';
import { DIGIT_CASES } from './lint-cases-digits.ts';
import { FEATURE_CASES } from './lint-cases-features.ts';
import { MEDIA_CASES } from './lint-cases-media.ts';
import { PORT_CASES } from './lint-cases-ports.ts';
import { ROUTE_CASES } from './lint-cases-routes.ts';
import { SAFETY_CASES } from './lint-cases-safety.ts';
import { validOf } from './sample.ts';

const TABLES = [SAFETY_CASES, DIGIT_CASES, ROUTE_CASES, PORT_CASES, MEDIA_CASES, FEATURE_CASES];
const CASES = new Map<string, LintCase>(TABLES.flatMap((table) => Object.entries(table)));

const linted = new Map<string, readonly LintFinding[]>();

function findingsIn(text: string): readonly LintFinding[] {
  const known = linted.get(text) ?? lintConfig(validOf(text));
  linted.set(text, known);
  return known;
}

/** The lines on which the rule `code` finds something in `text`; 0 for what has no line. */
function linesOf(code: string, text: string): number[] {
  const findings = findingsIn(text).filter((finding) => finding.code === code);
  return findings.map(({ line }) => line ?? 0);
}

test('every rule has cases, and every case has a rule', () => {
  const codes = LINT_RULES.map(({ code }) => code);
  expect([...CASES.keys()].toSorted()).toEqual(codes.toSorted());
  const incomplete = [...CASES].filter(
    ([, { finds, passes }]) => finds.length === 0 || passes.length === 0,
  );
  expect(incomplete.map(([code]) => code)).toEqual([]);
});

test.each([...CASES])('%s points to the line it means, and spares its twins', (code, rule) => {
  const { finds, passes } = rule;
  expect(finds.map(([, text]) => linesOf(code, text))).toEqual(finds.map(([line]) => [line]));
  expect(passes.map((text) => linesOf(code, text))).toEqual(passes.map(() => []));
});

test('columns count from one and are there where lines are', () => {
  const findings = [...CASES.values()].flatMap(({ finds }) =>
    finds.flatMap(([, text]) => findingsIn(text)),
  );
  const wrong = findings.filter(
    ({ line, column }) => (line === undefined) !== (column === undefined) || (column ?? 1) < 1,
  );
  expect(wrong).toEqual([]);
});

test('codes are unique, in the spelling of keys, and say what to do', () => {
  const codes = LINT_RULES.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes.filter((code) => !/^[a-z0-9]+(?:-[a-z0-9]+)+$/.test(code))).toEqual([]);
  const silent = LINT_RULES.filter(({ explanation }) => !/^[A-Za-z].{20,}\.$/.test(explanation));
  expect(silent.map(({ code }) => code)).toEqual([]);
});
