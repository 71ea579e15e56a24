/**
 *   phones ── SBC process, log level trace ── carrier that asks for credentials
 *              |
 *              '──> log, call records, journal, API, events, ladders, metrics, Homer     searched for what was sown
 *
 * Sown are a secret in every place of the configuration that takes one, credentials and keys on the wire in every way
 * that they can travel.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DigestServer } from '../support/digest-server.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { freePorts } from '../support/free-ports.ts';
import { HepServer } from '../support/hep-server.ts';
import { BARE_TYPE, InfoKeys, RELAY_TYPE } from '../support/info-keys.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { loopbackConfig, type LoopbackConfig } from '../support/loopback-config.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { SbcProcess } from '../support/sbc-process.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { headerValue } from '../support/sip-text.ts';
import { tlsOwner, tlsPath } from '../support/tls-files.ts';
import { askEverything, EventText, type Told } from '../support/told-by-sbc.ts';
import { WebhookServer } from '../support/webhook-server.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** Where each secret stands. */
const SECRETS = {
  apiToken: 'sown-api-token-4711',
  wrongToken: 'sown-wrong-token-4712',
  agentPassword: 'sown-agent-password-4713',
  hepPassword: 'sown-hep-password-4714',
  webhookSecret: 'sown-webhook-secret-4715',
  webhookToken: 'sown-webhook-token-4716',
  userPassword: 'sown-user-password-4717',
  srtpKey: 'c293bi1zcnRwLWtleS00NzE4c293bi1zcnRwLWtleS0x',
  uriPassword: 'sown-uri-password-4719',
  apiKeyHeader: 'sown-api-key-4720',
} as const;

/** Pressed in one go: what no number and no time looks like by chance. */
const KEYS = 'C71A93B50D62';

/** A key that shows in any spelling, whichever it is; a masked one is `*`. */
const SHOWN_KEYS: readonly RegExp[] = [
  new RegExp(KEYS),
  /digits\s*=\s*\\*["']\**[^*"'\\]/i,
  /"digit":"(?!\*+")/,
  /signal\s*[=:]\s*[^*\s\\]/i,
];

interface Stage extends LoopbackConfig {
  readonly sbc: SbcProcess;
  readonly folder: string;
  readonly hep: HepServer;
  readonly phone: KpmlPhone;
  readonly trunk: Rfc2833Trunk;
}

async function openProcess(masksDigits: boolean): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'redaction-'));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  const webhook = closeAfterTest(await WebhookServer.start());
  const hep = await HepServer.open();
  const phone = closeAfterTest(await KpmlPhone.open({ user: 'phone' }));
  const trunk = closeAfterTest(await Rfc2833Trunk.open({ user: 'trunk' }));
  const config = await loopbackConfig({
    carrier: trunk.sip,
    phone: phone.sip,
    access: { 'kpml-interworking': 'enabled', 'sip-info': 'receive' },
    core: { 'rfc2833-mode': 'preferred' },
    carrierLeg: {
      auth: `{ username: tone, password: ${SECRETS.agentPassword}, realm: carrier.example }`,
    },
    cdrFile: join(folder, 'cdr.jsonl'),
    logLevel: 'trace',
  });
  const [tlsPort = 0] = await freePorts(1);
  const yaml = sow(config, { webhook: webhook.url, hep: hep.port, tlsPort, masksDigits });
  const sbc = await SbcProcess.start(yaml);
  await sbc.waitForOutput('"ready"');
  return { ...config, yaml, sbc, folder, hep, phone, trunk };
}

function sow(
  { yaml, api }: LoopbackConfig,
  options: {
    readonly webhook: string;
    readonly hep: number;
    readonly tlsPort: number;
    readonly masksDigits: boolean;
  },
): string {
  const tls = `tls: { certificate: ${tlsPath('sbc.pem')}, key: ${tlsPath('sbc.key')} }`;
  const features = [
    'feature-keys:',
    '  enabled: true',
    '  domains: { pbx.example: [ 127.0.0.1 ] }',
    `  provider: { kind: http, url: "${options.webhook}", secrets: [ ${SECRETS.webhookSecret} ], token: ${SECRETS.webhookToken} }`,
    '  trusted-networks: []',
    `  users: { "2001": { password: ${SECRETS.userPassword} } }`,
    `hep: { server: "127.0.0.1:${options.hep}", password: ${SECRETS.hepPassword} }`,
    '',
  ].join('\n');
  return yaml
    .replace('feature-keys: { enabled: false }\n', features)
    .replace('sip-ports: [ ', `${tls}\n    sip-ports: [ "tls/127.0.0.1:${options.tlsPort}", `)
    .replace('mask-digits: false', `mask-digits: ${options.masksDigits}`)
    .replace(
      `api: { listen: 127.0.0.1:${api.port} }`,
      `api: { listen: 127.0.0.1:${api.port}, token: ${SECRETS.apiToken} }`,
    );
}

