import { expect, test } from 'vitest';
import { buildApi } from '../../../src/api/server.ts';
import { createLog } from '../../../src/observe/log.ts';
import { fakeBackend } from './fake-backend.ts';

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

test.each([
  ['*/*', PROMETHEUS, 'sbc_bugs_total 0\n'],
  ['application/openmetrics-text;version=1.0.0', OPENMETRICS, 'sbc_bugs_total 0\n# EOF\n'],
])('/metrics for Accept: %s is %s', async (accept, type, body) => {
  const log = createLog('silent');
  const listen = { address: '127.0.0.1', port: 0 };
  const app = await buildApi({ listen, token: '', backend: fakeBackend({}), log });
  const answer = await app.inject({ url: '/metrics', headers: { accept } });
  await app.close();
  expect(answer.headers['content-type']).toBe(type);
  expect(answer.headers['vary']).toBe('Accept');
  expect(answer.body).toBe(body);
});
