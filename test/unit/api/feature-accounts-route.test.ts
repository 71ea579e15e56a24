import { expect, test } from 'vitest';
import { buildApi } from '../../../src/api/server.ts';
import type { FeatureBackend } from '../../../src/api/feature-backend.ts';
import { createLog } from '../../../src/observe/log.ts';
import { configOf, SAMPLE } from '../config/sample.ts';
import { fakeBackend } from './fake-backend.ts';
import { openFeatureApi } from './feature-stage.ts';

const USERS =
  'users: { "2001": { password: a }, "boss": { password: b, accounts: [ "2001", "2002@pbx.example" ] } }';

/** Asks an API over `features`, whose subscriptions belong to `phones`. */
async function ask(keys: string | undefined, phones: readonly string[] = [], query = '') {
  const log = createLog('silent');
  const api = await openFeatureApi();
  const { featureKeys } = configOf(
    `feature-keys: { enabled: true, domains: { pbx.example: [] }, ${keys ?? ''} }\n${SAMPLE}`,
  );
  const features: FeatureBackend | undefined =
    keys === undefined
      ? undefined
      : {
          service: api.service,
          config: featureKeys,
          listSubscriptions: () =>
            phones.map((account, index) => ({
              event: 'as-feature-event',
              account,
              id: String(index),
              callId: 'c',
              userAgent: '',
              remote: '192.0.2.1:5060',
              transport: 'udp',
              expiresInSeconds: 60,
              due: [],
            })),
        };
  const listen = { address: '127.0.0.1', port: 0 };
  const app = await buildApi({ listen, token: '', backend: fakeBackend({ features }), log });
  const reply = await app.inject({ method: 'GET', url: `/api/v1/features${query}` });
  await app.close();
  await api.close();
  return { status: reply.statusCode, body: reply.json() };
}

test('accounts of users come first, then those of phones alone; each once, with its phones', async () => {
  const phones = ['sip:2002@pbx.example', 'sip:4711@pbx.example', 'sip:4711@pbx.example'];
  expect((await ask(USERS, phones)).body).toEqual({
    isServed: true,
    accounts: [
      { account: 'sip:2001@pbx.example', phones: 0 },
      { account: 'sip:2002@pbx.example', phones: 1 },
      { account: 'sip:4711@pbx.example', phones: 2 },
    ],
    hasMore: false,
  });
});

test('a list that would be too long says that it goes on', async () => {
  const phones = Array.from({ length: 1001 }, (_, index) => `sip:${index}@pbx.example`);
  const { body } = await ask('users: {}', phones);
  expect(body).toMatchObject({ isServed: true, hasMore: true });
  expect(body.accounts).toHaveLength(1000);
});

test('feature keys that are not served are said to be, without an error', async () => {
  expect(await ask(undefined)).toEqual({
    status: 200,
    body: { isServed: false, accounts: [], hasMore: false },
  });
});

test('a parameter that does not exist is refused', async () => {
  expect((await ask(USERS, [], '?acount=2001')).status).toBe(400);
});
