/**
 *   phone ----SUBSCRIBE--->  SBC  ---- events, history, metrics ----> operator
 *   API, CLI, portal ----->
 */
import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiClient } from '../../src/cli/api-client.ts';
import { setFeature } from '../../src/cli/features.ts';
import { phoneFor, testFeatures } from '../../src/cli/features-test.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type FeatureSbc, startFeatureSbc } from '../support/feature-sbc.ts';
import { SseReader } from '../support/sse-reader.ts';
import { waitFor } from '../support/wait-for.ts';

const servers: FeatureSbc[] = [];
const logLines: string[] = [];

beforeAll(async () => {
  servers.push(await startFeatureSbc({ logLines, section: { 'mi-compat': 'true' } }));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

function sbc(): FeatureSbc {
  const [server] = servers;
  if (server === undefined) throw new Error('there is no SBC');
  return server;
}

/** Signs in at the portal and switches DND off there. */
async function portalSwitchesOff(user: string): Promise<number> {
  const root = `${sbc().url}/features/api`;
  const headers = {
    'content-type': 'application/json',
    'x-tonebridge-portal': '1',
    connection: 'close',
  };
  const body = JSON.stringify({ user, password: `secret-${user}` });
  const signedIn = await fetch(`${root}/session`, { method: 'POST', headers, body });
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  await signedIn.text();
  const account = encodeURIComponent(`sip:${user}@pbx.example`);
  const changed = await fetch(`${root}/accounts/${account}/features/DoNotDisturb`, {
    method: 'PUT',
    headers: { ...headers, cookie },
    body: JSON.stringify({ status: false }),
  });
  await changed.text();
  return changed.status;
}

test('row 70: phone, API, CLI and portal leave a row each, an event each and a line each', async () => {
  const events = await SseReader.open(`${sbc().url}/api/v1/events?account=2001`);
  expect(events.contentType).toBe('text/event-stream; charset=utf-8');
  const phone = await sbc().phone({ user: '2001', userAgent: 'DeskPhone/1.0' });
  expect((await phone.subscribe()).status).toBe(200);
  expect((await phone.setDnd(true)).status).toBe(200);
  const path = '/features/2001@pbx.example/DoNotDisturb';
  expect((await sbc().ask('PUT', path, { status: false })).status).toBe(200);
  const client = new ApiClient(sbc().url);
  const change = { feature: 'DoNotDisturb', isOn: true, options: {} } as const;
  expect((await setFeature(client, '2001', change)).exitCode).toBe(0);
  expect(await portalSwitchesOff('2001')).toBe(200);

  const history = await sbc().ask('GET', '/features/2001/history');
  const on = { status: true };
  const off = { status: false };
  const cli = userInfo().username;
  expect(history.body).toMatchObject([
    { source: 'portal', actor: '2001', old: on, new: off, version: 4, dialogs: 1 },
    { source: 'cli', actor: cli, old: off, new: on, version: 3, origin: { user: cli } },
    { source: 'api', actor: 'loopback', old: on, new: off, version: 2 },
    {
      source: 'phone',
      actor: '2001',
      old: off,
      new: on,
      version: 1,
      origin: { callId: phone.callId, userAgent: 'DeskPhone/1.0' },
    },
  ]);
  await phone.unsubscribe();
  await events.waitFor('feature-unsubscribed');
  expect(events.events.map(({ name }) => name)).toEqual([
    'feature-subscribed',
    ...Array.from({ length: 4 }, () => 'feature-changed'),
    'feature-unsubscribed',
  ]);
  expect(events.events[1]?.data).toMatchObject({
    type: 'feature-changed',
    presentity: 'sip:2001@pbx.example',
    feature: 'DoNotDisturb',
    old: off,
    new: on,
    version: 1,
    source: 'phone',
    actor: '2001',
  });
  events.close();
  const lines = logLines.filter(
    (line) => line.includes('"feature changed"') && line.includes('sip:2001@'),
  );
  expect(lines).toHaveLength(4);
});

test('a refusal is an event of its own, and others hear nothing of it', async () => {
  const own = await SseReader.open(`${sbc().url}/api/v1/events?account=2002`);
  const other = await SseReader.open(`${sbc().url}/api/v1/events?account=2003`);
  await sbc().ask('PUT', '/features/2002/CallForwardingBusy', { status: true });
  await sbc().ask('PUT', '/features/2003/DoNotDisturb', { status: true });
  expect((await own.waitFor('feature-refused')).data).toMatchObject({ code: 'no-target' });
  await other.waitFor('feature-changed');
  expect(other.events.map(({ name }) => name)).toEqual(['feature-changed']);
  own.close();
  other.close();
});

test('a portal made for OpenSIPS changes and refreshes by JSON-RPC', async () => {
  const phone = await sbc().phone({ user: '2004' });
  await phone.subscribe();
  await phone.nextNotify();
  const call = async (method: string, params: unknown): Promise<unknown> => {
    const reply = await fetch(`${sbc().url}/mi`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    return await reply.json();
  };
  const presentity = 'sip:2004@pbx.example';
  const values = ['forwardTo/2828', 'ringCount/4'];
  const set = { presentity, feature: 'CallForwardingNoAnswer', status: 1, values };
  expect(await call('presence_dfks:set_feature', set)).toEqual({
    jsonrpc: '2.0',
    result: 'OK',
    id: 1,
  });
  await phone.waitUntilShown('CallForwardingNoAnswer', ({ forwardTo }) => forwardTo === '2828');
  const before = phone.notifies.length;
  const refresh = [presentity, 'as-feature-event', 1];
  expect(await call('presence:refresh_watchers', refresh)).toMatchObject({ result: 'OK' });
  await waitFor('full NOTIFY', () =>
    phone.notifies.slice(before).some(({ reports }) => reports.length === 4),
  );
});

test('the test of the command line switches DND to and fro as a phone does', async () => {
  const loaded = loadConfig({ text: sbc().running.yaml, file: 'sbc.yaml', env: {} });
  if (loaded.type === 'invalid') throw new Error('the configuration in use is valid');
  const tested = phoneFor(loaded.config, '2005');
  if (typeof tested === 'string') throw new Error(tested);
  const { exitCode, text } = await testFeatures(tested);
  expect(text).toContain('NOTIFY, active;expires=3600, DoNotDisturb on\n');
  expect(text).toContain('sip:2005@pbx.example: works, DND is as it was\n');
  expect(exitCode).toBe(0);
  expect((await sbc().ask('GET', '/features/2005/DoNotDisturb')).body).toMatchObject({
    status: false,
    version: 2,
  });
});

test('the test of the command line fails where DND is locked, and changes nothing', async () => {
  await sbc().ask('PATCH', '/features/2007/DoNotDisturb', { locked: true });
  const server = { address: '127.0.0.1', port: sbc().running.access.port };
  const account = 'sip:2007@pbx.example';
  const { exitCode, text, errorText } = await testFeatures({ account, server, password: '' });
  expect(exitCode).toBe(1);
  expect(text).toContain('SUBSCRIBE');
  const why = 'the set was refused: DoNotDisturb stays as it was';
  expect(errorText).toBe(`${account}: failed: ${why}\n`);
  expect((await sbc().ask('GET', '/features/2007/DoNotDisturb')).body).toMatchObject({
    status: false,
    locked: true,
  });
});

test('the metrics count changes, subscriptions, NOTIFYs and the store', async () => {
  const phone = await sbc().phone({ user: '2006' });
  await phone.subscribe();
  await phone.nextNotify();
  await sbc().ask('PUT', '/features/2006/DoNotDisturb?wait=30', { status: true });
  await sbc().ask('PUT', '/features/2006/DoNotDisturb', { status: true });
  const reply = await fetch(`${sbc().url}/metrics`, { headers: { connection: 'close' } });
  const text = await reply.text();
  for (const sample of [
    /^sbc_dfks_updates_total\{feature="DoNotDisturb",source="api",result="applied"\} [1-9]/m,
    /^sbc_dfks_updates_total\{feature="DoNotDisturb",source="api",result="unchanged"\} [1-9]/m,
    /^sbc_dfks_subscriptions [1-9]/m,
    /^sbc_dfks_subscribe_total\{code="200"\} [1-9]/m,
    /^sbc_dfks_notify_total\{result="told"\} [1-9]/m,
    /^sbc_dfks_notify_due 0$/m,
    /^sbc_dfks_provider_seconds_count\{op="set",result="ok"\} [1-9]/m,
    /^sbc_dfks_loop_guard_total 0$/m,
  ]) {
    expect(text).toMatch(sample);
  }
});
