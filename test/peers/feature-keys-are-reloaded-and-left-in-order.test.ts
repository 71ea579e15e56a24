/**
 *   phone            SBC             operator
 *     |<-- NOTIFY ----|<-- reload, drain --|
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { type Sbc, startSbc } from '../../src/main.ts';
import { createLog } from '../../src/observe/log.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { freePorts, isUdpFree } from '../support/free-ports.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { loopbackConfig } from '../support/loopback-config.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { SseReader } from '../support/sse-reader.ts';
import { PATIENCE_MS, sleep } from '../support/wait-for.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbc-'));
});

// The hook that was registered last runs first: the SBC is closed before its folder goes.
afterEach(async () => {
  await rm(folder, { recursive: true });
});

checkLeaksAfterEach();

interface Stage {
  readonly sbc: Sbc;
  readonly phones: SipTarget;
  readonly url: string;
  /** Reloads with `section` in the place of what stood under feature-keys. */
  reload(section: string, edit?: (yaml: string) => string): Promise<unknown>;
}

const DOMAIN = 'domains: { pbx.example: [] }';

/** FOLDER in the section stands for a folder of the test. */
async function start(section: string): Promise<Stage> {
  const { yaml, access, api } = await loopbackConfig({
    carrier: { address: '127.0.0.1', port: 5060 },
  });
  let edited = unchanged;
  const config = (text: string): LoadedConfig => {
    const entry = `feature-keys: { ${text.replaceAll('FOLDER', folder)} }`;
    return loadConfig({
      text: edited(yaml.replace('feature-keys: { enabled: false }', entry)),
      file: 'sbc.yaml',
      env: {},
    });
  };
  let current = section;
  const loaded = config(section);
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  const log = createLog('silent');
  const sbc = await startSbc(loaded.config, { log, readConfig: () => config(current) });
  closeAfterTest({ close: () => sbc.close() });
  const url = `http://127.0.0.1:${api.port}/api/v1`;
  return {
    sbc,
    phones: access,
    url,
    reload: async (next, edit = edited) => {
      current = next;
      edited = edit;
      return await ask(`${url}/config/reload`, 'POST');
    },
  };
}

function unchanged(yaml: string): string {
  return yaml;
}

async function ask(url: string, method: string, body?: object): Promise<unknown> {
  const reply = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await reply.json();
  return Object.assign({ status: reply.status }, answer);
}

async function subscribed(sbc: SipTarget): Promise<FeaturePhone> {
  const phone = closeAfterTest(await FeaturePhone.open({ sbc }));
  expect((await phone.subscribe()).status).toBe(200);
  await phone.nextNotify();
  return phone;
}

test('a reload changes rules and file, and the phone stays subscribed', async () => {
  const file = 'provider: { kind: sqlite, file: FOLDER/one.db, deadline: 30s }';
  const stage = await start(`enabled: true, ${DOMAIN}, ${file}`);
  const phone = await subscribed(stage.phones);
  const forward = `${stage.url}/features/2001/CallForwardingBusy`;
  const other = 'provider: { kind: sqlite, file: FOLDER/two.db, deadline: 30s }';
  const rules = 'targets: { deny: [ "^0900" ] }, default-rings: 7';
  expect(await stage.reload(`enabled: true, ${DOMAIN}, ${other}, ${rules}`)).toMatchObject({
    type: 'applied',
  });
  expect(await ask(forward, 'PUT', { status: true, forwardTo: '0900' })).toMatchObject({
    status: 409,
  });
  expect(await ask(`${forward}?wait=9`, 'PUT', { status: true, forwardTo: '2424' })).toMatchObject({
    status: 200,
    delivered: 1,
  });
  expect((await phone.refresh()).status).toBe(200);
});

test('a reload that cannot be taken over is refused, and everything goes on', async () => {
  const memory = 'provider: { kind: sqlite, file: ":memory:", deadline: 30s }';
  const stage = await start(`enabled: true, ${DOMAIN}, ${memory}`);
  const phone = await subscribed(stage.phones);
  const refused = [
    `enabled: true, ${DOMAIN}, provider: { kind: module, path: ./x.ts }`,
    'enabled: true, domains: { other.example: [] }',
    `enabled: true, ${DOMAIN}, provider: { kind: sqlite, file: /dev/null/x.db }`,
  ];
  for (const section of refused) {
    expect(await stage.reload(section)).toMatchObject({ status: 422, type: 'refused' });
  }
  const path = `${stage.url}/features/2001/DoNotDisturb?wait=9`;
  expect(await ask(path, 'PUT', { status: true })).toMatchObject({ status: 200, delivered: 1 });
  expect((await phone.refresh()).status).toBe(200);
});

test('a reload switches feature keys off and on', async () => {
  const memory = 'provider: { kind: sqlite, file: ":memory:", deadline: 30s }';
  const stage = await start(`enabled: false, domains: { other.example: [] }, ${memory}`);
  const path = `${stage.url}/features/2001@pbx.example`;
  expect(await ask(path, 'GET')).toMatchObject({ status: 404, error: { code: 'not-enabled' } });
  await stage.reload(`enabled: true, ${DOMAIN}, ${memory}`);
  expect(await ask(path, 'GET')).toMatchObject({ status: 200 });
  const phone = await subscribed(stage.phones);
  await stage.reload(`enabled: false, ${DOMAIN}, ${memory}`);
  expect(await phone.nextNotify()).toMatchObject({ state: 'terminated', reason: 'probation' });
  expect(await ask(path, 'GET')).toMatchObject({ status: 404 });
});

test('a phone whose interface is taken away is sent to subscribe anew at what is there', async () => {
  const section = `enabled: true, ${DOMAIN}, provider: { kind: sqlite, file: ":memory:", deadline: 30s }`;
  const stage = await start(section);
  const [port = 0] = await freePorts(1);
  const phone = await subscribed(stage.phones);
  const before = stage.phones.port;

  const moved = await stage.reload(section, (yaml) =>
    yaml.replace('- name: access\n', '- name: phones\n').replaceAll(`:${before}"`, `:${port}"`),
  );
  expect(moved).toMatchObject({ type: 'applied' });
  expect(await phone.nextNotify()).toMatchObject({ state: 'terminated' });
  await subscribed({ address: '127.0.0.1', port });

  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isUdpFree(before, '127.0.0.1')) && performance.now() < deadlineMs)
    await sleep(100);
  expect(await isUdpFree(before, '127.0.0.1')).toBe(true);
});

test('draining ends the stream of events, and the phone is asked to come back', async () => {
  const memory = 'provider: { kind: sqlite, file: ":memory:", deadline: 30s }';
  const stage = await start(`enabled: true, ${DOMAIN}, ${memory}`);
  const phone = await subscribed(stage.phones);
  const events = await SseReader.open(`${stage.url}/events`);
  const drained = stage.sbc.drain();
  expect(await phone.nextNotify()).toMatchObject({ state: 'terminated', reason: 'probation' });
  await drained;
  await expect.poll(() => events.isEnded).toBe(true);
  await expect(SseReader.open(`${stage.url}/events`)).rejects.toThrow('503');
});
