/** README.md of the benchmarks: a head and one section per script, written by whichever script ran. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..');
const README = join(FOLDER, 'README.md');
const HEAD = [
  '# Benchmarks',
  '',
  'Written by `npm run bench`, the long run by `npm run bench -- --soak 100000`, the relay beside others by',
  '`npm run bench:media`. Absolute values differ from machine to machine; compare within one run only.',
].join('\n');

/** Text of a section, its heading first, by title. */
export type Sections = ReadonlyMap<string, string>;

/** Replaces the sections that ran; the others stay as they were. */
export function writeSections(sections: Sections): void {
  const text = existsSync(README) ? readFileSync(README, 'utf8') : '';
  writeFileSync(README, withSections(text, sections));
}

/** Sections are known by the first word of their title and, if there is one, the option after it. Pure. */
export function withSections(readme: string, sections: Sections): string {
  const all = new Map<string, string>();
  for (const section of readme.trimEnd().split(/\n\n(?=## )/)) {
    const [, title] = /^## (.*)/.exec(section) ?? [];
    if (title !== undefined) all.set(keyOf(title), section);
  }
  for (const [title, section] of sections) all.set(keyOf(title), section.trim());
  const ordered = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, section]) => section);
  return `${[HEAD, ...ordered].join('\n\n')}\n`;
}

/** `calls.bench.ts --calls 100000` and `calls.bench.ts` are two sections, whatever the number. */
function keyOf(title: string): string {
  return title.split(' ').slice(0, 2).join(' ');
}

/** What a benchmark says of itself: its first comment. */
export function methodOf(file: string): string {
  const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(join(FOLDER, file), 'utf8')) ?? [];
  return comment.replaceAll(/^ ?\*? ?/gm, '').trim();
}

/** The machine and the state of the sources, so that a figure can be traced. */
export function circumstances(): string {
  const changed = git('status', '--porcelain', '--', '../src') === '' ? '' : ' with changes';
  const sources = `${git('rev-parse', '--short', 'HEAD')}${changed}`;
  const [cpu] = cpus();
  return `${cpu?.model ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}, sources at ${sources}.`;
}

function git(...words: string[]): string {
  return execFileSync('git', words, { cwd: FOLDER, encoding: 'utf8' }).trim();
}
