import { expect, test } from 'vitest';
import { lagsOf, sampleLoopLag } from '../../../src/observe/loop-lag-sampler.ts';

test.each([
  ['a timer that came early is on time', -0.5, [0]],
  ['a little lateness is one sample', 1.5, [1.5]],
  ['a block counts for each sample it swallowed', 50, [50, 30, 10]],
  ['whole samples leave no empty one', 40, [40, 20]],
])('%s', (_name, lateMs, lags) => {
  expect(lagsOf(lateMs)).toEqual(lags);
});

test('a stopped machine does not flood the histogram', () => {
  expect(lagsOf(86_400_000).length).toBeLessThanOrEqual(1_000);
});

test('a blocked loop shows, and nothing is reported after stop', async () => {
  const lags: number[] = [];
  const sampler = sampleLoopLag((lagSeconds) => lags.push(lagSeconds));
  await expect.poll(() => lags.length, { interval: 5, timeout: 20_000 }).toBeGreaterThan(1);
  const blockedUntil = performance.now() + 120;
  while (performance.now() < blockedUntil);
  await expect
    .poll(() => Math.max(...lags), { interval: 5, timeout: 20_000 })
    .toBeGreaterThan(0.08);
  sampler.stop();
  const { length } = lags;
  await new Promise((resolve) => {
    setTimeout(resolve, 60);
  });
  expect(lags.length).toBe(length);
});
