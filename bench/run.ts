/**
 * Runs every `*.bench.ts` beside this file, one after the other, and writes what they do and print to README.md.
 *
 *   node bench/run.ts [--soak CALLS]
 *
 * Only with --soak the long run of calls is repeated; else its section stays as it was.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const FOLDER = import.meta.dirname;
const README = join(FOLDER, 'README.md');
const SOAK = 'calls.bench.ts --calls';

interface Run {
  readonly file: string;
  readonly words: readonly string[];
}

function git(...words: string[]): string {
  return execFileSync('git', words, { cwd: FOLDER, encoding: 'utf8' }).trim();
}

/** The machine and the state of the sources, so that a figure can be traced. */
function circumstances(): string {
  const changed = git('status', '--porcelain', '--', '../src') === '' ? '' : ' with changes';
  const sources = `${git('rev-parse', '--short', 'HEAD')}${changed}`;
  const [cpu] = cpus();
  return `${cpu?.model ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}, sources at ${sources}.`;
}

/** What a benchmark says of itself: its first comment. */
function methodOf(file: string): string {
  const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(join(FOLDER, file), 'utf8')) ?? [];
  return comment.replaceAll(/^ ?\*? ?/gm, '').trim();
}

/** Its section of the README; `undefined` when it fails. */
function run({ file, words }: Run): string | undefined {
  const title = [file, ...words].join(' ');
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(FOLDER, file), ...words], {
    encoding: 'utf8',
  });
  console.log(`${title}\n${stdout}${stderr}`);
  if (status !== 0) return undefined;
  const lines = [`## ${title}`, '', methodOf(file), '', circumstances(), ''];
  return [...lines, '```', stdout.trimEnd(), '```'].join('\n');
}

/** The section of the last long run. */
function earlierSoak(): string[] {
  if (!existsSync(README)) return [];
  const sections = readFileSync(README, 'utf8')
    .trimEnd()
    .split(/\n\n(?=## )/);
  return sections.filter((section) => section.startsWith(`## ${SOAK}`));
}

function main(): number {
  const { values } = parseArgs({ options: { soak: { type: 'string' } } });
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.bench.ts'));
  const runs: Run[] = names.toSorted().map((file) => ({ file, words: [] }));
  if (values.soak !== undefined) {
    const [file = '', option = ''] = SOAK.split(' ');
    runs.push({ file, words: [option, values.soak] });
  }
  const sections = runs.map(run);
  const done = sections.filter((section) => section !== undefined);
  if (done.length < runs.length) return 1;
  const head = [
    '# Benchmarks',
    '',
    'Written by `npm run bench`, the long run by `npm run bench -- --soak 100000`. Absolute values differ from machine to',
    'machine; compare within one run only.',
  ].join('\n');
  const kept = values.soak === undefined ? earlierSoak() : [];
  writeFileSync(README, `${[head, ...done, ...kept].join('\n\n')}\n`);
  return 0;
}

process.exitCode = main();
