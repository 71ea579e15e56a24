/**
 *   phone A, phone B        SBC                  HTTP API
 *       |  <---- NOTIFY -----|<-- PUT, PATCH, refresh --|
 *       |---- SUBSCRIBE ---->|--- events, history ----->|
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiReply, type FeatureSbc, startFeatureSbc } from '../support/feature-sbc.ts';
import type { FeaturePhone } from '../support/feature-phone.ts';

const servers: FeatureSbc[] = [];

beforeAll(async () => {
  const section = { targets: '{ deny: [ "^0900" ] }', notify: '{ gap: 0ms }' };
  servers.push(await startFeatureSbc({ section }));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

function sbc(): FeatureSbc {
  const [server] = servers;
  if (server === undefined) throw new Error('there is no SBC');
  return server;
}

/** A phone of `user` that has got its first NOTIFY. */
async function subscribed(user: string): Promise<FeaturePhone> {
  const phone = await sbc().phone({ user });
  expect((await phone.subscribe()).status).toBe(200);
  await phone.nextNotify();
  return phone;
}

test('row 19: PUT switches DND for two phones and answers when it is stored', async () => {
  const a = await subscribed('3019');
  const b = await subscribed('3019');
  const told = a.nextNotify();
  const reply = await put('3019', 'DoNotDisturb', { status: true }, '?wait=30');
  expect(reply).toMatchObject({
    status: 200,
    body: { outcome: 'applied', version: 1, subscribers: 2, notified: 2, delivered: 2 },
  });
  expect(reply.headers.get('etag')).toBe('"1"');
  expect((await told).reports).toMatchObject([{ feature: 'DoNotDisturb', status: true }]);
  await b.waitUntilShown('DoNotDisturb', ({ status }) => status);
  const state = await sbc().ask('GET', '/features/3019/DoNotDisturb');
  expect(state.body).toMatchObject({ status: true, version: 1, lastChange: { source: 'api' } });
});

test('row 20: both values of a forward reach the phone', async () => {
  const phone = await subscribed('3020');
  const change = { status: 1, values: ['forwardTo/2828', 'ringCount/4'], param: 'portal' };
  expect(await put('3020', 'CallForwardingNoAnswer', change)).toMatchObject({
    status: 200,
    body: { new: { status: true, forwardTo: '2828', ringCount: 4 } },
  });
  const shown = await phone.waitUntilShown('CallForwardingNoAnswer', ({ status }) => status);
  expect(shown).toMatchObject({ forwardTo: '2828', ringCount: '4' });
  const rows = await sbc().ask('GET', '/features/3020/history');
  expect(rows.body).toMatchObject([{ param: 'portal', dialogs: 1 }]);
});

test('row 21: what is not understood stores nothing and sends nothing', async () => {
  const phone = await subscribed('3021');
  const before = phone.notifies.length;
  for (const [path, body] of [
    ['/features/3021/CallWaiting', { status: true }],
    ['/features/3021/DoNotDisturb', { status: 7 }],
    ['/features/3021/DoNotDisturb', { status: 'on' }],
    ['/features/3021/DoNotDisturb', {}],
    ['/features/tel:3021/DoNotDisturb', { status: true }],
  ] as const) {
    expect(await sbc().ask('PUT', path, body)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad-request' } },
    });
  }
  expect((await sbc().ask('GET', '/features/3021/history')).body).toEqual([]);
  const good = await put('3021', 'DoNotDisturb', { status: true }, '?wait=30');
  expect(good.body).toMatchObject({ delivered: 1 });
  expect(phone.notifies.length).toBe(before + 1);
});

test('row 22: with nobody subscribed it is stored, and the next phone sees it', async () => {
  const reply = await put('3022', 'CallForwardingAlways', { status: true, forwardTo: '2424' });
  expect(reply).toMatchObject({ status: 200, body: { subscribers: 0, notified: 0 } });
  const phone = await subscribed('3022');
  expect(phone.shown.get('CallForwardingAlways')).toMatchObject({
    status: true,
    forwardTo: '2424',
  });
});

