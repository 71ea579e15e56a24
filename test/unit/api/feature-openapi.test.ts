/** What the OpenAPI document says of feature keys is what clients meet. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type FeatureApi, openFeatureApi } from './feature-stage.ts';

const parameter = z.looseObject({ name: z.string(), in: z.string() });
const operation = z.looseObject({
  parameters: z.array(parameter).optional(),
  requestBody: z.unknown().optional(),
  responses: z.record(
    z.string(),
    z.looseObject({
      headers: z.record(z.string(), z.unknown()).optional(),
      content: z.unknown().optional(),
    }),
  ),
});
const document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

type Operation = z.infer<typeof operation>;

const open: { api: FeatureApi; paths: Record<string, Record<string, Operation>> }[] = [];

beforeAll(async () => {
  const api = await openFeatureApi();
  const { body } = await api.ask('GET', '/openapi.json');
  open.push({ api, paths: document.parse(body).paths });
});

afterAll(async () => {
  await Promise.all(open.map(({ api }) => api.close()));
});

function of(method: string, path: string): Operation {
  const found = open[0]?.paths[path]?.[method];
  if (found === undefined) throw new Error(`${method} ${path} is not in the document`);
  return found;
}

const FEATURE = '/api/v1/features/{account}/{feature}';

test('PUT takes If-Match', () => {
  expect(of('put', FEATURE).parameters).toContainEqual(
    expect.objectContaining({ in: 'header', name: 'If-Match', required: false }),
  );
});

test.each([
  ['put', FEATURE, { 200: ['ETag'], 412: ['ETag'], 429: ['Retry-After'], 503: ['Retry-After'] }],
  ['patch', FEATURE, { 200: ['ETag'], 429: ['Retry-After'], 503: ['Retry-After'] }],
  ['get', FEATURE, { 200: ['ETag'], 503: ['Retry-After'] }],
  ['get', '/api/v1/features/{account}', { 503: ['Retry-After'] }],
  ['post', '/api/v1/features/{account}/refresh', { 429: ['Retry-After'], 503: ['Retry-After'] }],
  ['get', '/api/v1/features/{account}/history', { 503: ['Retry-After'] }],
  ['get', '/api/v1/events', { 503: ['Retry-After'] }],
  ['post', '/mi', { 429: ['Retry-After'] }],
])('headers of the answers to %s %s', (method, path, headers) => {
  const { responses } = of(method, path);
  const named = Object.entries(responses).flatMap(([status, answer]) =>
    answer.headers === undefined ? [] : [[status, Object.keys(answer.headers)]],
  );
  expect(Object.fromEntries(named)).toEqual(headers);
});

const nested = { properties: { error: { properties: { code: {}, message: {} } } } };
const asJson = (schema: object) => ({ content: { 'application/json': { schema } } });

test.each([
  ['get', '/api/v1/subscriptions', [400, 401, 403, 404]],
  ['get', '/api/v1/events', [400, 401, 403, 404, 503]],
  ['post', '/mi', [401, 403, 404, 413, 429]],
  ['post', '/api/v1/features/{account}/refresh', [400, 401, 403, 404, 413, 429, 503]],
  ['put', FEATURE, [400, 401, 403, 404, 409, 412, 413, 429, 503]],
])('errors of %s %s', (method, path, statuses) => {
  const { responses } = of(method, path);
  for (const status of statuses) expect(responses[status]).toMatchObject(asJson(nested));
});

test('JSON-RPC has a schema of what is sent and what comes back', () => {
  const { requestBody, responses } = of('post', '/mi');
  const text = JSON.stringify(requestBody);
  for (const name of ['presence_dfks:set_feature', 'presentity', 'route_param', 'refresh_type']) {
    expect(text).toContain(name);
  }
  expect(JSON.stringify(responses[200])).toContain('"jsonrpc"');
  expect(responses).toHaveProperty('204');
});
