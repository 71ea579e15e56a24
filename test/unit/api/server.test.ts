import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { z } from 'zod';
import * as schemas from '../../../src/api/schemas.ts';
import { buildApi, startApi } from '../../../src/api/server.ts';
import type { Api } from '../../../src/api/server.ts';
import type { ApiBackend } from '../../../src/api/backend.ts';
import { createLog } from '../../../src/observe/log.ts';
import { CALL, fakeBackend } from './fake-backend.ts';

const LISTEN = { address: '127.0.0.1', port: 0 };
const REMOTE = '192.0.2.1';
const TOKEN = 's3cret-token';

const notReady = () => ({ isReady: false, reasons: ['draining'] });
const broken = (): never => {
  throw new Error('seeded detail');
};

const open: { close(): unknown }[] = [];
let logged = '';
const log = createLog('info', { write: (line) => (logged += line) });

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  logged = '';
});

async function build(changes: Partial<ApiBackend> = {}, token = ''): Promise<FastifyInstance> {
  const app = await buildApi({ listen: LISTEN, token, backend: fakeBackend(changes), log });
  open.push(app);
  return app;
}

async function start(changes: Partial<ApiBackend> = {}): Promise<Api> {
  const api = await startApi({ listen: LISTEN, token: '', backend: fakeBackend(changes), log });
  open.push(api);
  return api;
}

async function ask(request: InjectOptions, changes: Partial<ApiBackend> = {}) {
  return await (await build(changes)).inject(request);
}

function jsonOf(text: string): unknown {
  return text.startsWith('{') ? JSON.parse(text) : undefined;
}

describe('answers fit their schemas', () => {
  test.each<[NonNullable<InjectOptions['method']>, string, number, z.ZodType]>([
    ['GET', '/healthz', 200, schemas.statusSchema],
    ['GET', '/readyz', 200, schemas.readinessSchema],
    ['GET', '/api/v1/calls', 200, z.array(schemas.callSchema)],
    ['GET', '/api/v1/calls/c1', 200, schemas.callSchema],
    ['GET', '/api/v1/calls/c1/ladder', 200, schemas.ladderSchema],
    ['GET', '/api/v1/calls/c1/explanation', 200, schemas.explanationSchema],
    ['GET', '/api/v1/digits', 200, z.array(schemas.digitSchema)],
    ['GET', '/api/v1/agents', 200, z.array(schemas.agentSchema)],
    ['POST', '/api/v1/agents/carrier/lock', 200, schemas.agentSchema],
    ['POST', '/api/v1/agents/carrier/unlock', 200, schemas.agentSchema],
    ['POST', '/api/v1/agents/nobody/lock', 404, schemas.errorSchema],
    ['GET', '/api/v1/subscriptions', 200, z.array(schemas.subscriptionSchema)],
    ['POST', '/api/v1/config/check', 200, schemas.configCheckSchema],
    ['POST', '/api/v1/config/reload', 200, schemas.reloadSchema],
    ['POST', '/api/v1/drain', 202, schemas.drainSchema],
    ['GET', '/api/v1/calls/unknown', 404, schemas.errorSchema],
    ['DELETE', '/api/v1/calls/unknown', 404, schemas.errorSchema],
    ['GET', '/api/v1/calls/unknown/ladder', 404, schemas.errorSchema],
    ['GET', '/api/v1/calls/unknown/explanation', 404, schemas.errorSchema],
    ['GET', '/api/v1/calls/c1/ladder?width=5', 400, schemas.errorSchema],
    ['GET', '/api/v1/nothing', 404, schemas.errorSchema],
    ['GET', '/%zz', 400, schemas.errorSchema],
    ['PUT', '/api/v1/drain', 405, schemas.errorSchema],
    ['DELETE', '/api/v1/calls/c0', 409, schemas.errorSchema],
  ])('%s %s: %i', async (method, url, status, schema) => {
    const answer = await ask({ method, url });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(schema.safeParse(answer.json())).toMatchObject({ success: true });
  });
});

describe('probes', () => {
  test('not ready: 503 with the reasons', async () => {
    const answer = await ask({ url: '/readyz' }, { readiness: notReady });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({ isReady: false, reasons: ['draining'] });
  });

  test('strangers may ask, and learn no more than the answer', async () => {
    const app = await build({ readiness: notReady });
    const health = await app.inject({ url: '/healthz', remoteAddress: REMOTE });
    const ready = await app.inject({ url: '/readyz', remoteAddress: REMOTE });
    expect(health.json()).toEqual({ status: 'ok' });
    expect([ready.statusCode, ready.json()]).toEqual([503, { isReady: false, reasons: [] }]);
  });

  test('metrics are Prometheus text', async () => {
    const answer = await ask({ url: '/metrics' });
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toBe('sbc_bugs_total 0\n');
  });
});

