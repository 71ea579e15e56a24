import { Counter, Gauge, Registry } from 'prom-client';
import { expect, test, vi } from 'vitest';
import { prometheusText } from '../../../src/observe/exposition.ts';
import { Metrics } from '../../../src/observe/metrics.ts';

function openRegistry(): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'calls_total', help: 'Calls.', registers, labelNames: ['realm'] }).inc(
    { realm: 'core' },
    2,
  );
  new Gauge({ name: 'ports', help: 'Ports.', registers }).set(3);
  return registry;
}

test('is what the library writes', async () => {
  const registry = openRegistry();
  expect(await prometheusText(registry)).toBe(await registry.metrics());
});

test('a gauge that cannot be read leaves out itself alone', async () => {
  const registry = openRegistry();
  const whole = await prometheusText(registry);
  let isBroken = true;
  const memory = new Gauge({
    name: 'memory_bytes',
    help: 'Memory.',
    registers: [registry],
    collect() {
      if (isBroken) throw new Error('EMFILE: too many open files');
      this.set(1);
    },
  });
  await expect(memory.get()).rejects.toThrow('EMFILE');
  expect(await prometheusText(registry)).toBe(whole);
  isBroken = false;
  expect(await prometheusText(registry)).toContain('memory_bytes 1');
});

test('what cannot be brought up to date for a reading is counted, the rest is there', async () => {
  const metrics = new Metrics();
  const update = vi.fn<() => void>();
  metrics.onScrape(() => {
    throw new Error('no such agent');
  });
  metrics.onScrape(update);
  expect(await metrics.text()).toContain('sbc_bugs_total 1');
  expect(update).toHaveBeenCalledOnce();
});