/** Credentials as they went over the wire. */
type Wire = Set<string>;

/** A call in which keys travel in every way, both ways; ends it when `during` is done. */
async function callWithKeys(stage: Stage, wire: Wire, during: (id: string) => Promise<void>) {
  const { phone, trunk, api } = stage;
  const digest = new DigestServer({ password: SECRETS.agentPassword });
  const challenged = async () => {
    for (;;) {
      const incoming = await trunk.sip.nextCall();
      const response = /response="([^"]+)"/.exec(
        headerValue(incoming.invite, 'Authorization') ?? '',
      );
      if (response?.[1] !== undefined) wire.add(response[1]);
      const challenge = digest.challengeFor(incoming.invite);
      if (challenge === undefined) return trunk.accept(incoming);
      incoming.reject(challenge.status, challenge);
    }
  };
  const [caller, callee] = await Promise.all([
    phone.call({ to: '5551000', via: stage.access }),
    challenged(),
  ]);
  await caller.press('5');
  await callee.waitForDigits(1);
  await caller.keypad.reportRaw(KEYS);
  await caller.listen();
  await callee.press('7D');
  await caller.listener.waitForDigits(2);
  const info = new InfoKeys(caller.dialog);
  await info.send(`Signal=8\r\nDuration=160\r\n`, RELAY_TYPE);
  await info.send(`Signal= ${KEYS}\r\nDuration=160\r\n`, RELAY_TYPE);
  await info.send(`signal:${KEYS}\n`, RELAY_TYPE);
  await info.send(KEYS, BARE_TYPE);
  await info.send('9', BARE_TYPE);
  const headers = { authorization: `Bearer ${SECRETS.apiToken}`, connection: 'close' };
  const calls = await (
    await fetch(`http://127.0.0.1:${api.port}/api/v1/calls`, { headers })
  ).text();
  await during(/"id":"([0-9a-f]{16})"/.exec(calls)?.[1] ?? '');
  await caller.hangUp();
  await callee.waitForEnd();
}

/** A phone that proves who it is, and a call whose SDP has a key for SRTP. */
async function otherSecretsOnTheWire(stage: Stage, wire: Wire): Promise<void> {
  const credentials = { username: '2001', password: SECRETS.userPassword };
  const phone = closeAfterTest(await FeaturePhone.open({ sbc: stage.access, credentials }));
  const answers = [await phone.subscribe(), await phone.setDnd(true)];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  for (const { text } of phone.log) {
    const response = /response="([^"]+)"/.exec(text);
    if (response?.[1] !== undefined) wire.add(response[1]);
  }
  const crypto = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${SECRETS.srtpKey}\r\n`;
  const offer = buildSdp({ address: stage.phone.sip.address, rtpPort: 40_000 });
  const call = stage.phone.sip.invite({
    to: `5552000:${SECRETS.uriPassword}`,
    headers: [
      ['P-Asserted-Identity', `<sip:phone:${SECRETS.uriPassword}@127.0.0.1>`],
      ['X-Api-Key', SECRETS.apiKeyHeader],
    ],
    via: stage.access,
    body: offer.replace('RTP/AVP', 'RTP/SAVP') + crypto,
  });
  (await stage.trunk.sip.nextCall()).reject(486);
  await call.finished();
}

/** What is found of `patterns` in what was told, each place once. */
function found(told: readonly Told[], patterns: readonly (string | RegExp)[]): string[] {
  return told.flatMap(({ where, text }) =>
    patterns.flatMap((pattern) => {
      const at = typeof pattern === 'string' ? text.indexOf(pattern) : text.search(pattern);
      return at < 0 ? [] : [`${where}: …${text.slice(Math.max(0, at - 80), at + 80)}…`];
    }),
  );
}

async function filesIn(folder: string): Promise<Told[]> {
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name) => ({ where: name, text: await readFile(join(folder, name), 'utf8') })),
  );
}

/** Everything that is told of a run with all that was sown. */
async function runAndCollect(masksDigits: boolean): Promise<{ told: Told[]; wire: Wire }> {
  const stage = await openProcess(masksDigits);
  const url = `http://127.0.0.1:${stage.api.port}`;
  const told: Told[] = [];
  const wire: Wire = new Set();
  const topics = 'calls,agents,digits,series,features';
  const events = closeAfterTest(await EventText.open(`${url}/api/v1/events?topics=${topics}`));
  const collect = async (callId: string): Promise<void> => {
    const values = { id: callId, name: 'carrier', account: '2001@pbx.example' };
    told.push(
      ...(await askEverything(url, values, SECRETS.apiToken)),
      ...(await filesIn(stage.folder)),
    );
  };
  let id = '';
  await callWithKeys(stage, wire, async (callId) => {
    id = callId;
    await collect(callId);
  });
  await otherSecretsOnTheWire(stage, wire);
  for (const token of [SECRETS.wrongToken, SECRETS.apiToken]) {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' };
    await fetch(`${url}/api/v1/config/reload?token=${token}`, { method: 'POST', headers });
  }
  await collect(id);
  await waitFor('the end at Homer', () =>
    stage.hep.received.some(({ payload }) => payload.startsWith('BYE')),
  );
  stage.sbc.signal('SIGTERM');
  await stage.sbc.exited();
  told.push(...(await filesIn(stage.folder)));
  told.push({ where: 'log', text: stage.sbc.output });
  told.push({ where: 'events', text: events.text });
  // The password of the capture server stands in a chunk of its own, as it must.
  const payloads = stage.hep.received.map(({ payload }) => payload);
  told.push({ where: 'Homer', text: payloads.join('\n') });
  expect(
    told.filter(({ where }) => where.includes('/ladder') && where.endsWith(' 200')).length,
  ).toBeGreaterThan(8);
  return { told, wire };
}

