/**
 * Runs every `*.bench.ts` beside this file, one after the other, and writes what they do and print to README.md.
 *
 *   node bench/run.ts [--soak CALLS] [--media CALLS,…] [FILE …]
 *
 * Only with --soak the long run of calls is repeated. With --media digits.bench.ts takes keys beside so many further calls
 * with audio as well, which wants root. Files that are not named, if any are, do not run; sections of what
 * does not run stay as they were. media.bench.ts, which wants a machine for itself, writes its own (`npm run bench:media`).
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { circumstances, methodOf, writeSections } from './support/readme.ts';

const FOLDER = import.meta.dirname;
const SOAK = 'calls.bench.ts --calls';
const BY_ITSELF = ['media.bench.ts'];

const DIGITS = 'digits.bench.ts';

interface Run {
  readonly file: string;
  readonly words: readonly string[];
  /** Of its section. */
  readonly title: string;
}

/** Title and text of its section of the README; `undefined` when it fails. */
function run({ file, words, title }: Run): [title: string, text: string] | undefined {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(FOLDER, file), ...words], {
    encoding: 'utf8',
  });
  console.log(`${title}\n${stdout}${stderr}`);
  if (status !== 0) return undefined;
  const lines = [`## ${title}`, '', methodOf(file), '', circumstances(), ''];
  return [title, [...lines, '```', stdout.trimEnd(), '```'].join('\n')];
}

function main(): number {
  const { values, positionals } = parseArgs({
    options: { soak: { type: 'string' }, media: { type: 'string' } },
    allowPositionals: true,
  });
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.bench.ts'));
  const wanted = names.filter(
    (name) => !BY_ITSELF.includes(name) && (positionals.length === 0 || positionals.includes(name)),
  );
  const runs: Run[] = wanted.toSorted().map((file) => {
    const isBeside = file === DIGITS && values.media !== undefined;
    return { file, title: file, words: isBeside ? ['--media', values.media ?? ''] : [] };
  });
  if (values.soak !== undefined) {
    const [file = '', option = ''] = SOAK.split(' ');
    runs.push({ file, title: `${SOAK} ${values.soak}`, words: [option, values.soak] });
  }
  const sections = runs.map(run);
  const done = sections.filter((section) => section !== undefined);
  if (done.length < runs.length) return 1;
  writeSections(new Map(done));
  return 0;
}

process.exitCode = main();
