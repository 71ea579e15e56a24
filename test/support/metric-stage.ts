/** An SBC process of everything that has metrics, and what happens to it until they move. */
import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainOffer } from './call-stage.ts';
import { HepServer } from './hep-server.ts';
import { KpmlPhone, type KpmlPhoneCall } from './kpml-phone.ts';
import { closeAfterTest } from './leak-check.ts';
import { loopbackConfig, type LoopbackConfig } from './loopback-config.ts';
import { MetricSamples } from './metric-samples.ts';
import { Rfc2833Trunk, type TrunkCall } from './rfc2833-trunk.ts';
import { SbcProcess } from './sbc-process.ts';
import { PATIENCE_MS, sleep, waitFor } from './wait-for.ts';

export interface MetricStage extends LoopbackConfig {
  readonly url: string;
  readonly sbc: SbcProcess;
  readonly phone: KpmlPhone;
  readonly trunk: Rfc2833Trunk;
}

export const LIMIT = 'constraints: { max-sessions: 1 }';
const PING = 'options-ping: { interval: 3s, timeout: 2900ms, down-after: 3, up-after: 1 }';
export const STRANGER = '127.0.0.9';
const STRANGER_INTERVAL_MS = 100;

export async function openMetricStage(): Promise<MetricStage> {
  const folder = await mkdtemp(join(tmpdir(), 'metrics-'));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  const hep = await HepServer.open();
  const phone = closeAfterTest(await KpmlPhone.open({ user: 'phone' }));
  const trunk = closeAfterTest(await Rfc2833Trunk.open({ user: 'trunk' }));
  const config = await loopbackConfig({
    carrier: trunk.sip,
    phone: phone.sip,
    cdrFile: join(folder, 'cdr.jsonl'),
    logLevel: 'info',
    // One call and no more.
    mediaPorts: 2,
  });
  const features = [
    'feature-keys:',
    '  enabled: true',
    '  domains: { pbx.example: [ 127.0.0.1 ] }',
    '  provider: { kind: sqlite, file: ":memory:" }',
    '  users: { "2001": { password: secret-2001 } }',
    '  apply-to-calls: true',
    `hep: { server: "127.0.0.1:${hep.port}" }`,
    '',
  ].join('\n');
  const yaml = config.yaml
    .replace('feature-keys: { enabled: false }\n', features)
    .replace('media: { workers: 1,', 'media: { workers: 1, inactivity-timeout: 6s,')
    .replace('    admit: anyone\n', `    admit: anyone\n    deny: [ ${STRANGER}/32 ]\n`)
    .replace('  - name: carrier\n', `  - name: carrier\n    ${PING}\n`)
    .replace('  - name: phone\n', `  - name: phone\n    ${LIMIT}\n`);
  const sbc = await SbcProcess.start(yaml);
  await sbc.waitForOutput('"ready"');
  return { ...config, yaml, sbc, phone, trunk, url: `http://127.0.0.1:${config.api.port}` };
}

/** Series that have risen in the table. */
export const moved = new Set<string>();

/** Does something, then waits until each of `series` stands higher than before. */
export async function moves(
  stage: MetricStage,
  what: string,
  series: readonly string[],
  act: () => Promise<void>,
) {
  const before = await MetricSamples.of(stage.url);
  await act();
  const deadlineMs = performance.now() + 2 * PATIENCE_MS;
  for (;;) {
    const after = await MetricSamples.of(stage.url);
    const resting = series.filter((selector) => after.sum(selector) <= before.sum(selector));
    if (resting.length === 0) break;
    if (performance.now() > deadlineMs)
      throw new Error(`${what} did not move ${resting.join(', ')}`);
    await sleep(100);
  }
  for (const selector of series) moved.add(metricOf(selector));
}

function metricOf(selector: string): string {
  const name = selector.replace(/\{.*/, '');
  return name.replace(/_(?:bucket|sum|count)$/, '');
}

export interface Call {
  readonly caller: KpmlPhoneCall;
  readonly callee: TrunkCall;
}

export async function begin({ phone, trunk, access }: MetricStage): Promise<Call> {
  const [caller, callee] = await Promise.all([
    phone.call({ to: '5551000', via: access }),
    trunk.answer(),
  ]);
  await waitFor('audio', () => caller.rtp.received.length > 3 && callee.rtp.received.length > 3);
  return { caller, callee };
}

export async function finish({ caller, callee }: Call): Promise<void> {
  await caller.hangUp();
  await callee.waitForEnd();
}

/** Final status of an INVITE of the phone that nobody is to answer. */
export async function refused({ phone, access }: MetricStage, to = '5551000'): Promise<void> {
  await phone.sip.invite({ to, via: access, body: plainOffer(phone.sip) }).finished();
}

/**
 * Datagrams from somewhere else to where the callee sends its RTP, until `series` moves: a leg is left for some seconds
 * to a peer that has become quiet, and what others send beside a peer that talks never gets to the relay.
 */
export async function strangerSends(
  { url }: MetricStage,
  { callee }: Call,
  series: string,
): Promise<void> {
  const socket = createSocket('udp4');
  const { address, rtpPort } = callee.remote;
  const packet = Buffer.alloc(172);
  packet[0] = 0x80;
  const value = async (): Promise<number> => (await MetricSamples.of(url)).sum(series);
  const before = await value();
  const deadlineMs = performance.now() + PATIENCE_MS;
  while ((await value()) === before && performance.now() < deadlineMs) {
    socket.send(packet, rtpPort, address);
    await sleep(STRANGER_INTERVAL_MS);
  }
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
}

export async function reload(stage: MetricStage, yaml: string): Promise<void> {
  await stage.sbc.rewriteConfig(yaml);
  await fetch(`${stage.url}/api/v1/config/reload`, {
    method: 'POST',
    headers: { connection: 'close' },
  });
}
