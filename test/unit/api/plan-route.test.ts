import { afterEach, expect, test } from 'vitest';
import type { FastifyInstance } from 'fastify';
import type { ApiBackend } from '../../../src/api/backend.ts';
import { configPlanView } from '../../../src/api/config-plan.ts';
import { configPlanSchema } from '../../../src/api/plan-schemas.ts';
import { buildApi } from '../../../src/api/server.ts';
import { createLog } from '../../../src/observe/log.ts';
import { edited, load, SAMPLE, validOf } from '../config/sample.ts';
import { fakeBackend } from './fake-backend.ts';

const url = '/api/v1/config/plan';
const headers = { 'content-type': 'application/yaml', host: '127.0.0.1' };
const NEW = edited(['address: 127.0.0.1:6080', 'address: 127.0.0.1:6081']);

let app: FastifyInstance | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function post(payload: string, changes: Partial<ApiBackend> = {}, token = '') {
  const log = createLog('silent');
  const listen = { address: '127.0.0.1', port: 0 };
  app = await buildApi({ listen, token, backend: fakeBackend(changes), log });
  return await app.inject({ method: 'POST', url, headers, payload });
}

/** A backend that has the sample in use, with one call through the carrier. */
const planning: Partial<ApiBackend> = {
  planConfig: async (text) =>
    configPlanView(validOf(SAMPLE), load(text ?? SAMPLE), [
      [
        { sipInterface: 'access', agent: undefined },
        { sipInterface: 'core', agent: 'carrier' },
      ],
    ]),
};

test('the text in the body is planned, in the shape that the document promises', async () => {
  const reply = await post(NEW, planning);
  expect(reply.statusCode).toBe(200);
  const view = configPlanSchema.parse(reply.json());
  expect(view).toMatchObject({
    verdict: 'live',
    plan: { isChanged: true, elements: [{ section: 'session-agents', name: 'carrier' }] },
    calls: {
      active: 1,
      affected: [{ section: 'session-agents', name: 'carrier', type: 'changed', calls: 1 }],
    },
  });
});

test.each([
  ['what is not valid', 'realms: no', 'refused'],
  ['what means the same', `# comment\n${SAMPLE}`, 'unchanged'],
  ['another SIP port', SAMPLE.replace('tcp/127.0.0.1:6062', 'tcp/127.0.0.1:6063'), 'live'],
  ['what is bound to threads', `${SAMPLE}media: { workers: 1 }\n`, 'restart'],
])('%s', async (_, text, verdict) => {
  const reply = await post(text, planning);
  expect(configPlanSchema.parse(reply.json())).toMatchObject({ verdict, calls: { active: 1 } });
});

test('without a body the file in use is planned, as it is now', async () => {
  expect((await post('', planning)).json()).toMatchObject({ verdict: 'unchanged' });
});

test('nothing to compare with, and nobody who may ask', async () => {
  expect((await post(NEW, { planConfig: async () => undefined })).statusCode).toBe(409);
  expect((await post(NEW, planning, 'token')).statusCode).toBe(401);
});