describe('calls', () => {
  test('a list without and a single one with media counters', async () => {
    const app = await build();
    expect((await app.inject('/api/v1/calls')).json()).toEqual([CALL]);
    expect((await app.inject('/api/v1/calls/c1')).json()).toMatchObject({
      id: 'c1',
      media: { caller: { receivedPackets: 10 } },
    });
  });

  test('ending one', async () => {
    const ended: string[] = [];
    const endCall = async (callId: string) => ended.push(callId) > 0;
    const answer = await ask({ method: 'DELETE', url: '/api/v1/calls/c1' }, { endCall });
    expect([answer.statusCode, answer.body, ended]).toEqual([204, '', ['c1']]);
  });

  test('the ladder as a drawing when text is wanted', async () => {
    const app = await build();
    const url = '/api/v1/calls/c1/ladder';
    const text = await app.inject({ url, headers: { accept: 'text/plain' } });
    expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text.body).toMatch(/caller +sbc +callee\n +\+0\.000 .*\n\(3 rows dropped here\)\n/);
    const wide = await app.inject({ url: `${url}?width=200`, headers: { accept: 'text/plain' } });
    expect(wide.body.split('\n')[0]?.length).toBeGreaterThan(150);
    const json = await app.inject(url);
    expect(json.json()).toMatchObject({ callId: 'c1', droppedRows: 3 });
  });

  test('digits of all calls or of one', async () => {
    const app = await build();
    expect((await app.inject('/api/v1/digits')).json()).toHaveLength(2);
    expect((await app.inject('/api/v1/digits?call=c2')).json()).toMatchObject([{ callId: 'c2' }]);
  });
});

describe('configuration', () => {
  const url = '/api/v1/config/check';

  test.each([
    ['application/yaml', 'a: 1', 'bad: a: 1'],
    ['text/plain', 'a: 1', 'bad: a: 1'],
    ['application/json', '{"a":1}', 'bad: {"a":1}'],
  ])('a body of %s is checked', async (type, payload, message) => {
    const answer = await ask({ method: 'POST', url, headers: { 'content-type': type }, payload });
    expect(answer.json()).toMatchObject({ isValid: false, problems: [{ message }] });
  });

  test('without body the file in use is checked', async () => {
    expect((await ask({ method: 'POST', url })).json()).toMatchObject({
      isValid: true,
      problems: [],
    });
  });

  test.each([
    ['a body of another kind', 415, 'unsupported-media-type', 'image/png', 'x'],
    ['a huge body', 413, 'too-large', 'text/plain', 'x'.repeat(2_000_000)],
  ])('%s: %i', async (...[, status, error, type, payload]) => {
    const answer = await ask({ method: 'POST', url, headers: { 'content-type': type }, payload });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ error });
  });

  test('a refused reload is 422 with its problems', async () => {
    const problems = [{ line: 3, column: 1, path: 'sip', message: 'unknown key' }];
    const reload = async () => ({ type: 'refused', problems }) as const;
    const answer = await ask({ method: 'POST', url: '/api/v1/config/reload' }, { reload });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toEqual({ type: 'refused', problems });
  });
});

describe('access', () => {
  const drain = { method: 'POST', url: '/api/v1/drain' } as const;
  const authorization = `Bearer ${TOKEN}`;

  test.each<[string, string, InjectOptions, number]>([
    ['a stranger reads, no token configured', '', { url: '/metrics', remoteAddress: REMOTE }, 403],
    ['a stranger writes, no token configured', '', { ...drain, remoteAddress: REMOTE }, 403],
    ['a stranger asks for what is not there', '', { url: '/nothing', remoteAddress: REMOTE }, 403],
    ['a stranger reads without token', TOKEN, { url: '/metrics', remoteAddress: REMOTE }, 401],
    [
      'a stranger reads with token',
      TOKEN,
      { url: '/metrics', remoteAddress: REMOTE, headers: { authorization } },
      200,
    ],
    ['a stranger reads the document', TOKEN, { url: '/openapi.json', remoteAddress: REMOTE }, 401],
    ['writing on loopback without token', TOKEN, drain, 401],
    ['writing with token', TOKEN, { ...drain, headers: { authorization } }, 202],
    ['writing on loopback, none configured', '', drain, 202],
    ['a foreign page writes', '', { ...drain, headers: { origin: 'https://evil.example' } }, 403],
    [
      'forwarding headers change nothing',
      '',
      { ...drain, remoteAddress: REMOTE, headers: { 'x-forwarded-for': '127.0.0.1' } },
      403,
    ],
  ])('%s', async (_name, token, request, status) => {
    let drained = 0;
    const app = await build(
      { drain: async () => ({ isDraining: true, activeCalls: (drained += 1) }) },
      token,
    );
    const answer = await app.inject(request);
    expect(answer.statusCode).toBe(status);
    const isRefused = status >= 400;
    expect(schemas.errorSchema.safeParse(jsonOf(answer.body)).success).toBe(isRefused);
    expect(drained).toBe(status === 202 ? 1 : 0);
    expect(logged.includes('API refused')).toBe(isRefused);
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
    expect(logged).not.toContain(TOKEN);
  });

  test('writes are logged with who and what; some put the token into the query', async () => {
    await ask({ ...drain, url: `${drain.url}?token=${TOKEN}` });
    expect(logged).not.toContain(TOKEN);
    expect(JSON.parse(logged)).toMatchObject({
      msg: 'API write',
      remote: '127.0.0.1',
      method: 'POST',
      url: '/api/v1/drain',
      status: 202,
    });
  });
});

