import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatFindingsPage } from '../../../src/config/findings-page.ts';
import { LINT_RULES } from '../../../src/config/lint.ts';

test('docs/findings.md is what the rules say; npm run docs writes it', () => {
  const page = readFileSync(new URL('../../../docs/findings.md', import.meta.url), 'utf8');
  expect(page).toBe(formatFindingsPage());
});

test('every rule is on the page once', () => {
  const codes = [...formatFindingsPage().matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(
    ([, code = '']) => code,
  );
  expect(codes.toSorted()).toEqual(LINT_RULES.map(({ code }) => code).toSorted());
});
