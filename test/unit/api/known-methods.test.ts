import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { buildApi } from '../../../src/api/server.ts';
import { createLog } from '../../../src/observe/log.ts';
import { fakeBackend } from './fake-backend.ts';

const REMOTE = '192.0.2.9';
const listen = { address: '127.0.0.1', port: 0 };
const open: FastifyInstance[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

async function ask(request: InjectOptions) {
  const options = { listen, token: '', backend: fakeBackend(), log: createLog('silent') };
  const app = await buildApi(options);
  open.push(app);
  return await app.inject(request);
}

test.each<[NonNullable<InjectOptions['method']>, string, string]>([
  ['PUT', '/api/v1/drain?now=1', 'POST'],
  ['POST', '/api/v1/calls', 'GET, HEAD'],
  ['POST', '/api/v1/calls/c1', 'DELETE, GET, HEAD'],
  ['DELETE', '/api/v1/agents/any%2Fname', 'PATCH'],
  ['GET', '/mi', 'POST'],
  ['POST', '/', 'GET, HEAD'],
])('%s %s is no method of the resource: 405 with those it has, %s', async (method, url, allow) => {
  const answer = await ask({ method, url });
  expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow]);
  expect(answer.body).toContain('method-not-allowed');
});

test('a wrong method tells nothing to those who may not ask', async () => {
  const answer = await ask({ method: 'PUT', url: '/api/v1/drain', remoteAddress: REMOTE });
  expect([answer.statusCode, answer.headers.allow]).toEqual([403, undefined]);
});
