import { expect, test } from 'vitest';
import { watchEventLoop } from '../../../src/observe/event-loop-lag.ts';
import type { EventLoopLag } from '../../../src/observe/event-loop-lag.ts';

test('a blocked loop shows in the report, and nothing is reported after stop', async () => {
  const reports: EventLoopLag[] = [];
  const watch = watchEventLoop({ windowMs: 25, report: (lag) => reports.push(lag) });
  await expect.poll(() => reports.length, { interval: 5 }).toBeGreaterThan(0);
  reports.length = 0;
  const blockedUntil = performance.now() + 120;
  while (performance.now() < blockedUntil);
  await expect.poll(() => reports.length, { interval: 5 }).toBeGreaterThan(1);
  watch.stop();
  const worst = Math.max(...reports.map((lag) => lag.maxSeconds));
  expect(worst).toBeGreaterThan(0.05);
  expect(worst).toBeLessThan(5);
  for (const { medianSeconds, p99Seconds, maxSeconds } of reports) {
    expect(medianSeconds).toBeLessThanOrEqual(p99Seconds);
    expect(p99Seconds).toBeLessThanOrEqual(maxSeconds);
  }
});
