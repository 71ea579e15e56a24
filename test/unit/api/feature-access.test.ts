import { afterEach, describe, expect, test } from 'vitest';
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

async function start(options: FeatureApiOptions = {}): Promise<FeatureApi> {
  const api = await openFeatureApi(options);
  open.push(api);
  return api;
}

const ON = { status: true };

describe('PATCH', () => {
  test.each([{}, { assigned: 1 }, { locked: 'no' }, { status: true }])(
    '%j is 400',
    async (body) => {
      const api = await start();
      const answer = await api.ask('PATCH', `${ROOT}/DoNotDisturb`, {
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(body),
      });
      expect([answer.status, api.store.calls]).toEqual([400, []]);
    },
  );

  test('assigned tells every phone everything', async () => {
    const api = await start({ phone: 'answers' });
    const answer = await api.ask('PATCH', `${ROOT}/DoNotDisturb`, {
      headers: { 'content-type': 'application/json' },
      payload: '{"assigned":false}',
    });
    expect(answer).toMatchObject({ status: 200, body: { assigned: false, locked: false } });
    expect(api.notices).toEqual([{ type: 'full' }]);
  });
});

describe('access', () => {
  test.each([
    ['a stranger without a configured token', '', { remoteAddress: '192.0.2.1' }, 403],
    ['a stranger without the token', 't', { remoteAddress: '192.0.2.1' }, 401],
  ])('%s', async (_who, token, more, status) => {
    const api = await start({ token });
    expect(await api.ask('GET', ROOT, more)).toMatchObject({
      status,
      body: { error: { code: status === 401 ? 'unauthorized' : 'forbidden' } },
    });
  });

  test('a write needs the token, and the operating-system user is no token', async () => {
    const api = await start({ token: 't' });
    const answer = await api.put('DoNotDisturb', ON, { 'x-tonebridge-cli-user': 'root' });
    expect([answer.status, api.store.calls]).toEqual([401, []]);
  });

  test('the command line is named by its user', async () => {
    const api = await start();
    await api.put('DoNotDisturb', ON, { 'x-tonebridge-cli-user': 'J%C3%B6rg' });
    await api.put('DoNotDisturb', { status: 0 }, { 'x-tonebridge-cli-user': 'a%0Ab' });
    const [second, first] = await api.service.history(ACCOUNT, {});
    expect(first).toMatchObject({ source: 'cli', actor: 'Jörg' });
    expect(second).toMatchObject({ source: 'api', actor: 'loopback' });
  });
});

describe('the stream of events', () => {
  test.each([
    ['account=2001@other.example', 404],
    ['account=tel:2001', 400],
    ['account=1&account=2', 400],
  ])('?%s: %i', async (query, status) => {
    const api = await start();
    expect((await api.ask('GET', `/api/v1/events?${query}`)).status).toBe(status);
  });

  test('is for those who may read', async () => {
    const api = await start({ token: 't' });
    const stranger = { remoteAddress: '192.0.2.1' };
    expect((await api.ask('GET', '/api/v1/events', stranger)).status).toBe(401);
  });
});

test('the OpenAPI document says what a change looks like and how it may fail', async () => {
  const api = await start();
  const { body } = await api.ask('GET', '/openapi.json');
  const schema = { type: 'object', required: ['status'] };
  expect(body).toMatchObject({
    paths: {
      '/api/v1/features/{account}/{feature}': {
        put: {
          requestBody: { content: { 'application/json': { schema } } },
          responses: {
            200: {},
            400: {},
            401: {},
            403: {},
            404: {},
            409: {},
            412: {},
            429: {},
            503: {},
          },
        },
      },
      '/api/v1/events': { get: { responses: { 200: { content: { 'text/event-stream': {} } } } } },
    },
  });
});