test('our own fault is a bare 500; the log has the stack', async () => {
  const answer = await ask({ url: '/api/v1/calls' }, { listCalls: broken });
  expect([answer.statusCode, answer.json()]).toEqual([
    500,
    { error: 'internal', message: 'internal error' },
  ]);
  expect(JSON.parse(logged)).toMatchObject({
    level: 50,
    route: '/api/v1/calls',
    err: { message: 'seeded detail', stack: expect.stringContaining('server.test.ts') },
  });
});

test('the OpenAPI document names every route and its answers', async () => {
  const document = (await ask({ url: '/openapi.json' })).json();
  expect(document.openapi).toBe('3.1.0');
  expect(document.info.version).toBe('1.2.3');
  const operations = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(operations.toSorted()).toEqual([
    'DELETE /api/v1/calls/{id}',
    'GET /api/v1/agents',
    'GET /api/v1/calls',
    'GET /api/v1/calls/{id}',
    'GET /api/v1/calls/{id}/explanation',
    'GET /api/v1/calls/{id}/ladder',
    'GET /api/v1/digits',
    'GET /api/v1/events',
    'GET /api/v1/features',
    'GET /api/v1/features/{account}',
    'GET /api/v1/features/{account}/history',
    'GET /api/v1/features/{account}/{feature}',
    'GET /api/v1/series',
    'GET /api/v1/status',
    'GET /api/v1/subscriptions',
    'GET /healthz',
    'GET /metrics',
    'GET /readyz',
    'PATCH /api/v1/agents/{name}',
    'PATCH /api/v1/features/{account}/{feature}',
    'POST /api/v1/agents/{name}/lock',
    'POST /api/v1/agents/{name}/unlock',
    'POST /api/v1/config/check',
    'POST /api/v1/config/plan',
    'POST /api/v1/config/reload',
    'POST /api/v1/drain',
    'POST /api/v1/features/{account}/refresh',
    'POST /mi',
    'PUT /api/v1/features/{account}/{feature}',
  ]);
  const call = document.paths['/api/v1/calls/{id}'].get.responses['200'];
  expect(call.content['application/json'].schema.properties.legs.properties.caller.type).toBe(
    'object',
  );
  expect(JSON.stringify(document)).not.toContain('$schema');
});

describe('on a socket', () => {
  test('listens before it resolves and leaves nothing after close', async () => {
    const api = await start();
    const url = `http://${api.address}:${api.port}/api/v1/calls`;
    expect(await (await fetch(url)).json()).toHaveLength(1);
    await api.close();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('close does not wait for a client that stays silent', async () => {
    const api = await start();
    const socket = connect(api.port, api.address);
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await api.close();
    await expect(closed).resolves.toBe(false);
  });

  test('a port that is taken is an error and leaves nothing', async () => {
    const { address, port } = await start();
    const options = { listen: { address, port }, token: '', backend: fakeBackend(), log };
    await expect(startApi(options)).rejects.toThrow('EADDRINUSE');
  });

  test('bytes that are no HTTP get JSON back', async () => {
    const api = await start();
    const socket = connect(api.port, api.address);
    socket.end('this is not HTTP\r\n\r\n');
    let answer = '';
    for await (const bytes of socket) answer += String(bytes);
    expect(answer).toMatch(
      /^HTTP\/1\.1 400 [^]*\{"error":"bad-request","message":"not an HTTP request"\}$/,
    );
  });
});
