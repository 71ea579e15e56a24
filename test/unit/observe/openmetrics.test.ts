import { expect, test } from 'vitest';
import { Metrics } from '../../../src/observe/metrics.ts';
import { Exemplars, toOpenMetrics } from '../../../src/observe/openmetrics.ts';

const PROMETHEUS = `# HELP sbc_calls_total Ended calls.
# TYPE sbc_calls_total counter
sbc_calls_total{result="busy"} 2

# HELP sbc_gap_seconds Gap.
# TYPE sbc_gap_seconds histogram
sbc_gap_seconds_bucket{le="0.1"} 1
sbc_gap_seconds_bucket{le="+Inf"} 2
sbc_gap_seconds_sum 3.05
sbc_gap_seconds_count 2

# HELP sbc_total_up Not a counter: the name only begins so.
# TYPE sbc_total_up gauge
sbc_total_up 1
`;

test('families of counters lose their suffix, buckets get the call that fell into them', () => {
  const exemplars = new Exemplars();
  exemplars.note('sbc_gap_seconds', [0.1], { callId: 'aa', value: 0.01, atMs: 1_700_000_000_000 });
  exemplars.note('sbc_gap_seconds', [0.1], { callId: 'bb', value: 0.05, atMs: 1_700_000_000_500 });
  exemplars.note('sbc_gap_seconds', [0.1], { callId: 'cc', value: 3, atMs: 1_700_000_001_000 });
  expect(toOpenMetrics(PROMETHEUS, exemplars)).toBe(`# HELP sbc_calls Ended calls.
# TYPE sbc_calls counter
sbc_calls_total{result="busy"} 2
# HELP sbc_gap_seconds Gap.
# TYPE sbc_gap_seconds histogram
sbc_gap_seconds_bucket{le="0.1"} 1 # {call_id="bb"} 0.05 1700000000.5
sbc_gap_seconds_bucket{le="+Inf"} 2 # {call_id="cc"} 3 1700000001
sbc_gap_seconds_sum 3.05
sbc_gap_seconds_count 2
# HELP sbc_total_up Not a counter: the name only begins so.
# TYPE sbc_total_up gauge
sbc_total_up 1
# EOF
`);
});

test('times of calls and digits name their call in the OpenMetrics form alone', async () => {
  const metrics = new Metrics();
  metrics.postDialDelay(300, 'c1');
  metrics.callDuration(60_000, 'c2');
  metrics.kpmlGap(20, 'c3');
  metrics.digit({ type: 'delivered', from: 'rtp', to: 'notify', latencyMs: 4, callId: 'c4' });
  const open = await metrics.text('openmetrics');
  expect(open).toMatch(
    /^sbc_post_dial_delay_seconds_bucket\{le="0.5"\} 1 # \{call_id="c1"\} 0.3 \d/m,
  );
  expect(open).toMatch(/^sbc_call_duration_seconds_bucket\{le="60"\} 1 # \{call_id="c2"\} 60 \d/m);
  expect(open).toMatch(/^sbc_kpml_gap_seconds_bucket\{le="0.05"\} 1 # \{call_id="c3"\} 0.02 \d/m);
  expect(open).toMatch(/^sbc_dtmf_conversion_seconds_bucket\{le="0.005"\} 1 # \{call_id="c4"\} 0/m);
  expect(open.match(/call_id/g)).toHaveLength(4);
  expect(await metrics.text()).not.toContain('call_id');
});
