/**
 * The SIP engine crashes under many answered calls: `node test/long/engine-loss.ts [calls]`, 500 unless given; first the
 * thread of the embedded engine, then a process in the role of a drachtio-server. Exit code 0 only if all peers were
 * released, each call has its record, no port is held and the next call was answered within 5 s; then the same amid
 * traffic, where calls in set-up are lost too and the SBC may hold nothing.
 */
import process from 'node:process';
import { loseEngine, loseEngineInTraffic } from '../support/engine-loss.ts';

const MAX_RECOVERY_MS = 5000;
/** Between the ports that tests search and those that the system gives out: room for 500 calls. */
const MEDIA_RANGE = { first: 30_722, last: 32_765 };

const calls = Number(process.argv[2] ?? 500);
let isGood = calls > 0;
for (const engine of ['thread', 'process'] as const) {
  const loss = await loseEngine({ engine, calls, mediaRange: MEDIA_RANGE });
  const { report, endedMs, recoveredMs } = loss;
  console.log(`${report.name} under ${calls} calls`);
  console.log(`  all calls ended after ${Math.round(endedMs)} ms`);
  console.log(`  next call answered after ${Math.round(recoveredMs)} ms`);
  for (const [cause, count] of report.causes) console.log(`  ${count} × ${cause}`);
  for (const problem of report.problems) console.log(`  PROBLEM: ${problem}`);
  isGood &&= report.problems.length === 0 && recoveredMs < MAX_RECOVERY_MS;
}
for (const engine of ['thread', 'process'] as const) {
  const report = await loseEngineInTraffic({ engine, calls });
  console.log(`${report.name}, ${report.calls} calls, ${Math.round(report.seconds)} s`);
  for (const [cause, count] of report.causes) console.log(`  ${count} × ${cause}`);
  for (const problem of report.problems) console.log(`  PROBLEM: ${problem}`);
  isGood &&= report.problems.length === 0;
}
process.exitCode = isGood ? 0 : 1;
