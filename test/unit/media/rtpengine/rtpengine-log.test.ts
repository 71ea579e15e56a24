/** What log and metrics say of an rtpengine that does not carry a call. */
import { expect, test } from 'vitest';
import type { RtpengineEngine } from '../../../../src/media/rtpengine/rtpengine-engine.ts';
import { openRtpengine } from '../../../../src/media-rtpengine.ts';
import { createLog } from '../../../../src/observe/log.ts';
import { Metrics } from '../../../../src/observe/metrics.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../../support/leak-check.ts';
import { NgServer } from '../../../support/ng-server.ts';
import { configOf, edited } from '../../config/sample.ts';
import { RecordingListener } from '../media-samples.ts';

checkLeaksAfterEach();

const LEG = { realm: 'core', address: '192.0.2.10', portMin: 2, portMax: 3 };

interface Bed {
  readonly server: NgServer;
  readonly engine: RtpengineEngine;
  readonly metrics: Metrics;
  /** As JSON. */
  readonly lines: string[];
}

async function openBed(): Promise<Bed> {
  const server = closeAfterTest(await NgServer.start());
  const metrics = new Metrics();
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const node = `{ host: 127.0.0.1, port: ${server.port} }`;
  const text = `media: { engine: rtpengine, rtpengine: [ ${node} ] }\n${edited()}`;
  const engine = await openRtpengine(configOf(text).media, { log, metrics });
  return { server, engine: closeAfterTest(engine), metrics, lines };
}

async function openStream({ engine }: Bed): Promise<void> {
  const listener = new RecordingListener();
  await engine.openStream({ streamId: 'c1:0', caller: LEG, callee: LEG, listener });
}

test('a refusal stands in log and metrics with its reason and the words of the node', async () => {
  const bed = await openBed();
  const { server, metrics, lines } = bed;
  server.fault = ({ command }) =>
    command === 'offer'
      ? { type: 'say', answer: { result: 'error', 'error-reason': 'Ran out of ports' } }
      : { type: 'none' };
  await openStream(bed);
  const node = `127.0.0.1:${server.port}`;
  const said = lines.map((line): unknown => JSON.parse(line)).slice(1);
  expect(said).toMatchObject([
    {
      msg: 'rtpengine does not carry a call',
      callId: 'c1',
      node,
      reason: 'no-ports',
      detail: 'Ran out of ports',
    },
  ]);
  expect(said).toHaveLength(1);
  expect(await metrics.text()).toContain(
    `sbc_rtpengine_requests_failed_total{command="offer",node="${node}",reason="no-ports"} 1`,
  );
});

test('no SDP that a node quotes comes into the log', async () => {
  const bed = await openBed();
  bed.server.fault = ({ command }) =>
    command === 'offer'
      ? { type: 'say', answer: { result: 'error', 'error-reason': 'Failed at: a=crypto:1 XYZ' } }
      : { type: 'none' };
  await openStream(bed);
  expect(bed.lines.join('')).toContain('Failed at: ...');
  expect(bed.lines.join('')).not.toContain('XYZ');
});
