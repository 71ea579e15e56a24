/** The dashboard and the alert rules ask for nothing that the SBC does not tell. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { buildDashboard, formatDashboard } from '../../../src/observe/dashboard.ts';
import { DROPS_BY_DESIGN } from '../../../src/observe/digit-ledger.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { promqlNames } from '../../support/promql.ts';

const PROJECT = new URL('../../../', import.meta.url);
/** What Prometheus adds by itself. */
const OWN_LABELS = ['instance', 'job', 'le'];

const CATALOG = new Map(new Metrics().catalog().map((metric) => [metric.name, metric]));

function read(path: string): string {
  return readFileSync(new URL(path, PROJECT), 'utf8');
}

/** What `expr` names that is not there. */
function unknownIn(expr: string, legend = ''): string[] {
  const { uses, grouping } = promqlNames(expr);
  const labels = new Set(OWN_LABELS);
  const unknown: string[] = [];
  for (const { series, metric, labels: matched } of uses) {
    if (series === 'up') continue;
    const known = CATALOG.get(series) ?? CATALOG.get(metric);
    const isHistogramPart = series !== metric || known?.type === 'histogram';
    if (
      known === undefined ||
      isHistogramPart !== (known.type === 'histogram' && series !== known.name)
    ) {
      unknown.push(series);
      continue;
    }
    for (const label of known.labels) labels.add(label);
    const own = new Set([...OWN_LABELS, ...known.labels]);
    unknown.push(
      ...matched.filter((label) => !own.has(label)).map((label) => `${series}{${label}}`),
    );
  }
  const shown = Array.from(legend.matchAll(/\{\{(\w+)\}\}/g), ([, label = '']) => label);
  return [...unknown, ...[...grouping, ...shown].filter((label) => !labels.has(label))];
}

const dashboardSchema = z.object({
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z
        .array(
          z.object({
            expr: z.string(),
            legendFormat: z.string(),
            exemplar: z.boolean().default(false),
          }),
        )
        .default([]),
    }),
  ),
});

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({
            summary: z.string().min(10),
            description: z.string().min(10),
            runbook: z.string().min(10),
          }),
        }),
      ),
    }),
  ),
});

const { panels } = dashboardSchema.parse(buildDashboard());
const rules = rulesSchema
  .parse(parse(read('deploy/prometheus/alerts.yml')))
  .groups.flatMap((group) => group.rules);

describe('the dashboard', () => {
  test('is the file that is shipped (npm run deploy:observe)', () => {
    expect(read('deploy/grafana/tonebridge.json')).toBe(formatDashboard());
  });

  test.each(
    panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target }))),
  )('$title: $legendFormat', ({ expr, legendFormat }) => {
    expect(unknownIn(expr, legendFormat)).toEqual([]);
    expect(expr).toContain('instance=~"$instance"');
  });

  test('shows every metric', () => {
    const shown = new Set(
      panels
        .flatMap(({ targets }) => targets)
        .flatMap(({ expr }) => promqlNames(expr).uses)
        .flatMap(({ series, metric }) => [series, metric]),
    );
    expect([...CATALOG.keys()].filter((name) => !shown.has(name))).toEqual([]);
  });

  test('asks for exemplars of every histogram that has some, once, and of no other', async () => {
    const asking = panels
      .flatMap(({ targets }) => targets)
      .filter(({ exemplar }) => exemplar)
      .flatMap(({ expr }) => promqlNames(expr).uses)
      .map(({ metric }) => metric);
    const metrics = new Metrics();
    metrics.postDialDelay(1, 'a-call');
    metrics.callDuration(1, 'a-call');
    metrics.kpmlGap(1, 'a-call');
    metrics.digit({
      type: 'delivered',
      from: 'rtp',
      to: 'notify',
      latencyMs: 1,
      callId: 'a-call',
    });
    const text = await metrics.text('openmetrics');
    const withExemplar = Array.from(
      text.matchAll(/^(\w+)_bucket\{.* # \{call_id="a-call"\}/gm),
      ([, name]) => name,
    );
    expect(asking).toHaveLength(new Set(asking).size);
    expect(new Set(asking)).toEqual(new Set(withExemplar));
  });

  test('leads from an exemplar to the page of its call', () => {
    const file = read('deploy/grafana/provisioning/datasources/prometheus.yml');
    const { datasources } = z
      .object({
        datasources: z.tuple([
          z.object({
            jsonData: z.object({
              exemplarTraceIdDestinations: z.array(z.object({ name: z.string(), url: z.string() })),
            }),
          }),
        ]),
      })
      .parse(parse(file));
    expect(datasources[0].jsonData.exemplarTraceIdDestinations).toMatchObject([
      // Grafana reads $$ as a plain $ in files of this kind.
      { name: 'call_id', url: 'http://127.0.0.1:8080/#/calls/$${__value.raw}' },
    ]);
  });

  test('has no two panels at one place', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

describe('the alert rules', () => {
  test.each(rules)('$alert asks for what there is', ({ expr }) => {
    expect(unknownIn(expr)).toEqual([]);
  });

  test.each(rules)('$alert speaks of labels that its expression keeps', ({ expr, annotations }) => {
    const spoken = Object.values(annotations).flatMap((text) =>
      Array.from(text.matchAll(/\$labels\.(\w+)/g), ([, label = '']) => label),
    );
    const { uses, grouping } = promqlNames(expr);
    const kept =
      grouping.length > 0
        ? grouping
        : uses.flatMap(({ series }) => CATALOG.get(series)?.labels ?? []);
    expect(spoken.filter((label) => !['instance', ...kept].includes(label))).toEqual([]);
  });

  test('count no digit as lost that is kept back by design', () => {
    const { expr = '' } = rules.find(({ alert }) => alert === 'DigitsDropped') ?? {};
    const leftOut = Array.from(expr.matchAll(/reason!~"([^"]*)"/g), ([, list = '']) => list);
    expect(new Set(leftOut)).toEqual(new Set([DROPS_BY_DESIGN.join('|')]));
    expect(expr.match(/sbc_dtmf_dropped_total/g)).toHaveLength(leftOut.length);
  });

  test('have names of their own', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe('a query that is wrong', () => {
  test.each([
    ['a metric that is not there', 'rate(sbc_call_total[5m])', ['sbc_call_total']],
    ['a label that is not there', 'sbc_calls_active{agent="a"}', ['sbc_calls_active{agent}']],
    ['a histogram without part', 'rate(sbc_kpml_gap_seconds[5m])', ['sbc_kpml_gap_seconds']],
    ['a part of what is no histogram', 'sbc_overloaded_count', ['sbc_overloaded_count']],
    ['a group that is not there', 'sum by (realm) (sbc_agent_up)', ['realm']],
  ])('%s is found', (_name, expr, unknown) => {
    expect(unknownIn(expr)).toEqual(unknown);
  });
});
