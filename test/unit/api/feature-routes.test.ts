import { afterAll, afterEach, describe, expect, test } from 'vitest';
import * as schemas from '../../../src/api/feature-schemas.ts';
import {
  ACCOUNT,
  type FeatureApi,
  type FeatureApiOptions,
  openFeatureApi,
  ROOT,
} from './feature-stage.ts';

const open: FeatureApi[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

const shared: FeatureApi[] = [];

afterAll(async () => {
  await Promise.all(shared.map((api) => api.close()));
});

/** For requests that change nothing. */
async function reading(): Promise<FeatureApi> {
  const api = shared[0] ?? (await openFeatureApi({ phone: 'answers' }));
  if (shared.length === 0) shared.push(api);
  api.store.calls.length = 0;
  return api;
}

async function start(options: FeatureApiOptions = {}): Promise<FeatureApi> {
  const api = await openFeatureApi(options);
  open.push(api);
  return api;
}

const ON = { status: true };

describe('what cannot be understood is 400 and changes nothing', () => {
  test.each<[feature: string, body: unknown]>([
    ['CallWaiting', ON],
    ['donotdisturb', ON],
    ['DoNotDisturb', {}],
    ['DoNotDisturb', ''],
    ['DoNotDisturb', 'status=true'],
    ['DoNotDisturb', '[true]'],
    ['DoNotDisturb', 'null'],
    ['DoNotDisturb', { status: 7 }],
    ['DoNotDisturb', { status: -0.5 }],
    ['DoNotDisturb', { status: 'true' }],
    ['DoNotDisturb', { status: null }],
    ['DoNotDisturb', { ...ON, extra: 1 }],
    ['DoNotDisturb', '{"status":true,"__proto__":{}}'],
    ['DoNotDisturb', { ...ON, forwardTo: '2424' }],
    ['DoNotDisturb', { ...ON, param: 7 }],
    ['DoNotDisturb', { ...ON, param: 'x'.repeat(1025) }],
    ['CallForwardingAlways', { ...ON, ringCount: 4 }],
    ['CallForwardingBusy', { ...ON, values: ['ringCount/4'] }],
    ['CallForwardingAlways', { ...ON, forwardTo: 2424 }],
    ['CallForwardingAlways', { ...ON, forwardTo: ' ' }],
    ['CallForwardingAlways', { ...ON, forwardTo: 'x'.repeat(257) }],
    ['CallForwardingAlways', { ...ON, forwardTo: '24\u0000' }],
    ['CallForwardingAlways', { ...ON, values: 'forwardTo/2424' }],
    ['CallForwardingAlways', { ...ON, values: ['2424'] }],
    ['CallForwardingAlways', { ...ON, values: [7] }],
    ['CallForwardingAlways', { ...ON, values: ['forwardDN/2424'] }],
    ['CallForwardingAlways', { ...ON, values: ['forwardTo/1', 'forwardTo/2'] }],
    ['CallForwardingAlways', { ...ON, values: ['__proto__/2424'] }],
    ['CallForwardingAlways', { ...ON, values: { forwardTo: '1' }, forwardTo: '2' }],
    ['CallForwardingNoAnswer', { ...ON, ringCount: '4' }],
    ['CallForwardingNoAnswer', { ...ON, ringCount: 4.5 }],
    ['CallForwardingNoAnswer', { ...ON, values: ['ringCount/four'] }],
  ])('%s %j', async (feature, body) => {
    const api = await reading();
    const answer = await api.put(feature, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad-request' } } });
    expect(schemas.featureErrorSchema.safeParse(answer.body).success).toBe(true);
    expect([api.store.calls, api.notices]).toEqual([[], []]);
  });

  test.each([
    ['If-Match', { 'if-match': 'seven' }, ''],
    ['If-Match list', { 'if-match': '"1", "2"' }, ''],
    ['wait', {}, '?wait=long'],
    ['wait twice', {}, '?wait=1&wait=2'],
  ])('%s', async (_what, headers, query) => {
    const api = await reading();
    const answer = await api.put(`DoNotDisturb${query}`, ON, headers);
    expect([answer.status, api.store.calls]).toEqual([400, []]);
  });

  test('a body beyond 16 KiB is 413 in the same shape', async () => {
    const api = await start();
    expect(await api.put('DoNotDisturb', ' '.repeat(20_000))).toMatchObject({
      status: 413,
      body: { error: { code: 'too-large' } },
    });
  });
});

describe('the account', () => {
  test.each([
    ['2001@pbx.example', 200],
    ['sip:2001@pbx.example', 200],
    ['sip%3A2001%40pbx.example', 200],
    ['sips:2001@PBX.Example:5061;transport=tls', 200],
    ['2001@sbc.example', 200],
    ['2001', 200],
    ['2001@other.example', 404],
    ['tel:2001', 400],
    ['mailto:2001@pbx.example', 400],
    ['@pbx.example', 400],
    ['2001@', 400],
    ['20 01@pbx.example', 400],
    ['2001@pbx.example@x', 400],
    ['%2500@pbx.example', 400],
    ['x'.repeat(300), 400],
  ])('%s: %i', async (account, status) => {
    const api = await reading();
    const answer = await api.ask('GET', `/api/v1/features/${account.replaceAll(' ', '%20')}`);
    const body = status === 200 ? { account: ACCOUNT } : { error: {} };
    expect(answer).toMatchObject({ status, body });
  });

  test('one that the store does not know is 404', async () => {
    const api = await start();
    api.store.unknown.add(ACCOUNT);
    const unknown = { status: 404, body: { error: { code: 'unknown-account' } } };
    expect(await api.ask('GET', ROOT)).toMatchObject(unknown);
    expect(await api.put('DoNotDisturb', ON)).toMatchObject(unknown);
    expect(await api.ask('POST', `${ROOT}/refresh`)).toMatchObject(unknown);
  });
});

describe('a change', () => {
  test.each<[body: object, requested: object, param: string | null]>([
    [{ status: 1, forwardTo: ' 2828 ' }, { status: true, forwardTo: '2828' }, null],
    [{ status: 0, forwardTo: null }, { status: false, forwardTo: null }, null],
    [
      { status: true, forwardTo: '1', ringCount: 4, param: 'p' },
      { status: true, forwardTo: '1', ringCount: 4 },
      'p',
    ],
    [
      { status: true, values: { forwardTo: '2828', ringCount: '4' } },
      { status: true, forwardTo: '2828', ringCount: 4 },
      null,
    ],
    [
      { status: true, values: ['forwardTo/sip:a/b@x.example', 'ringCount/4'] },
      { status: true, forwardTo: 'sip:a/b@x.example', ringCount: 4 },
      null,
    ],
    [{ status: true, values: ['forwardTo/', 'ringCount/'] }, { status: true }, null],
  ])('%j', async (body, requested, param) => {
    const api = await start();
    api.store.put(ACCOUNT, 'CallForwardingNoAnswer', { status: false, values: { forwardTo: '9' } });
    const answer = await api.put('CallForwardingNoAnswer', { ...body });
    expect(answer.status).toBe(200);
    const set = api.store.calls.find(({ operation }) => operation === 'set');
    expect(set?.change?.requested).toEqual(requested);
    expect(set?.context).toMatchObject({ source: 'api', param });
  });

  test('row 20: the provider sees who asks and param', async () => {
    const api = await start({ token: 't' });
    const headers = { authorization: 'Bearer t' };
    await api.put('DoNotDisturb', { ...ON, param: 'tenant 7' }, headers);
    const set = api.store.calls.find(({ operation }) => operation === 'set');
    expect(set?.context).toMatchObject({ source: 'api', actor: 'token', param: 'tenant 7' });
    expect(set?.context.origin).toMatchObject({ token: 'token', remote: '127.0.0.1' });
  });

  test('answers fit their schemas', async () => {
    const api = await start({ phone: 'answers' });
    const applied = await api.put('DoNotDisturb', ON);
    expect(applied.body).toEqual({
      outcome: 'applied',
      old: { status: false },
      new: { status: true },
      version: 1,
      subscribers: 1,
      notified: 1,
    });
    const same = await api.put('DoNotDisturb', ON);
    expect(same.body).toMatchObject({ outcome: 'unchanged', notified: 0 });
    for (const { body } of [applied, same]) {
      expect(schemas.outcomeSchema.safeParse(body)).toMatchObject({ success: true });
    }
    const refused = await api.put('CallForwardingBusy', ON);
    expect(refused).toMatchObject({
      status: 409,
      body: { error: { code: 'no-target' }, state: { status: false } },
    });
    expect(schemas.refusedSchema.safeParse(refused.body)).toMatchObject({ success: true });
    const conflict = await api.put('DoNotDisturb', { status: 0 }, { 'if-match': '"9"' });
    expect(conflict).toMatchObject({ status: 412, body: { version: 1 }, headers: { etag: '"1"' } });
    expect(schemas.conflictSchema.safeParse(conflict.body)).toMatchObject({ success: true });
    const whole = await api.ask('GET', ROOT);
    expect(schemas.accountSchema.safeParse(whole.body)).toMatchObject({ success: true });
    const one = await api.ask('GET', `${ROOT}/DoNotDisturb`);
    expect(schemas.featureSchema.safeParse(one.body)).toMatchObject({ success: true });
    const rows = await api.ask('GET', `${ROOT}/history`);
    expect(schemas.historyRowSchema.array().safeParse(rows.body)).toMatchObject({ success: true });
  });

  test('any version goes with *', async () => {
    const api = await start();
    expect((await api.put('DoNotDisturb', ON, { 'if-match': '*' })).status).toBe(200);
  });

  test('the answer waits for the phones, yet not for ever', async () => {
    const quick = await start({ phone: 'answers' });
    expect((await quick.put('DoNotDisturb?wait=30', ON)).body).toMatchObject({ delivered: 1 });
    const slow = await start({ phone: 'silent' });
    expect((await slow.put('DoNotDisturb?wait=0.05', ON)).body).toMatchObject({
      notified: 1,
      delivered: 0,
    });
    const refreshed = await slow.ask('POST', `${ROOT}/refresh?wait=0.05`);
    expect(refreshed.body).toEqual({ subscribers: 1, notified: 1, delivered: 0 });
  });

  test('a store that fails is 503 with Retry-After', async () => {
    const api = await start();
    for (const operation of ['get', 'set'] as const) {
      api.store.failing.clear();
      api.store.failing.add(operation);
      expect(await api.put('DoNotDisturb', ON)).toMatchObject({
        status: 503,
        headers: { 'retry-after': '5' },
        body: { error: { code: 'storage' } },
      });
    }
  });

  test('more than the allowed number a second is 429', async () => {
    const api = await start({ keys: ', sets-per-second: 3' });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      statuses.push((await api.put('DoNotDisturb', { status: count % 2 })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    const late = await api.put('DoNotDisturb', ON);
    expect(late).toMatchObject({
      headers: { 'retry-after': '1' },
      body: { error: { code: 'rate' } },
    });
  });
});

test.each([
  ['feature=CallWaiting', 400],
  ['from=yesterday', 400],
  ['limit=-1', 400],
  ['before=x', 400],
  ['limit=1&limit=2', 400],
  ['feature=DoNotDisturb', 200],
  ['from=2026-01-01&to=2999-01-01T00:00:00Z&limit=5&before=7', 200],
  ['from=2026-01-01T00:00:00%2B02:00', 200],
  ['from=2026-01-01T00:00:00+02:00', 200],
])('history?%s: %i', async (query, status) => {
  const api = await reading();
  expect((await api.ask('GET', `${ROOT}/history?${query}`)).status).toBe(status);
});

test('the history is read from one time to another', async () => {
  const api = await start();
  await api.put('DoNotDisturb', ON);
  const between = async (query: string): Promise<unknown> =>
    (await api.ask('GET', `${ROOT}/history?${query}`)).body;
  expect(await between('from=2026-01-01&to=2999-01-01')).toHaveLength(1);
  expect(await between('to=2026-01-01')).toEqual([]);
  expect(await between('feature=CallForwardingBusy')).toEqual([]);
});
