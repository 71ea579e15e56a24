/** Errors of everything about feature keys have one shape, and what is not known is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { featureErrorSchema } from '../../../src/api/feature-schemas.ts';
import { type FeatureApi, openFeatureApi, ROOT } from './feature-stage.ts';

const running: FeatureApi[] = [];

beforeAll(async () => {
  running.push(await openFeatureApi({ keys: ', mi-compat: true', phone: 'answers' }));
  running.push(await openFeatureApi({ keys: ', mi-compat: true', token: 't' }));
});

afterAll(async () => {
  await Promise.all(running.map((one) => one.close()));
});

function api(index = 0): FeatureApi {
  const found = running[index];
  if (found === undefined) throw new Error('there is no API');
  return found;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const STRANGER = { remoteAddress: '192.0.2.1' };

describe('errors are an object with code and message', () => {
  test.each([
    ['/api/v1/subscriptions?account=tel:1', 400, 'bad-request'],
    ['/api/v1/subscriptions?account=1@other.example', 404, 'unknown-domain'],
    ['/api/v1/subscriptions?event=presence', 400, 'bad-request'],
    ['/api/v1/events?account=tel:1', 400, 'bad-request'],
    ['/api/v1/events?account=1@other.example', 404, 'unknown-domain'],
    ['/api/v1/events?account=1&account=2', 400, 'bad-request'],
  ])('GET %s: %i', async (url, status, code) => {
    const answer = await api().ask('GET', url);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(featureErrorSchema.safeParse(answer.body)).toMatchObject({ success: true });
  });

  test.each([
    ['GET', '/api/v1/subscriptions'],
    ['GET', '/api/v1/events'],
    ['POST', '/mi'],
  ] as const)('%s %s without the token: 401', async (method, url) => {
    const answer = await api(1).ask(method, url, STRANGER);
    expect(answer).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { error: { code: 'unauthorized' } },
    });
  });

  test('a stream beyond those that are served: 503 with Retry-After', async () => {
    const full = await openFeatureApi({ isDraining: true });
    const answer = await full.ask('GET', '/api/v1/events');
    await full.close();
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { error: { code: 'unavailable' } },
    });
  });

  test('other routes keep the flat form', async () => {
    const answer = await api(1).ask('GET', '/api/v1/calls', STRANGER);
    expect(answer).toMatchObject({ status: 401, body: { error: 'unauthorized' } });
  });
});

describe('a parameter that is not known is 400', () => {
  test.each([
    ['GET', `${ROOT}?wait=5`],
    ['GET', `${ROOT}/DoNotDisturb?wait=5`],
    ['GET', `${ROOT}/history?Limit=5`],
    ['GET', `${ROOT}/history?limit=5&offset=5`],
    ['GET', '/api/v1/subscriptions?presentity=2001'],
    ['GET', '/api/v1/events?feature=DoNotDisturb'],
    ['PUT', `${ROOT}/DoNotDisturb?wiat=5`],
    ['PATCH', `${ROOT}/DoNotDisturb?wait=5`],
    ['POST', `${ROOT}/refresh?type=1`],
  ] as const)('%s %s', async (method, url) => {
    api().store.calls.length = 0;
    const body = { PUT: '{"status":true}', PATCH: '{"locked":true}', POST: '{}', GET: undefined };
    const payload = body[method];
    const more = payload === undefined ? {} : { headers: JSON_TYPE, payload };
    const answer = await api().ask(method, url, more);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad-request' } } });
    expect(api().store.calls).toEqual([]);
  });
});

test.each([
  ['limit=0', 400],
  ['limit=1', 200],
  ['limit=1000', 200],
  ['limit=1001', 400],
])('history?%s: %i', async (query, status) => {
  expect((await api().ask('GET', `${ROOT}/history?${query}`)).status).toBe(status);
});

describe('the body of a refresh', () => {
  test.each([
    ['', 200],
    ['{}', 200],
    ['{"wait":5}', 400],
    ['{"type":1}', 400],
    ['[]', 400],
    ['refresh', 400],
  ])('%s: %i', async (payload, status) => {
    const told = api().notices.length;
    const answer = await api().ask('POST', `${ROOT}/refresh`, { headers: JSON_TYPE, payload });
    expect(answer.status).toBe(status);
    expect(api().notices.length - told).toBe(status === 200 ? 1 : 0);
  });
});