const TLS_KEY = tlsOwner('sbc').key.split('\n')[1] ?? '';

test('nothing that was sown is found in anything that the SBC tells', async () => {
  const { told, wire } = await runAndCollect(true);
  expect(wire.size).toBeGreaterThan(1);
  expect(found(told, [...Object.values(SECRETS), ...wire, TLS_KEY])).toEqual([]);
  expect(found(told, SHOWN_KEYS)).toEqual([]);
  // What is searched for would be found: the same places speak of masked ones.
  for (const place of ['log', 'events', 'Homer', 'cdr.jsonl']) {
    expect(told.find(({ where }) => where === place)?.text.length).toBeGreaterThan(200);
  }
  const texts = new Map(told.map(({ where, text }) => [where, text]));
  expect(texts.get('Homer')).toMatch(/inline:\*{20}/);
  expect(texts.get('Homer')).toContain('Authorization: Digest [redacted]');
  expect(texts.get('cdr.jsonl.journal')?.length).toBeGreaterThan(200);
  expect(told.some(({ text }) => /"digit":"\*+"/.test(text))).toBe(true);
});

test('with mask-digits: false keys are shown in ledger and ladder, credentials nowhere', async () => {
  const { told, wire } = await runAndCollect(false);
  expect(found(told, [...Object.values(SECRETS), ...wire, TLS_KEY])).toEqual([]);
  const showing = (part: string): boolean =>
    told.some(
      ({ where, text }) => where.includes(part) && SHOWN_KEYS.some((key) => key.test(text)),
    );
  expect(showing('/api/v1/digits')).toBe(true);
  expect(showing('/ladder')).toBe(true);
  expect(showing('Homer')).toBe(true);
  // Counts alone, whatever the setting.
  expect(showing('cdr.jsonl')).toBe(false);
  expect(showing('/metrics')).toBe(false);
});

test('every line about the call carries its id, and what is known of its legs', async () => {
  const stage = await openProcess(true);
  await callWithKeys(stage, new Set(), () => Promise.resolve());
  stage.sbc.signal('SIGTERM');
  await stage.sbc.exited();
  const lines = stage.sbc.output
    .split('\n')
    .filter((line) => line.includes('"callId"'))
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    expect(line).toMatchObject({
      callId: expect.stringMatching(/^[0-9a-f]{16}$/),
      legA: expect.any(String),
      agent: 'phone',
      realm: 'access',
    });
  }
  expect(lines.at(-1)).toMatchObject({ msg: 'call ended', legB: expect.any(String) });
});

test('a process that cannot start, and a file that is refused, say so without a secret', async () => {
  const stage = await openProcess(true);
  const broken: Readonly<Record<string, string>> = {
    'its ports are taken': stage.yaml,
    'a quote is missing': stage.yaml.replace(SECRETS.hepPassword, `"${SECRETS.hepPassword}`),
  };
  for (const [why, yaml] of Object.entries(broken)) {
    const other = await SbcProcess.start(yaml);
    const code = await other.exited();
    const told = [{ where: why, text: other.output }];
    expect(code).not.toBe(0);
    expect(other.output).not.toBe('');
    expect(found(told, [...Object.values(SECRETS), TLS_KEY])).toEqual([]);
  }
});
