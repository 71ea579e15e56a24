import { expect, test } from 'vitest';
import { Metrics } from '../../../src/observe/metrics.ts';

const NODE = '192.0.2.1:2223';

async function samples(metrics: Metrics, name: string): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
}

test.each<[string, (metrics: Metrics) => void, string[]]>([
  [
    'sbc_media_info',
    (m) => {
      m.mediaInfo('relay', 'ffi+kernel');
      m.mediaInfo('relay', 'ffi');
    },
    ['sbc_media_info{engine="relay",io="ffi"} 1'],
  ],
  ['sbc_media_kernel_flows', (m) => m.mediaKernelFlows(7), ['sbc_media_kernel_flows 7']],
  [
    'sbc_rtpengine_up',
    (m) => m.rtpengine.nodes([{ name: NODE, isUp: false }]),
    [`sbc_rtpengine_up{node="${NODE}"} 0`],
  ],
  [
    'sbc_rtpengine_request_seconds_sum',
    (m) => m.rtpengine.request(NODE, 'offer', 0.25),
    [`sbc_rtpengine_request_seconds_sum{command="offer",node="${NODE}"} 0.25`],
  ],
  [
    'sbc_rtpengine_requests_failed_total',
    (m) => m.rtpengine.requestFailed(NODE, 'offer', 'no-ports'),
    [`sbc_rtpengine_requests_failed_total{command="offer",node="${NODE}",reason="no-ports"} 1`],
  ],
  [
    'sbc_rtpengine_reports_dropped_total',
    (m) => m.rtpengine.reportDropped('unknown-call'),
    ['stranger', 'malformed', 'unknown-call', 'copy'].map(
      (reason) =>
        `sbc_rtpengine_reports_dropped_total{reason="${reason}"} ${reason === 'unknown-call' ? 1 : 0}`,
    ),
  ],
  [
    'sbc_rtpengine_answers_dropped_total',
    (m) => m.rtpengine.answerDropped('not-awaited'),
    ['stranger', 'no-cookie', 'not-awaited', 'malformed'].map(
      (reason) =>
        `sbc_rtpengine_answers_dropped_total{reason="${reason}"} ${reason === 'not-awaited' ? 1 : 0}`,
    ),
  ],
])('%s', async (name, change, expected) => {
  const metrics = new Metrics();
  change(metrics);
  expect(await samples(metrics, name)).toEqual(expected);
});
