/**
 *   operator                    process                              calls
 *     | plan NEW                  |                                    |
 *     |-------------------------->|  says what changes, changes nothing
 *     | apply NEW --yes           |                                    |
 *     |-------------------------->|  new calls go the new way, the old call stays as it is
 *     | apply BAD --yes           |                                    |
 *     |-------------------------->|  refused, the file is as it was
 *     | rollback --yes            |                                    |
 *     |-------------------------->|  new calls go the old way again
 *     | apply TAKEN-PORT --yes    |                                    |
 *     |-------------------------->|  cannot listen: refused, the file is as it was
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { loopbackConfig } from '../support/loopback-config.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { SbcProcess } from '../support/sbc-process.ts';
import { buildSdp } from '../support/sdp-text.ts';
import type { SipPeer, SipTarget } from '../support/sip-peer.ts';
import { statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

const MINUTE_MS = 60_000;

async function finalOf(peer: SipPeer, via: SipTarget): Promise<number | undefined> {
  const body = buildSdp({ address: peer.address, rtpPort: 40_000 });
  return statusOf(await peer.invite({ to: '1', via, body }).finished());
}

test(
  'a new configuration is planned, applied and taken back while a call runs',
  { timeout: 2 * MINUTE_MS },
  async () => {
    const alice = closeAfterTest(await Rfc2833Trunk.open({ user: 'alice' }));
    const bob = closeAfterTest(await Rfc2833Trunk.open({ user: 'bob' }));
    const config = await loopbackConfig({
      carrier: bob.sip,
      access: { 'kpml-interworking': 'disabled' },
      cdrFile: '/dev/null',
      logLevel: 'info',
    });
    const sbc = await SbcProcess.start(config.yaml);
    await sbc.waitForOutput('"ready"');
    const [call, answered] = await Promise.all([
      alice.call({ to: '1', via: config.access }),
      bob.answer(),
    ]);
    const api = ['--api', `http://127.0.0.1:${config.api.port}`];
    const file = `${sbc.configFile}.new`;
    const changed = config.yaml
      .replace('to: "*", next-hop: carrier', 'to: "*", next-hop: reject, code: 603')
      .replace('    transport: udp', '    transport: udp\n    dtmf-gap-ms: 80');
    await writeFile(file, changed);

    const planned = await runCli('plan', file, ...api);
    const json = await runCli('--json', 'plan', file, ...api);
    const unasked = await runCli('apply', file, ...api);
    const before = await readFile(sbc.configFile, 'utf8');
    const applied = await runCli('apply', file, '--yes', ...api);
    const rejected = await finalOf(alice.sip, config.access);
    const appliedText = await readFile(sbc.configFile, 'utf8');
    await writeFile(file, changed.replace('admit: anyone', 'admit: nobody'));
    const bad = await runCli('apply', file, '--yes', ...api);
    const untouched = await readFile(sbc.configFile, 'utf8');
    const reinvite = await call.reinvite('sendrecv');
    const back = await runCli('rollback', '--yes', ...api);
    const restored = await readFile(sbc.configFile, 'utf8');
    await call.hangUp();
    await answered.waitForEnd();
    const [again, againAnswered] = await Promise.all([
      alice.call({ to: '1', via: config.access }),
      bob.answer(),
    ]);
    await again.hangUp();
    await againAnswered.waitForEnd();
    sbc.signal('SIGTERM');
    await sbc.exited();
    const alone = await runCli('plan', file, ...api);

    expect(planned.exitCode).toBe(0);
    expect(planned.stdout).toContain('from-realm access  *   *     INVITE  carrier  reject 603');
    expect(planned.stdout).toContain('1 with a leg on session agent "carrier", which is changed');
    expect(planned.stdout).toContain('80 (session-agent carrier)');
    expect(planned.stdout).toContain('info unused-next-hop');
    expect(planned.stdout).toMatch(/verdict: applies live\n$/);
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict: 'live', calls: { active: 1 } });
    expect(unasked.exitCode).toBe(2);
    expect(before).toBe(config.yaml);
    expect(applied).toMatchObject({ exitCode: 0, stderr: '' });
    expect(rejected).toBe(603);
    expect(appliedText).toBe(changed);
    expect(bad.exitCode).toBe(1);
    expect(bad.stdout).toContain('verdict: refused: 1 problem');
    expect(untouched).toBe(changed);
    expect(statusOf(reinvite)).toBe(200);
    expect(back).toMatchObject({ exitCode: 0, stderr: '' });
    expect(restored).toBe(config.yaml);
    expect(alone.exitCode).toBe(3);
  },
);

test('a file whose interface cannot listen is taken back', { timeout: 2 * MINUTE_MS }, async () => {
  const config = await loopbackConfig({
    carrier: { address: '127.0.0.1', port: 5999 },
    cdrFile: '/dev/null',
    logLevel: 'info',
  });
  const taken = createSocket('udp4');
  closeAfterTest({ close: () => new Promise<void>((resolve) => taken.close(() => resolve())) });
  taken.bind(0, '127.0.0.1');
  await once(taken, 'listening');
  const sbc = await SbcProcess.start(config.yaml);
  await sbc.waitForOutput('"ready"');
  const api = ['--api', `http://127.0.0.1:${config.api.port}`];
  const file = `${sbc.configFile}.new`;
  const access = `"udp/127.0.0.1:${config.access.port}"`;
  const port = `"udp/127.0.0.1:${taken.address().port}"`;
  await writeFile(file, config.yaml.replace(access, `${access}, ${port}`));

  const planned = await runCli('plan', file, ...api);
  const applied = await runCli('apply', file, '--yes', ...api);
  const text = await readFile(sbc.configFile, 'utf8');
  const after = await runCli('plan', sbc.configFile, ...api);

  expect(planned.stdout).toMatch(/verdict: applies live\n$/);
  expect(applied.exitCode).toBe(1);
  expect(applied.stderr).toMatch(/EADDRINUSE[^]*refused, the old file is back\n$/);
  expect(text).toBe(config.yaml);
  expect(after).toMatchObject({ exitCode: 0, stdout: 'verdict: nothing changes\n' });
});
