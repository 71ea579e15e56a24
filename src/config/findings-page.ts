/** docs/findings.md: every rule of the linter, made from the rules. */
import { LINT_RULES, type Severity } from './lint.ts';

const HEAD = `# Findings of \`tonebridge check\`

What the linter says about a configuration that is valid in form. This file is made from the rules by \`npm run docs\`;
\`tonebridge check --list\` prints the same table, \`tonebridge check --explain CODE\` one row of it.

Each finding names line and column. Errors and warnings make \`check\` fail with exit status 1, notes only with \`--strict\`.
`;

const SECTIONS: readonly (readonly [Severity, string])[] = [
  ['error', '## Errors: it will not work, or is open to everybody'],
  ['warning', '## Warnings: most likely not what is meant'],
  ['info', '## Notes: worth knowing'],
];

/** The whole file; ends with a line feed. */
export function formatFindingsPage(): string {
  const sections = SECTIONS.map(([severity, title]) => {
    const rows = LINT_RULES.filter((rule) => rule.severity === severity)
      .toSorted((a, b) => a.code.localeCompare(b.code, 'en'))
      .map(({ code, explanation }) => `| \`${code}\` | ${explanation.replaceAll('|', '\\|')} |\n`);
    return `${title}\n\n| code | why, and what to do |\n| --- | --- |\n${rows.join('')}`;
  });
  return [HEAD, ...sections].join('\n');
}
