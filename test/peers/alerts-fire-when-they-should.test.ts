/** Each shipped alert rule, judged by promtool: on series that must make it fire, and on such that must not. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { DIGIT_DROP_REASONS, DROPS_BY_DESIGN } from '../../src/observe/digit-ledger.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { promtool, temporaryFolder } from '../support/prometheus.ts';

checkLeaksAfterEach();

const RULES = fileURLToPath(new URL('../../deploy/prometheus/alerts.yml', import.meta.url));

/** Series by name with labels; values one minute apart, as promtool writes them. */
type Series = Readonly<Record<string, string>>;

interface Row {
  readonly alert: string;
  readonly fires: Series;
  readonly rests: Series;
  /** Other reasons to rest or to fire. */
  readonly alsoRests?: readonly Series[];
  readonly alsoFires?: readonly Series[];
}

const LAG = 'sbc_event_loop_lag_seconds_bucket';
const GAP = 'sbc_kpml_gap_seconds_bucket';
const INVITES = 'sbc_sip_requests_total{direction="inbound",method="INVITE"';

/** Every other key was not passed on, with this reason. */
function droppedFor(reason: string): Series {
  return {
    [`sbc_dtmf_dropped_total{reason="${reason}"}`]: '0+10x20',
    'sbc_dtmf_digits_total{from="rtp",to="info",result="delivered"}': '0+10x20',
    'sbc_dtmf_digits_total{from="info",to="none",result="dropped"}': '0+10x20',
  };
}

const ROWS: readonly Row[] = [
  {
    alert: 'SbcDown',
    fires: { 'up{job="tonebridge"}': '0x20' },
    rests: { 'up{job="other"}': '0x20' },
  },
  {
    alert: 'SessionAgentDown',
    fires: { 'sbc_agent_up{agent="carrier"}': '1 0x20' },
    rests: { 'sbc_agent_up{agent="carrier"}': '1x19 0' },
    alsoRests: [
      {
        'sbc_agent_up{agent="carrier"}': '0x20',
        'sbc_agent_state{agent="carrier",state="locked"}': '0x5 1x15',
      },
    ],
    alsoFires: [
      {
        'sbc_agent_up{agent="carrier"}': '0x20',
        'sbc_agent_state{agent="carrier",state="locked"}': '1x10 0x10',
        'sbc_agent_state{agent="carrier",state="out-of-service"}': '0x10 1x10',
        'sbc_agent_state{agent="other",state="locked"}': '1x20',
      },
    ],
  },
  {
    alert: 'OneWayAudio',
    fires: { sbc_rtp_one_way_seconds_total: '0+60x20' },
    rests: { sbc_rtp_one_way_seconds_total: '0+6x20' },
  },
  {
    alert: 'DigitsDropped',
    fires: {
      'sbc_dtmf_dropped_total{reason="no-translator"}': '0+1x20',
      'sbc_dtmf_digits_total{from="rtp"}': '0+50x20',
    },
    rests: {
      'sbc_dtmf_dropped_total{reason="no-translator"}': '0+1x20',
      'sbc_dtmf_digits_total{from="rtp"}': '0+500x20',
    },
    alsoRests: DROPS_BY_DESIGN.map((reason) => droppedFor(reason)),
    alsoFires: DIGIT_DROP_REASONS.filter(
      (reason) => !DROPS_BY_DESIGN.some((kept) => kept === reason),
    ).map((reason) => droppedFor(reason)),
  },
  {
    alert: 'KpmlSubscriptionLate',
    fires: {
      [`${GAP}{le="1"}`]: '0+9x20',
      [`${GAP}{le="5"}`]: '0+10x20',
      [`${GAP}{le="+Inf"}`]: '0+10x20',
    },
    rests: {
      [`${GAP}{le="1"}`]: '0+99x20',
      [`${GAP}{le="5"}`]: '0+100x20',
      [`${GAP}{le="+Inf"}`]: '0+100x20',
    },
  },
  {
    alert: 'MediaPortsLow',
    fires: { 'sbc_media_ports_free{pool="a"}': '9x20', 'sbc_media_ports{pool="a"}': '100x20' },
    rests: { 'sbc_media_ports_free{pool="a"}': '10x20', 'sbc_media_ports{pool="a"}': '100x20' },
  },
  {
    alert: 'MediaNotOpened',
    fires: { 'sbc_media_failures_total{reason="no-ports"}': '0x17 1 1 1' },
    rests: { 'sbc_media_failures_total{reason="no-ports"}': '0 1x19' },
  },
  {
    alert: 'RtpengineDown',
    fires: { 'sbc_rtpengine_up{node="192.0.2.1:2223"}': '1 0x20' },
    rests: { 'sbc_rtpengine_up{node="192.0.2.1:2223"}': '1x19 0' },
  },
  {
    alert: 'RtpengineReportsDropped',
    fires: { 'sbc_rtpengine_reports_dropped_total{reason="stranger"}': '0x15 1 2 3 4' },
    rests: { 'sbc_rtpengine_reports_dropped_total{reason="stranger"}': '0x18 1' },
    alsoRests: [
      { 'sbc_rtpengine_reports_dropped_total{reason="unknown-call"}': '0+5x20' },
      { 'sbc_rtpengine_reports_dropped_total{reason="copy"}': '0+5x20' },
    ],
    alsoFires: [{ 'sbc_rtpengine_reports_dropped_total{reason="malformed"}': '0+1x20' }],
  },
  {
    alert: 'EventLoopLag',
    fires: {
      [`${LAG}{le="0.05"}`]: '0+95x20',
      [`${LAG}{le="0.1"}`]: '0+100x20',
      [`${LAG}{le="+Inf"}`]: '0+100x20',
    },
    rests: {
      [`${LAG}{le="0.05"}`]: '0+995x20',
      [`${LAG}{le="0.1"}`]: '0+1000x20',
      [`${LAG}{le="+Inf"}`]: '0+1000x20',
    },
  },
  {
    alert: 'Overloaded',
    fires: { sbc_overloaded: '0 1x19' },
    rests: { sbc_overloaded: '1x18 0 1' },
  },
  {
    alert: 'ServerErrors',
    fires: { [`${INVITES},code="200"}`]: '0+90x20', [`${INVITES},code="503"}`]: '0+10x20' },
    rests: { [`${INVITES},code="200"}`]: '0+97x20', [`${INVITES},code="503"}`]: '0+3x20' },
  },
  {
    alert: 'ConfigReloadRefused',
    fires: { 'sbc_config_reloads_total{result="refused"}': '0x17 1 1 1' },
    rests: { 'sbc_config_reloads_total{result="applied"}': '0x17 1 1 1' },
  },
  {
    alert: 'RelayWorkerRestarted',
    fires: { sbc_worker_restarts_total: '0x17 1 1 1' },
    rests: { sbc_worker_restarts_total: '3x20' },
  },
  {
    alert: 'SipEngineRestarted',
    fires: { sbc_engine_restarts_total: '0x17 1 1 1' },
    rests: { sbc_engine_restarts_total: '3x20' },
  },
  { alert: 'Bug', fires: { sbc_bugs_total: '0x17 1 1 1' }, rests: { sbc_bugs_total: '3x20' } },
  {
    alert: 'CdrNotWritten',
    fires: { 'sbc_cdr_failures_total{part="records"}': '0x17 1 1 1' },
    rests: { 'sbc_cdr_failures_total{part="records"}': '0 1x19' },
  },
  {
    alert: 'CdrLost',
    fires: { sbc_cdr_lost_total: '0x17 5 5 5' },
    rests: { sbc_cdr_lost_total: '5x20' },
  },
  {
    alert: 'FeatureStoreFails',
    fires: { 'sbc_dfks_provider_seconds_count{op="get",result="timeout"}': '0+1x20' },
    rests: { 'sbc_dfks_provider_seconds_count{op="get",result="ok"}': '0+1x20' },
  },
];

