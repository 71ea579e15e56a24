/** A short form of test/long/feature-toggle.ts. */

import { expect, test } from 'vitest';
import { runToggles } from '../support/feature-toggles.ts';

test('phones, API and store say the same after toggles from all sides with lost and doubled messages', async () => {
  const reports = await runToggles({ bursts: 1, changes: 150, accounts: 6, phones: 3, loss: 0.1 });

  expect(reports.flatMap(({ differences }) => differences)).toEqual([]);
  expect(reports.map(({ lost, doubled }) => lost > 0 && doubled > 0)).toEqual([true]);
});
