import { describe, expect, test } from 'vitest';
import { DIGIT_DROP_REASONS } from '../../../src/observe/digit-ledger.ts';
import { Metrics } from '../../../src/observe/metrics.ts';

/** The samples of one metric, without help and type. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

type Row = [name: string, change: (metrics: Metrics) => void, expected: string[]];

const ROWS: readonly Row[] = [
  [
    'sbc_calls_active',
    (m) => {
      m.legOpened({ realm: 'core', direction: 'inbound' });
      m.legOpened({ realm: 'core', direction: 'inbound' });
      m.legClosed({ realm: 'core', direction: 'inbound' });
    },
    ['sbc_calls_active{realm="core",direction="inbound"} 1'],
  ],
  [
    'sbc_calls_total',
    (m) => m.callEnded({ agent: 'carrier', direction: 'outbound', result: 'busy' }),
    ['sbc_calls_total{agent="carrier",direction="outbound",result="busy"} 1'],
  ],
  [
    'sbc_calls_total',
    (m) => m.callEnded({ agent: undefined, direction: 'inbound', result: 'answered' }),
    ['sbc_calls_total{agent="none",direction="inbound",result="answered"} 1'],
  ],
  [
    'sbc_sip_dropped_total',
    (m) => {
      m.sipDropped('source-rate', 0);
      m.sipDropped('scanner', 3);
    },
    ['sbc_sip_dropped_total{reason="source-rate"} 0', 'sbc_sip_dropped_total{reason="scanner"} 3'],
  ],
  [
    'sbc_sip_requests_total',
    (m) => m.sipRequestAnswered({ direction: 'inbound', method: 'INVITE', status: 486 }),
    ['sbc_sip_requests_total{direction="inbound",method="INVITE",code="486"} 1'],
  ],
  [
    'sbc_sip_requests_total',
    (m) => m.sipRequestAnswered({ direction: 'inbound', method: 'EVIL1234', status: 499 }),
    ['sbc_sip_requests_total{direction="inbound",method="other",code="4xx"} 1'],
  ],
  [
    'sbc_sip_requests_total',
    (m) => m.sipRequestAnswered({ direction: 'inbound', method: 'invite', status: 999 }),
    ['sbc_sip_requests_total{direction="inbound",method="other",code="other"} 1'],
  ],
  [
    'sbc_sip_requests_total',
    (m) => {
      const request = { direction: 'outbound', method: 'INVITE' } as const;
      m.sipRequestAnswered({ ...request, status: 503, unanswered: 'unreachable' });
      m.sipRequestAnswered({ ...request, status: 408, unanswered: 'timeout' });
    },
    [
      'sbc_sip_requests_total{direction="outbound",method="INVITE",code="unreachable"} 1',
      'sbc_sip_requests_total{direction="outbound",method="INVITE",code="timeout"} 1',
    ],
  ],
  [
    'sbc_post_dial_delay_seconds_sum',
    (m) => m.postDialDelay(1_500),
    ['sbc_post_dial_delay_seconds_sum 1.5'],
  ],
  [
    'sbc_call_duration_seconds_sum',
    (m) => m.callDuration(60_000),
    ['sbc_call_duration_seconds_sum 60'],
  ],
  [
    'sbc_rtp_packets_total',
    (m) => m.rtpPackets({ realm: 'core', direction: 'outbound' }, 50),
    ['sbc_rtp_packets_total{realm="core",direction="outbound"} 50'],
  ],
  ['sbc_rtp_lost_packets_total', (m) => m.rtpLost(3), ['sbc_rtp_lost_packets_total 3']],
  [
    'sbc_rtp_one_way_seconds_total',
    (m) => m.rtpOneWay(1500),
    ['sbc_rtp_one_way_seconds_total 1.5'],
  ],
  [
    'sbc_media_ports_free',
    (m) => m.mediaPorts([{ pool: 'core', free: 40, total: 50 }]),
    ['sbc_media_ports_free{pool="core"} 40'],
  ],
  [
    'sbc_media_ports',
    (m) => m.mediaPorts([{ pool: 'core', free: 40, total: 50 }]),
    ['sbc_media_ports{pool="core"} 50'],
  ],
  ['sbc_media_timeouts_total', (m) => m.mediaTimedOut(), ['sbc_media_timeouts_total 1']],
  [
    'sbc_media_source_violations_total',
    (m) => m.mediaSourceViolations(3),
    ['sbc_media_source_violations_total 3'],
  ],
  [
    'sbc_dtmf_digits_total',
    (m) => m.digit({ type: 'delivered', from: 'rtp', to: 'notify', latencyMs: 4 }),
    ['sbc_dtmf_digits_total{from="rtp",to="notify",result="delivered"} 1'],
  ],
  [
    'sbc_dtmf_digits_total',
    (m) => m.digit({ type: 'dropped', from: 'notify', reason: 'queue-full' }),
    ['sbc_dtmf_digits_total{from="notify",to="none",result="dropped"} 1'],
  ],
  [
    'sbc_dtmf_conversion_seconds_sum',
    (m) => m.digit({ type: 'delivered', from: 'rtp', to: 'notify', latencyMs: 4 }),
    ['sbc_dtmf_conversion_seconds_sum 0.004'],
  ],
  [
    'sbc_dtmf_conversion_seconds_count',
    (m) => m.digit({ type: 'delivered', from: 'rtp', to: 'relay' }),
    ['sbc_dtmf_conversion_seconds_count 0'],
  ],
  [
    'sbc_kpml_subscriptions',
    (m) => m.kpmlSubscriptions('notifier', 'active', 2),
    ['sbc_kpml_subscriptions{role="notifier",state="active"} 2'],
  ],
  ['sbc_kpml_gap_seconds_sum', (m) => m.kpmlGap(20), ['sbc_kpml_gap_seconds_sum 0.02']],
  [
    'sbc_config_info',
    (m) => {
      m.configLoaded('old');
      m.configLoaded('new');
    },
    ['sbc_config_info{hash="new"} 1'],
  ],
  [
    'sbc_config_reloads_total',
    (m) => m.configReloaded('refused'),
    [
      'sbc_config_reloads_total{result="applied"} 0',
      'sbc_config_reloads_total{result="refused"} 1',
    ],
  ],
  [
    'sbc_event_loop_lag_seconds_bucket',
    (m) => {
      for (const lagSeconds of [0.0004, 0.06, 0.0601, 9]) m.eventLoopLag(lagSeconds);
    },
    [
      ['0.001', 1],
      ['0.0025', 1],
      ['0.005', 1],
      ['0.01', 1],
      ['0.025', 1],
      ['0.05', 1],
      ['0.1', 3],
      ['0.25', 3],
      ['0.5', 3],
      ['1', 3],
      ['5', 3],
      ['+Inf', 4],
    ].map(([bound, count]) => `sbc_event_loop_lag_seconds_bucket{le="${bound}"} ${count}`),
  ],
  ['sbc_cdr_recovered_total', (m) => m.cdr.recovered(2), ['sbc_cdr_recovered_total 2']],
  ['sbc_cdr_waiting', (m) => m.cdr.waiting(3), ['sbc_cdr_waiting 3']],
  ['sbc_cdr_lost_total', (m) => m.cdr.failed('records', 4), ['sbc_cdr_lost_total 4']],
  [
    'sbc_cdr_failures_total',
    (m) => m.cdr.failed('journal', 0),
    ['records', 'journal', 'rotation'].map(
      (part) => `sbc_cdr_failures_total{part="${part}"} ${part === 'journal' ? 1 : 0}`,
    ),
  ],
  ['sbc_rtp_jitter_seconds_sum', (m) => m.rtpJitter(5), ['sbc_rtp_jitter_seconds_sum 0.005']],
  ['sbc_worker_restarts_total', (m) => m.workerRestarted(), ['sbc_worker_restarts_total 1']],
  ['sbc_engine_restarts_total', (m) => m.engineCrashed(), ['sbc_engine_restarts_total 1']],
  [
    'sbc_build_info',
    (m) => m.buildInfo({ version: '0.1.0', node: '26' }),
    ['sbc_build_info{version="0.1.0",node="26"} 1'],
  ],
  ['sbc_bugs_total', (m) => m.bug(), ['sbc_bugs_total 1']],
];

describe('metrics', () => {
  test.each(ROWS)('%s', async (name, change, expected) => {
    const metrics = new Metrics();
    change(metrics);
    expect(await samples(metrics, name)).toEqual(expected);
  });

  test('the heap is measured when it is asked for', async () => {
    const [line] = await samples(new Metrics(), 'sbc_heap_used_bytes');
    expect(Number(line?.split(' ')[1])).toBeGreaterThan(1_000_000);
  });

  test('every drop reason is there from the start and rises alone', async () => {
    const metrics = new Metrics();
    metrics.digit({ type: 'dropped', from: 'rtp', reason: 'no-match' });
    expect(await samples(metrics, 'sbc_dtmf_dropped_total')).toEqual(
      DIGIT_DROP_REASONS.map(
        (reason) => `sbc_dtmf_dropped_total{reason="${reason}"} ${reason === 'no-match' ? 1 : 0}`,
      ),
    );
  });

  test('hooks run before each exposition', async () => {
    const metrics = new Metrics();
    let free = 10;
    metrics.onScrape(() => metrics.mediaPorts([{ pool: 'core', free, total: 10 }]));
    expect(await samples(metrics, 'sbc_media_ports_free')).toEqual([
      'sbc_media_ports_free{pool="core"} 10',
    ]);
    free = 8;
    expect(await samples(metrics, 'sbc_media_ports_free')).toEqual([
      'sbc_media_ports_free{pool="core"} 8',
    ]);
  });

  test('two SBCs in one process do not mix', async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.bug();
    expect(await samples(other, 'sbc_bugs_total')).toEqual(['sbc_bugs_total 0']);
  });

  test('series of an agent that is configured no more are gone, those of others stay', async () => {
    const metrics = new Metrics();
    for (const agent of ['old', 'carrier', undefined]) {
      metrics.callEnded({ agent, direction: 'outbound', result: 'answered' });
    }
    metrics.admission.optionsAnswered('old', 3);
    metrics.admission.agentConstrained('old', 'max-sessions');
    const agents = [{ agent: 'carrier', isUp: true, state: 'in-service' }];
    metrics.agents(agents, ['in-service']);
    const text = await metrics.text();
    expect(text).not.toContain('"old"');
    expect(text).toContain('sbc_calls_total{agent="carrier"');
    expect(text).toContain('sbc_calls_total{agent="none"');
    // A call of the old one ends late: its series does not come back for good.
    metrics.callEnded({ agent: 'old', direction: 'outbound', result: 'answered' });
    metrics.agents(agents, ['in-service']);
    expect(await metrics.text()).not.toContain('"old"');
  });

  test('series of a realm that is configured no more are gone when its last call is', async () => {
    const metrics = new Metrics();
    const leg = { realm: 'old', direction: 'inbound' } as const;
    metrics.legOpened(leg);
    metrics.rtpPackets(leg, 3);
    metrics.realms(new Set(['core']));
    expect(await metrics.text()).toContain('sbc_calls_active{realm="old",direction="inbound"} 1');
    metrics.legClosed(leg);
    metrics.realms(new Set(['core']));
    expect(await metrics.text()).not.toContain('"old"');
  });

  test('whatever peers send, the number of series is bounded', async () => {
    const metrics = new Metrics();
    for (let index = 0; index < 2_000; index += 1) {
      metrics.sipRequestAnswered({ direction: 'inbound', method: `M${index}`, status: index });
    }
    expect((await samples(metrics, 'sbc_sip_requests_total')).length).toBeLessThan(60);
  });
});

test('an attempt that is refused counts as started and failed, a call that fails as started once', () => {
  const metrics = new Metrics();
  const ended = { agent: undefined, direction: 'inbound', result: 'rejected' } as const;
  metrics.attemptRefused(ended);
  metrics.legOpened({ realm: 'access', direction: 'inbound' });
  metrics.callEnded(ended);
  expect(metrics.totals).toMatchObject({ startedCalls: 2, failedCalls: 2 });
});
