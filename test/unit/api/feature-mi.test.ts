import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCOUNT, type FeatureApi, openFeatureApi } from './feature-stage.ts';

const open: FeatureApi[] = [];

beforeAll(async () => {
  open.push(await openFeatureApi({ keys: ', mi-compat: true', phone: 'answers' }));
});

afterAll(async () => {
  await Promise.all(open.map((api) => api.close()));
});

async function post(body: unknown, [api] = open): Promise<{ status: number; body: unknown }> {
  if (api === undefined) throw new Error('there is no API');
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  return await api.ask('POST', '/mi', { headers, payload });
}

const DND = { presentity: ACCOUNT, feature: 'DoNotDisturb', status: 1 };
const CFNA = { ...DND, feature: 'CallForwardingNoAnswer' };

test.each<[method: string, params: unknown, answer: object]>([
  ['presence_dfks:set_feature', DND, { result: 'OK' }],
  ['dfks_set_feature', { ...DND, status: '0' }, { result: 'OK' }],
  ['dfks_set_feature', [ACCOUNT, 'DoNotDisturb', 1, 'param'], { result: 'OK' }],
  [
    'dfks_set_feature',
    { ...CFNA, values: ['forwardTo/2828', 'ringCount/4'], route_param: 'p' },
    { result: 'OK' },
  ],
  [
    'dfks_set_feature',
    { ...DND, feature: 'x' },
    { error: { code: 400, message: 'Unknown feature' } },
  ],
  ['dfks_set_feature', { ...DND, status: 7 }, { error: { code: -32602 } }],
  ['dfks_set_feature', { ...DND, other: 1 }, { error: { code: -32602 } }],
  ['dfks_set_feature', [ACCOUNT, 'DoNotDisturb'], { error: { code: -32602 } }],
  ['dfks_set_feature', undefined, { error: { code: -32602 } }],
  ['dfks_set_feature', { ...CFNA, values: ['2828'] }, { error: { code: 400 } }],
  ['dfks_set_feature', { ...CFNA, values: ['ringCount/21'] }, { error: { code: 409 } }],
  ['dfks_set_feature', { ...DND, presentity: 'tel:1' }, { error: { code: 400 } }],
  ['dfks_set_feature', { ...DND, presentity: 'sip:1@other.example' }, { error: { code: 404 } }],
  ['presence:refresh_watchers', [ACCOUNT, 'as-feature-event', 1], { result: 'OK' }],
  ['presence:refresh_watchers', [ACCOUNT, 'as-feature-event', '1'], { result: 'OK' }],
  ['presence:refresh_watchers', [ACCOUNT, 'as-feature-event', 0], { error: { code: 400 } }],
  ['presence:refresh_watchers', [ACCOUNT, 'presence', 1], { error: { code: 404 } }],
  ['ps', {}, { error: { code: -32601 } }],
])('%s %j', async (method, params, answer) => {
  const reply = await post({ jsonrpc: '2.0', id: 7, method, params });
  expect(reply).toMatchObject({ status: 200, body: { jsonrpc: '2.0', id: 7, ...answer } });
});

test.each<[body: unknown, answer: unknown]>([
  ['{', { error: { code: -32700 }, id: null }],
  ['', { error: { code: -32700 }, id: null }],
  [[], { error: { code: -32600 }, id: null }],
  ['7', { error: { code: -32600 }, id: null }],
  [{ method: 'dfks_set_feature' }, { error: { code: -32600 }, id: null }],
  [
    { jsonrpc: '2.0', method: 'x', id: {} },
    { error: { code: -32600 }, id: null },
  ],
  [
    [{ jsonrpc: '2.0', id: 'a', method: 'dfks_set_feature', params: DND }, 7],
    [{ result: 'OK', id: 'a' }, { error: { code: -32600 } }],
  ],
])('%j', async (body, answer) => {
  expect(await post(body)).toMatchObject({ status: 200, body: answer });
});

test('a notification is carried out and gets no answer', async () => {
  const reply = await post({ jsonrpc: '2.0', method: 'dfks_set_feature', params: DND });
  expect(reply).toMatchObject({ status: 204, body: undefined });
});

test('without mi-compat there is no such resource', async () => {
  const api = await openFeatureApi();
  const reply = await post({ jsonrpc: '2.0', id: 1, method: 'ps' }, [api]);
  await api.close();
  expect(reply).toMatchObject({ status: 404 });
});
