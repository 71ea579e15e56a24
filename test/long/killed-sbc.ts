/**
 * Kills an SBC with calls up and counts the records after its next start: `node test/long/killed-sbc.ts [calls] [times]`,
 * by default 500 calls once. Ends with 1 when a call has no record or more than one.
 */
import process from 'node:process';
import { killAmidCalls } from '../support/killed-sbc.ts';

const [calls = 500, times = 1] = process.argv.slice(2).map(Number);
let isGood = true;
for (let round = 1; round <= times; round += 1) {
  const { open, ended, records, recoveryMs } = await killAmidCalls(calls);
  const counts = new Map<string, number>();
  for (const { ingress } of records) {
    counts.set(ingress.sipCallId, (counts.get(ingress.sipCallId) ?? 0) + 1);
  }
  const wrong = [...open, ...ended].filter((callId) => counts.get(callId) !== 1).length;
  isGood &&= wrong === 0 && records.length === open.length + ended.length;
  const facts = `${open.length} open, ${ended.length} ended, ${records.length} records, ${wrong} wrong`;
  console.log(`${facts}, ready again after ${Math.round(recoveryMs)} ms`);
}
process.exitCode = isGood ? 0 : 1;
