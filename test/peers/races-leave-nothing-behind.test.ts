/** Messages that cross, come twice or not at all: the short form of test/long/races.ts. */
import { expect, test } from 'vitest';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { runRaces } from '../support/race-run.ts';

checkLeaksAfterEach();

/** Bounds the waiting for what never comes; a run without faults takes about ten seconds. */
const LIMIT = { timeout: 180_000 };

test('each race of 200 calls ends with one record per call and nothing left', LIMIT, async () => {
  const reports = await runRaces({ calls: 200, withSlow: false });
  expect(reports.filter(({ problems }) => problems.length > 0)).toEqual([]);
  expect(reports.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(190);
});
