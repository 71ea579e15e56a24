/**
 * Feature keys toggled from phones, API and provider over a network that loses and doubles a tenth of all messages:
 * `node test/long/feature-toggle.ts [bursts]`, 2 unless given. Prints what each burst was. Exit code 0 only if after every
 * burst all phones, the API and the store said the same, and no NOTIFY came out of order.
 */
import process from 'node:process';
import { runToggles } from '../support/feature-toggles.ts';

const bursts = Number(process.argv[2] ?? 2);

const reports = await runToggles({
  bursts,
  changes: 400,
  accounts: 12,
  phones: 3,
  loss: 0.1,
  onBurst: ({ changes, answers, notifies, lost, doubled, settledMs, differences }) => {
    const counts = Object.entries(changes).map(([source, count]) => `${count} by ${source}`);
    const statuses = Array.from(answers, ([status, count]) => `${count} ${status}`).toSorted();
    console.log(`${counts.join(', ')}; answers: ${statuses.join(', ')}`);
    console.log(
      `  ${notifies} NOTIFYs, ${lost} messages lost, ${doubled} doubled, all equal after ${(settledMs / 1000).toFixed(1)} s`,
    );
    for (const difference of differences) console.log(`  DIFFERENT: ${difference}`);
  },
});
const bad = reports.filter(({ differences }) => differences.length > 0);
console.log(`${reports.length} bursts, ${bad.length} with differences`);
process.exit(bad.length === 0 && reports.length > 0 ? 0 : 1);
