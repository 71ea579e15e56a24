/**
 * Reloads under calls: `npm run test:reloads -- [reloads] [calls per second]`, 200 and 50 unless given. Files in turn add and
 * take away agents, policies, header rules, parameters, ports, interfaces and certificates; every third one is refused,
 * some since a port of theirs is in use. Exit code 0 only if each reload came to what it had to, no call was refused or
 * lost, every key arrived once, and the SBC holds no more than before.
 */
import process from 'node:process';
import { endWithin } from '../../bench/support/owned.ts';
import { percentile } from '../../bench/support/sipp-load.ts';
import { runReloads } from '../support/reload-run.ts';
import type { ReloadStep } from '../support/reload-run.ts';

const LIMIT_BASE_MS = 600_000;
const LIMIT_PER_RELOAD_MS = 1500;
const STEPS = 10;
const KILOBYTE = 1024;
/** Code that is compiled for the first time, an hour of points for charts; 10 000 reloads that kept 1 kB each would show. */
const ALLOWED_GROWTH_BYTES = 5 * 1024 * KILOBYTE;
/** What the digit ledger keeps. */
const LEDGER_PRESSES = 10_000;
const PRESS_BYTES = KILOBYTE;
/** Connections of this process, and sockets towards peers that rest for 40 s. */
const ALLOWED_FILES = 8;

const reloads = Number(process.argv[2] ?? 200);
const callsPerSecond = Number(process.argv[3] ?? 50);
endWithin(LIMIT_BASE_MS + reloads * LIMIT_PER_RELOAD_MS);

const report = await runReloads({
  reloads,
  callsPerSecond,
  stepReloads: Math.max(1, Math.floor(reloads / STEPS)),
  onStep: (step) => console.log(lineOf(step)),
});
const [before, after] = report.atRest;
const { traffic, problems } = report;
const at = (values: readonly number[], share: number): string =>
  `${percentile(
    values.toSorted((a, b) => a - b),
    share,
  ).toFixed(1)} ms`;

console.log(`at rest before: ${lineOf(before)}`);
console.log(`at rest behind: ${lineOf(after)}`);
console.log(`reloads: ${report.applied} applied, ${report.refused} refused`);
console.log(`reload p50 ${at(report.reloadMs, 0.5)}, p99 ${at(report.reloadMs, 0.99)}`);
console.log(`calls: ${traffic.begun} begun, ${traffic.answered} answered, ${traffic.ended} ended`);
for (const [cause, count] of report.causes) console.log(`  ${count} × ${cause}`);
console.log(`set-up p50 ${at(traffic.setUpMs, 0.5)}, p99 ${at(traffic.setUpMs, 0.99)}`);
console.log(`requests repeated: ${report.repeats}; keys pressed and heard: ${report.presses}`);
const growth = after.heapBytes - before.heapBytes;
const allowed = ALLOWED_GROWTH_BYTES + Math.min(report.presses, LEDGER_PRESSES) * PRESS_BYTES;
const moreFiles = after.files - before.files;
const faults = [
  ...[...traffic.failed].map(([what, count]) => `${count} calls failed: ${what}`),
  ...[...traffic.dropped].map(([what, count]) => `${count} calls dropped: ${what}`),
  ...problems,
  ...(growth > allowed ? [`the heap grew by ${Math.round(growth / KILOBYTE)} kB`] : []),
  ...(moreFiles > ALLOWED_FILES ? [`${moreFiles} files more are open`] : []),
  ...(report.presses === 0 ? ['no key was pressed'] : []),
];
for (const fault of faults) console.log(`PROBLEM: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

function lineOf({ reloads: count, heapBytes, files, activeCalls, seconds }: ReloadStep): string {
  const megabytes = (heapBytes / KILOBYTE / KILOBYTE).toFixed(2);
  return `${count} reloads: heap ${megabytes} MB, ${files} fds, ${activeCalls} calls up, ${seconds.toFixed(0)} s`;
}
