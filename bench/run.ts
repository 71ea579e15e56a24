/** Runs every `*.bench.ts` beside this file, one after the other, and writes what they print to README.md. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

const FOLDER = import.meta.dirname;

/** The state of the sources, so that a figure can be traced. */
function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: FOLDER,
    encoding: 'utf8',
  }).trim();
}

function main(): number {
  const [cpu] = cpus();
  const sections = [
    '# Benchmarks',
    '',
    'Written by `npm run bench`. Absolute values differ from machine to machine; compare within one run only.',
    '',
    `${cpu?.model ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}, sources at ${commit()}.`,
  ];
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.bench.ts'));
  let failed = 0;
  for (const name of names.toSorted()) {
    const run = spawnSync(process.execPath, [join(FOLDER, name)], { encoding: 'utf8' });
    console.log(`${name}\n${run.stdout}${run.stderr}`);
    if (run.status === 0) sections.push('', `## ${name}`, '', '```', run.stdout.trimEnd(), '```');
    else failed += 1;
  }
  if (failed === 0) writeFileSync(join(FOLDER, 'README.md'), `${sections.join('\n')}\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = main();
