/**
 *   alice ── SBC ── bob          one answered call
 *             |
 *             '<── /metrics ── Prometheus, with the shipped rules and every query of the dashboard
 */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { DASHBOARD_ROWS } from '../../src/observe/dashboard-panels.ts';
import { aliceCallsBob, audioBothWays, finish, openCallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { PrometheusServer } from '../support/prometheus.ts';
import { PATIENCE_MS } from '../support/wait-for.ts';

checkLeaksAfterEach();

const vector = z.object({
  result: z.array(
    z.object({
      metric: z.record(z.string(), z.string()),
      value: z.tuple([z.number(), z.string()]),
    }),
  ),
});

/** As Grafana fills it in. */
function filledIn(expr: string): string {
  return expr.replaceAll('$own', 'instance=~".+"').replaceAll('$__rate_interval', '1m');
}

test('a real Prometheus reads the metrics, keeps the exemplars, and can answer the dashboard', async () => {
  const stage = await openCallStage();
  const prometheus = await PrometheusServer.start(stage.running.api.port);
  const value = async (query: string): Promise<string | undefined> => {
    const { result } = vector.parse(await prometheus.get('query', { query }));
    return result[0]?.value[1];
  };
  const call = await aliceCallsBob(stage);
  await audioBothWays(call);
  const active = 'sum(sbc_calls_active{direction="inbound"})';
  await expect.poll(() => value(active), { timeout: PATIENCE_MS }).toBe('1');
  await finish(call);
  const answered = 'sum(sbc_calls_total{result="answered"})';
  await expect.poll(() => value(answered), { timeout: PATIENCE_MS }).toBe('2');

  const targets = z.object({
    activeTargets: z.array(z.object({ health: z.string(), lastError: z.string() })),
  });
  // Whoever is busy for longer than the second of one scrape is up again with the next.
  await expect
    .poll(async () => targets.parse(await prometheus.get('targets')).activeTargets, {
      timeout: PATIENCE_MS,
    })
    .toEqual([{ health: 'up', lastError: '' }]);
  const queries = DASHBOARD_ROWS.flatMap(({ panels }) => panels).flatMap((panel) => panel.queries);
  const now = Date.now() / 1000;
  // As Grafana asks for the points of a panel.
  const lengths = queries.find(
    ({ expr, showsExemplars }) =>
      showsExemplars === true && expr.includes('sbc_call_duration_seconds_bucket'),
  );
  const exemplars = JSON.stringify(
    await prometheus.get('query_exemplars', {
      query: filledIn(lengths?.expr ?? ''),
      start: String(now - 600),
      end: String(now + 600),
    }),
  );
  expect(exemplars).toMatch(/"call_id":"[0-9a-f]{16}"/);

  for (const { expr } of queries) {
    expect(vector.safeParse(await prometheus.get('query', { query: filledIn(expr) })).success).toBe(
      true,
    );
  }
  const rules = z.object({
    groups: z.array(
      z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) }),
    ),
  });
  const readRules = async (): Promise<string[]> =>
    rules
      .parse(await prometheus.get('rules'))
      .groups.flatMap((group) => group.rules.map(({ health }) => health));
  await expect
    .poll(async () => new Set(await readRules()), { timeout: PATIENCE_MS })
    .toEqual(new Set(['ok']));
});
