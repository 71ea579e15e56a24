import { expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { docsExamples } from '../../support/feature-docs.ts';
import { SAMPLE } from './sample.ts';

const BEGIN = 'feature-keys:\n';
/** What an example names in place of a secret. */
const SECRET = /\$\{([A-Z0-9_]+)\}/g;

const EXAMPLES = await docsExamples('yaml');

test('the documentation has examples of the configuration', () => {
  expect(EXAMPLES.length).toBeGreaterThan(4);
});

test.each(EXAMPLES)('an example of the documentation is a valid configuration:\n%s', (example) => {
  const section = example.startsWith(BEGIN) ? example : `${BEGIN}${example}`;
  const env = Object.fromEntries(
    Array.from(section.matchAll(SECRET), ([, name = '']) => [name, secretFor(name)]),
  );

  const loaded = loadConfig({ text: `${SAMPLE}${section}`, file: 'docs', env });

  expect(loaded.type === 'invalid' ? loaded.problems : []).toEqual([]);
});

test('the first example gives the linter nothing to say about feature keys', () => {
  const [example = ''] = EXAMPLES;
  const env = Object.fromEntries(
    Array.from(example.matchAll(SECRET), ([, name = '']) => [name, secretFor(name)]),
  );
  const loaded = loadConfig({ text: `${SAMPLE}${example}`, file: 'docs', env });
  if (loaded.type === 'invalid') throw new Error('the example is not valid');

  const codes = lintConfig(loaded).map(({ code }) => code);

  expect(codes.filter((code) => code.startsWith('feature'))).toEqual([]);
});

function secretFor(name: string): string {
  return name.startsWith('HA1') ? '0123456789abcdef0123456789abcdef' : 'word';
}
