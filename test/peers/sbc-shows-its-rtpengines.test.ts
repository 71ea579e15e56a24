/**
 *   phone ==== RTP ====> rtpengine ==== RTP ====> carrier       the SBC itself sees none of it
 *                           x                                  killed: not ready, and everybody can see why
 */
import { createSocket } from 'node:dgram';
import { describe, expect, test } from 'vitest';
import { processSchema } from '../../src/api/live-schemas.ts';
import { thisMachine } from '../../src/cli/doctor-machine.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import {
  aliceCallsBob,
  audioBothWays,
  type CallStage,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import { freePorts } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { hasRtpengine, RtpengineDaemon } from '../support/rtpengine-daemon.ts';
import { PATIENCE_MS } from '../support/wait-for.ts';

checkLeaksAfterEach();

const REPORTS_DROPPED = /^sbc_rtpengine_reports_dropped_total(.*)$/gm;

const isMissing = !hasRtpengine && readEnvironment()['CI'] === undefined;
/** Five deadlines in a row. */
const DOWN_WITHIN_MS = 60_000;

async function get({ running }: CallStage, path: string): Promise<Response> {
  return await fetch(`http://127.0.0.1:${running.api.port}${path}`);
}

/** A datagram that is no report of digits. */
async function sendFrom(address: string, port: number): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((done) => void socket.bind(0, address, done));
  await new Promise((done) => {
    socket.send('no report', port, '127.0.0.1', done);
  });
  await new Promise<void>((done) => void socket.close(done));
}

async function media(stage: CallStage) {
  return processSchema.parse(await (await get(stage, '/api/v1/status')).json()).media;
}

describe.skipIf(isMissing)('an SBC on rtpengine', () => {
  test('says which node carries its calls, and is not ready while none answers', async () => {
    const [reportPort = 0] = await freePorts(1);
    const daemon = await RtpengineDaemon.start({ dtmfLogTo: `127.0.0.1:${reportPort}` });
    closeAfterTest(daemon);
    const name = `127.0.0.1:${daemon.port}`;
    const node = { host: '127.0.0.1', port: daemon.port, dtmfListen: undefined };
    const onDaemon = `media: { engine: rtpengine, rtpengine: [ { host: 127.0.0.1, port: ${daemon.port}, dtmf-listen: "127.0.0.1:${reportPort}" } ] }`;
    const stage = await openCallStage({ edit: (yaml) => yaml.replace(/^media: .*$/m, onDaemon) });
    expect(await media(stage)).toEqual({
      engine: 'rtpengine',
      io: 'auto',
      nodes: [{ name, isUp: true, calls: 0 }],
      ports: [],
    });

    const call = await aliceCallsBob(stage);
    await audioBothWays(call);
    expect((await media(stage)).nodes).toEqual([{ name, isUp: true, calls: 1 }]);
    await finish(call);
    // The call is over before rtpengine has said so.
    const nodes = async (): Promise<unknown> => (await media(stage)).nodes;
    await expect.poll(nodes, { timeout: PATIENCE_MS }).toEqual([{ name, isUp: true, calls: 0 }]);
    const metrics = await (await get(stage, '/metrics')).text();
    expect(metrics).toContain('sbc_media_info{engine="rtpengine",io="none"} 1');
    expect(metrics).toContain(`sbc_rtpengine_up{node="${name}"} 1`);
    for (const command of ['ping', 'offer', 'answer', 'delete']) {
      const count = `sbc_rtpengine_request_seconds_count{command="${command}",node="${name}"}`;
      expect(Number(metrics.split(`${count} `)[1]?.split('\n')[0])).toBeGreaterThan(0);
    }
    expect(metrics).not.toContain('sbc_media_ports{');
    await sendFrom('127.0.0.9', reportPort);
    await sendFrom('127.0.0.1', reportPort);
    const dropped = async (): Promise<string[]> =>
      [...(await (await get(stage, '/metrics')).text()).matchAll(REPORTS_DROPPED)].map(
        ([, line = '']) => line,
      );
    await expect
      .poll(dropped, { timeout: PATIENCE_MS })
      .toEqual([
        '{reason="stranger"} 1',
        '{reason="malformed"} 1',
        '{reason="unknown-call"} 0',
        '{reason="copy"} 0',
      ]);
    expect((await get(stage, '/readyz')).status).toBe(200);
    expect(await thisMachine().rtpengineProblem(node)).toBeUndefined();

    await daemon.kill();
    const readiness = async (): Promise<unknown> => await (await get(stage, '/readyz')).json();
    await expect
      .poll(readiness, { timeout: DOWN_WITHIN_MS, interval: 200 })
      .toEqual({ isReady: false, reasons: ['no rtpengine answers'] });
    expect(await nodes()).toEqual([{ name, isUp: false, calls: 0 }]);
    expect(await (await get(stage, '/metrics')).text()).toContain(
      `sbc_rtpengine_up{node="${name}"} 0`,
    );
    expect(await thisMachine().rtpengineProblem(node)).toMatch(/^timeout/);
  });
});
