import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';

const SECRET = 'sown-secret-4711';
const GOOD = readFileSync(new URL('../../../config/sbc.yaml', import.meta.url), 'utf8');

/** What is wrong with the file when `section` stands behind it. */
function problemsOf(section: string): string[] {
  const loaded = loadConfig({ text: `${GOOD}\n${section}\n`, file: 'sbc.yaml', env: {} });
  return loaded.type === 'invalid'
    ? loaded.problems.map(({ path, message }) => `${path}: ${message}`)
    : [];
}

test.each([
  ['in a list', `hep: { password: [ ${SECRET} ] }`],
  ['in a mapping', `hep: { password: { ${SECRET}: x } }`],
  ['behind a quote that is missing', `hep: { password: "${SECRET} }`],
  ['behind a value', `hep: { password: "x" ${SECRET} }`],
  ['on a line of its own', `hep: { password: x }\n${SECRET}`],
  ['behind a brace', `hep: { password: x } ${SECRET}`],
  ['as an alias', `hep: { password: *${SECRET} }`],
  ['as a tag', `hep: { password: !${SECRET} }`],
  ['behind a block mark', `hep:\n  password: |${SECRET}\n`],
  ['with a wrong escape', `hep: { password: "\\q${SECRET}" }`],
  ['beside a variable that is missing', `hep: { password: "${SECRET}\${NOT_THERE_4711}" }`],
  ['as a file that is missing', `hep: { password: "${SECRET}", node-name: [] }`],
  ['under a key that is wrong', `hep: { passwort: ${SECRET} }`],
  ['twice', `hep: { password: ${SECRET}, password: ${SECRET} }`],
])('a secret %s is refused without being repeated', (_where, section) => {
  const problems = problemsOf(section);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.filter((message) => message.includes(SECRET))).toEqual([]);
});
