import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { FeatureMetrics, NOTIFY_RESULTS } from '../../../src/observe/feature-metrics.ts';

test('what happens to feature keys is counted under the names of the documentation', async () => {
  const registry = new Registry();
  const metrics = new FeatureMetrics(registry);
  metrics.updated('DoNotDisturb', 'phone', 'applied');
  metrics.subscriptions(3);
  metrics.subscribeAnswered(200);
  metrics.subscribeAnswered(499);
  metrics.notifyAnswered('told');
  metrics.notifyDue(2);
  metrics.providerAnswered('set', 'ok', 0.002);
  metrics.loopGuardTripped();
  const samples = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('sbc_dfks_') && !line.includes('_bucket'));
  expect(samples).toEqual([
    'sbc_dfks_notify_total{result="told"} 1',
    ...NOTIFY_RESULTS.slice(1).map((result) => `sbc_dfks_notify_total{result="${result}"} 0`),
    'sbc_dfks_updates_total{feature="DoNotDisturb",source="phone",result="applied"} 1',
    'sbc_dfks_subscriptions 3',
    'sbc_dfks_subscribe_total{code="200"} 1',
    'sbc_dfks_subscribe_total{code="4xx"} 1',
    'sbc_dfks_notify_due 2',
    'sbc_dfks_provider_seconds_sum{op="set",result="ok"} 0.002',
    'sbc_dfks_provider_seconds_count{op="set",result="ok"} 1',
    'sbc_dfks_loop_guard_total 1',
  ]);
});

test('each pair of operation and result adds few series', async () => {
  const registry = new Registry();
  new FeatureMetrics(registry).providerAnswered('set', 'ok', 0.002);
  const lines = (await registry.metrics()).split('\n');
  const buckets = lines.filter((line) => line.startsWith('sbc_dfks_provider_seconds_bucket'));
  expect(buckets.map((line) => /le="([^"]+)"/.exec(line)?.[1])).toEqual([
    '0.001',
    '0.005',
    '0.025',
    '0.1',
    '0.5',
    '3',
    '+Inf',
  ]);
});
