/** The worked examples of docs/feature-keys.md, so that tests can run what readers copy. */

import { readFile } from 'node:fs/promises';

const FILE = new URL('../../docs/feature-keys.md', import.meta.url);

/** The code blocks of a language below a heading of any level, in order; below all without one. */
export async function docsExamples(language: string, heading?: string): Promise<readonly string[]> {
  const text = await readFile(FILE, 'utf8');
  const sections = text.split(/^(?=#{2,3} )/m);
  const wanted = sections.filter(
    (section) => heading === undefined || section.startsWith(`${heading}\n`),
  );
  const blocks = wanted.flatMap((section) => [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]);
  return blocks.filter(([, name]) => name === language).map(([, , code = '']) => code);
}
