/**
 * Calls whose messages cross, come twice or not at all: `node test/long/races.ts [calls]`, 2000 unless given.
 * Prints what became of the calls of each race. Exit code 0 only if no leg, port, dialog or subscription was left, each
 * call has one record, and that says what it may say.
 */
import process from 'node:process';
import { runRaces } from '../support/race-run.ts';

const calls = Number(process.argv[2] ?? 2000);

console.log('calls  seconds  race');
const reports = await runRaces({
  calls,
  withSlow: true,
  onReport: ({ name, calls: count, causes, problems, seconds }) => {
    console.log(`${String(count).padStart(5)}  ${seconds.toFixed(1).padStart(7)}  ${name}`);
    for (const [cause, number] of causes) console.log(`${String(number).padStart(22)}  ${cause}`);
    for (const problem of problems) console.log(`${' '.repeat(16)}PROBLEM: ${problem}`);
  },
});
const total = reports.reduce((sum, report) => sum + report.calls, 0);
const bad = reports.filter(({ problems }) => problems.length > 0);
console.log(`${total} calls, ${bad.length} of ${reports.length} races with problems`);
process.exitCode = bad.length === 0 && total > 0 ? 0 : 1;
