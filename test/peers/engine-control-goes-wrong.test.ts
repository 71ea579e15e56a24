/** The short form of test/long/ng-faults.ts. */
import { expect, test } from 'vitest';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { NG_FAULTS, runNgFault } from '../support/ng-faults.ts';

checkLeaksAfterEach();

const REQUESTS = 100;

test('whatever happens to it, each request has the right outcome or a named failure', async () => {
  const reports = await Promise.all(NG_FAULTS.map((fault) => runNgFault(fault, REQUESTS)));
  const problems = reports.flatMap((report) =>
    report.problems.map((problem) => `${report.fault}: ${problem}`),
  );
  expect(problems).toEqual([]);
  for (const { requests } of reports) expect(requests).toBeGreaterThanOrEqual(REQUESTS);
});
