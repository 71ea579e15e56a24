/** Writes docs/configuration.md from the schema and docs/findings.md from the rules of the linter. */
import { writeFileSync } from 'node:fs';
import { formatFindingsPage } from './findings-page.ts';
import { formatReference } from './reference.ts';

for (const [name, text] of [
  ['configuration.md', formatReference()],
  ['findings.md', formatFindingsPage()],
] as const) {
  const target = new URL(`../../docs/${name}`, import.meta.url);
  writeFileSync(target, text);
  process.stdout.write(`wrote ${target.pathname}\n`);
}
