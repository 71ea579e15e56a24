/**
 * A thousand early requests of each kind against an application that attaches its listeners late:
 * `node test/long/engine-pacing.ts [callsPerKind]`. Exit code 0 only if none was lost.
 */
import process from 'node:process';
import { countEarlyRequests } from '../support/engine-pacing.ts';

const PEERS = 20;
const callsPerKind = Number(process.argv[2] ?? 1000);

const startedMs = performance.now();
const counts = await countEarlyRequests(PEERS, callsPerKind);
for (const [kind, { found, lost }] of counts) {
  console.log(`${kind}: ${found} of ${callsPerKind} found their listener`);
  for (const problem of new Set(lost)) console.log(`  lost: ${problem}`);
}
console.log(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
const isComplete = [...counts.values()].every(({ found }) => found === callsPerKind && found > 0);
process.exitCode = isComplete ? 0 : 1;
