/**
 *   operator          process
 *     | SIGTERM        |
 *     |--------------->|     drains: new calls 503, exit 0 after the last one
 *     | SIGTERM        |
 *     |--------------->|     stops: BYE on every leg, exit 0
 *     | reload         |
 *     |--------------->|     new calls use the new file; an invalid one is refused whole
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { loopbackConfig } from '../support/loopback-config.ts';
import type { LoopbackConfig } from '../support/loopback-config.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { SbcProcess } from '../support/sbc-process.ts';
import { startFromText } from '../support/start-sbc.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import type { SipPeer, SipTarget } from '../support/sip-peer.ts';

checkLeaksAfterEach();

interface ProcessStage extends LoopbackConfig {
  readonly sbc: SbcProcess;
  readonly alice: Rfc2833Trunk;
  readonly bob: Rfc2833Trunk;
}

async function openProcess(): Promise<ProcessStage> {
  const alice = closeAfterTest(await Rfc2833Trunk.open({ user: 'alice' }));
  const bob = closeAfterTest(await Rfc2833Trunk.open({ user: 'bob' }));
  const config = await configFor(bob.sip);
  const sbc = await SbcProcess.start(config.yaml);
  await sbc.waitForOutput('"ready"');
  return { ...config, sbc, alice, bob };
}

function configFor(carrier: SipTarget): Promise<LoopbackConfig> {
  return loopbackConfig({
    carrier,
    access: { 'kpml-interworking': 'disabled' },
    cdrFile: '/dev/null',
    logLevel: 'info',
  });
}

async function call(stage: ProcessStage): Promise<{ alice: TrunkCall; bob: TrunkCall }> {
  const [alice, bob] = await Promise.all([
    stage.alice.call({ to: '1', via: stage.access }),
    stage.bob.answer(),
  ]);
  return { alice, bob };
}

async function finalOf(peer: SipPeer, via: SipTarget, to = '1'): Promise<number | undefined> {
  const body = buildSdp({ address: peer.address, rtpPort: 40_000 });
  return statusOf(await peer.invite({ to, via, body }).finished());
}

function reload({ api }: ProcessStage): Promise<Response> {
  return fetch(`http://127.0.0.1:${api.port}/api/v1/config/reload`, { method: 'POST' });
}

describe('a running process', () => {
  test('drains on SIGTERM: the running call ends by itself, then it exits with 0', async () => {
    const stage = await openProcess();
    const { alice, bob } = await call(stage);

    stage.sbc.signal('SIGTERM');
    await stage.sbc.waitForOutput('"draining"');
    const refused = await finalOf(stage.alice.sip, stage.access);
    await alice.hangUp();
    await bob.waitForEnd();
    const code = await stage.sbc.exited();

    expect(refused).toBe(503);
    expect(code).toBe(0);
  });

  test('stops on the second SIGTERM: both ends are hung up once, then it exits with 0', async () => {
    const stage = await openProcess();
    const { alice, bob } = await call(stage);

    stage.sbc.signal('SIGTERM');
    await stage.sbc.waitForOutput('"draining"');
    stage.sbc.signal('SIGTERM');
    await Promise.all([alice.waitForEnd(), bob.waitForEnd()]);
    const code = await stage.sbc.exited();

    expect(code).toBe(0);
    const byes = [alice, bob].map((end) =>
      end.dialog.received.filter(({ startLine }) => startLine.startsWith('BYE')),
    );
    expect(byes.map((received) => received.length)).toEqual([1, 1]);
    expect(
      headerValue(byes[0]?.[0] ?? { startLine: '', headers: [], body: '' }, 'Reason'),
    ).toContain('operator');
  });

  test('takes a new file for new calls only, and refuses an invalid one whole', async () => {
    const stage = await openProcess();
    const { alice, bob } = await call(stage);

    await stage.sbc.rewriteConfig(stage.yaml.replace('to: "*"', 'to: "7"'));
    stage.sbc.signal('SIGHUP');
    await stage.sbc.waitForOutput('configuration reloaded');
    const afterReload = await finalOf(stage.alice.sip, stage.access, '1');
    await stage.sbc.rewriteConfig(stage.yaml.replace('admit: anyone', 'admit: nobody'));
    const { status: invalid } = await reload(stage);
    await stage.sbc.rewriteConfig(stage.yaml.replace('workers: 1', 'workers: 2'));
    const { status: needsRestart } = await reload(stage);
    const afterRefusal = await finalOf(stage.alice.sip, stage.access, '1');
    const reinvite = await alice.reinvite('sendrecv');
    await alice.hangUp();
    await bob.waitForEnd();
    stage.sbc.signal('SIGTERM');
    const code = await stage.sbc.exited();

    expect([afterReload, afterRefusal]).toEqual([404, 404]);
    expect([invalid, needsRestart]).toEqual([422, 422]);
    expect(statusOf(reinvite)).toBe(200);
    expect(code).toBe(0);
  });

  test('takes another log level, and a port that is taken refuses the file with its line', async () => {
    const stage = await openProcess();
    const [taken = 0] = await freePorts(1);
    closeAfterTest(await occupyUdp(taken));
    const quiet = stage.yaml.replace('level: info', 'level: error');
    const ports = `udp/127.0.0.1:${stage.access.port}", "udp/127.0.0.1:${taken}"`;

    await stage.sbc.rewriteConfig(quiet);
    const applied = await reload(stage);
    const before = stage.sbc.output.length;
    await stage.sbc.rewriteConfig(quiet.replace(`udp/127.0.0.1:${stage.access.port}"`, ports));
    const refused = await reload(stage);
    const { alice, bob } = await call(stage);
    await alice.hangUp();
    await bob.waitForEnd();

    expect([applied.status, refused.status]).toEqual([200, 422]);
    expect(await refused.text()).toContain('EADDRINUSE');
    // Neither the refusal, a warning, nor the call shows up.
    expect(stage.sbc.output.slice(before)).toBe('');
  });
});

describe('a process that cannot start', () => {
  test('says what is wrong with its configuration and exits with 1', async () => {
    const { yaml } = await configFor({ address: '127.0.0.1', port: 5999 });

    const sbc = await SbcProcess.start(yaml.replace('admit: anyone', 'admitt: anyone'));
    const code = await sbc.exited();

    expect(code).toBe(1);
    expect(sbc.output).toMatch(/sbc\.yaml:\d+:\d+: .*admitt.*admit/);
  });

  test('names the port that is taken and exits with 1', async () => {
    const config = await configFor({ address: '127.0.0.1', port: 5999 });
    closeAfterTest(await occupyUdp(config.core.port));

    const sbc = await SbcProcess.start(config.yaml);
    const code = await sbc.exited();

    expect(code).toBe(1);
    expect(sbc.output).toMatch(new RegExp(`cannot start: .*EADDRINUSE.*${config.core.port}`));
    expect(sbc.output).not.toContain('"ready"');
  });
});

test.each(['udp', 'tcp', 'http'] as const)(
  'a start that fails on a taken port leaves no thread, socket or timer (%s)',
  async (kind) => {
    const config = await configFor({ address: '127.0.0.1', port: 5999 });
    const port = kind === 'http' ? config.api.port : config.core.port;
    closeAfterTest(await (kind === 'udp' ? occupyUdp(port) : occupyTcp(port)));

    await expect(startFromText(config.yaml)).rejects.toThrow('EADDRINUSE');
  },
);

async function occupyUdp(port: number): Promise<{ close(): Promise<void> }> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return {
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function occupyTcp(port: number): Promise<{ close(): Promise<void> }> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
