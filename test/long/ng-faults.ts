/**
 * The control of an engine goes wrong in seven ways: `node test/long/ng-faults.ts [requests]`, 1000 of each unless given.
 * Exit code 0 only if each request had the right outcome or a failure with a name that fits; that it comes to an end at
 * all shows that none of the faults ended the process.
 */
import process from 'node:process';
import { NG_FAULTS, runNgFault } from '../support/ng-faults.ts';

const requests = Number(process.argv[2] ?? 1000);
let isGood = requests > 0;
for (const fault of NG_FAULTS) {
  const report = await runNgFault(fault, requests);
  const outcomes = [...report.outcomes].map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`${fault}: ${report.requests} requests, ${report.seconds.toFixed(1)} s`);
  console.log(`  ${outcomes.join(', ')}`);
  for (const problem of report.problems) console.log(`  PROBLEM: ${problem}`);
  isGood &&= report.problems.length === 0;
}
process.exitCode = isGood ? 0 : 1;