test('row 23: refresh tells every phone everything and changes nothing', async () => {
  const a = await subscribed('3023');
  const b = await subscribed('3023');
  const told = [a.nextNotify(), b.nextNotify()];
  const reply = await sbc().ask('POST', '/features/3023@pbx.example/refresh?wait=30');
  expect(reply).toMatchObject({ status: 200, body: { subscribers: 2, notified: 2, delivered: 2 } });
  for (const notify of await Promise.all(told)) expect(notify.reports).toHaveLength(4);
  expect((await sbc().ask('GET', '/features/3023/history')).body).toEqual([]);
});

test('row 71: a change that expects an old version is refused with 412', async () => {
  const phone = await subscribed('3071');
  await put('3071', 'DoNotDisturb', { status: true }, '?wait=30');
  const before = phone.notifies.length;
  const late = await sbc().ask(
    'PUT',
    '/features/3071/DoNotDisturb',
    { status: false },
    { 'if-match': '"0"' },
  );
  expect(late).toMatchObject({
    status: 412,
    body: { error: { code: 'version-conflict' }, version: 1 },
  });
  expect(late.headers.get('etag')).toBe('"1"');
  expect(phone.notifies.length).toBe(before);
  const match = { 'if-match': '"1"' };
  const next = await sbc().ask('PUT', '/features/3071/DoNotDisturb', { status: false }, match);
  expect(next).toMatchObject({ status: 200, body: { version: 2 } });
});

test('row 75: a number that may not be forwarded to is refused with 409', async () => {
  const reply = await put('3075', 'CallForwardingBusy', { status: true, forwardTo: '0900123' });
  expect(reply).toMatchObject({
    status: 409,
    body: {
      error: { code: 'target-forbidden' },
      outcome: 'refused',
      state: { status: false },
      version: 0,
    },
  });
  const rows = await sbc().ask('GET', '/features/3075/history');
  const asked = { status: true, forwardTo: '0900123' };
  expect(rows.body).toMatchObject([
    { outcome: 'refused', reason: 'target-forbidden', old: { status: false }, new: asked },
  ]);
});

test('the same value again changes nothing and tells nobody', async () => {
  const phone = await subscribed('3018');
  await put('3018', 'DoNotDisturb', { status: true }, '?wait=30');
  const before = phone.notifies.length;
  const again = await put('3018', 'DoNotDisturb', { status: true });
  expect(again.body).toMatchObject({ outcome: 'unchanged', notified: 0, version: 1 });
  expect(phone.notifies.length).toBe(before);
});

test('PATCH takes a feature away and locks another', async () => {
  const phone = await subscribed('3016');
  const away = phone.nextNotify();
  expect(
    await sbc().ask('PATCH', '/features/3016/CallForwardingBusy', { assigned: false }),
  ).toMatchObject({ status: 200, body: { assigned: false } });
  expect((await away).reports.map(({ feature }) => feature)).not.toContain('CallForwardingBusy');
  await sbc().ask('PATCH', '/features/3016/DoNotDisturb', { locked: true });
  expect(await put('3016', 'DoNotDisturb', { status: true })).toMatchObject({
    status: 409,
    body: { error: { code: 'locked' } },
  });
  expect(await put('3016', 'CallForwardingBusy', { status: true, forwardTo: '1' })).toMatchObject({
    status: 409,
    body: { error: { code: 'unassigned' } },
  });
});

test('the list of subscriptions shows the phone and its last NOTIFY', async () => {
  const phone = await subscribed('3050');
  const list = async (): Promise<unknown> =>
    (await sbc().ask('GET', '/subscriptions?event=as-feature-event&account=3050')).body;
  // The NOTIFY is here before its answer is there.
  await expect.poll(list, { timeout: 20_000 }).toMatchObject([
    {
      event: 'as-feature-event',
      account: 'sip:3050@pbx.example',
      callId: phone.callId,
      remote: `127.0.0.1:${phone.port}`,
      transport: 'udp',
      lastNotify: { status: 200 },
      due: [],
    },
  ]);
  expect((await sbc().ask('GET', '/subscriptions?event=kpml')).body).toEqual([]);
});

function put(user: string, feature: string, body: object, query = ''): Promise<ApiReply> {
  return sbc().ask('PUT', `/features/${user}@pbx.example/${feature}${query}`, body);
}