/** What promtool shall find after 20 minutes; ALERTS holds each alert that fires. */
function ruleTest(alert: string, given: Series, isFiring: boolean): object {
  const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;
  return {
    interval: '1m',
    input_series: Object.entries(given).map(([series, values]) => ({ series, values })),
    promql_expr_test: [
      { expr: firing, eval_time: '20m', exp_samples: [{ labels: '{}', value: isFiring ? 1 : 0 }] },
    ],
  };
}

test('every alert has its row', () => {
  const { groups } = z
    .object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string() })) })) })
    .parse(parse(readFileSync(RULES, 'utf8')));
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
  expect(ROWS.map(({ alert }) => alert)).toEqual(alerts);
});

test.each(ROWS)('$alert fires on what it is for, and rests otherwise', async (row) => {
  const file = join(await temporaryFolder(), 'rules.test.json');
  const { alert, fires, rests, alsoFires = [], alsoRests = [] } = row;
  const tests = [
    ...[fires, ...alsoFires].map((given) => ruleTest(alert, given, true)),
    ...[rests, ...alsoRests].map((given) => ruleTest(alert, given, false)),
  ];
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
  const { code, output } = await promtool('test', 'rules', file);
  expect(output).toContain('SUCCESS');
  expect(code).toBe(0);
});

test('the shipped configuration is one that Prometheus takes', async () => {
  const config = fileURLToPath(new URL('../../deploy/prometheus/prometheus.yml', import.meta.url));
  const { code, output } = await promtool('check', 'config', config);
  expect(output).toContain('rule files found');
  expect(code).toBe(0);
});
