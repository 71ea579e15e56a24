import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { buildApi } from '../../../../src/api/server.ts';
import { createLog } from '../../../../src/observe/log.ts';
import { fakeBackend } from '../fake-backend.ts';

let app: FastifyInstance;

beforeAll(async () => {
  app = await buildApi({
    listen: { address: '127.0.0.1', port: 0 },
    token: 'a-token',
    backend: fakeBackend(),
    log: createLog('fatal'),
  });
});

afterAll(() => app.close());

async function get(url: string, headers: Record<string, string> = {}) {
  return await app.inject({ url, headers, remoteAddress: '192.0.2.1' });
}

async function policy(url: string): Promise<string> {
  return String((await get(url)).headers['content-security-policy']);
}

async function pageText(): Promise<string> {
  return (await get('/')).body;
}

/** Every address that the page or one of its scripts names. */
async function addressesOf(page: string): Promise<string[]> {
  const imports = /<script type="importmap">([^]*?)<\/script>/.exec(page)?.[1] ?? '';
  const tags = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  return [
    ...tags,
    ...[...imports.matchAll(/"(\/console\/[^"]+)"/g)].map((match) => match[1] ?? ''),
  ];
}

test('the page is served to everybody, since it is what asks for the token', async () => {
  const { statusCode, headers, body } = await get('/');
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(body).toContain('<title>Tonebridge</title>');
});

test('everything that the page names is there', async () => {
  const addresses = await addressesOf(await pageText());
  expect(addresses).toContain('/console/vendor/preact.js');
  const answers = await Promise.all(addresses.map((address) => get(address)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(addresses.map(() => 200));
});

test('every module that a script imports is there', async () => {
  const seen = new Set<string>();
  const visit = async (address: string): Promise<void> => {
    if (seen.has(address)) return;
    seen.add(address);
    const { statusCode, body } = await get(address);
    expect([address, statusCode]).toEqual([address, 200]);
    const imported = [...body.matchAll(/from '\.\/([\w-]+\.js)'/g)].map((match) => match[1] ?? '');
    await Promise.all(imported.map((name) => visit(`/console/${name}`)));
  };
  await visit('/console/main.js');
  expect(seen.size).toBeGreaterThan(20);
});

describe('the policy', () => {
  test('lets nothing but our own files run, and the import map by its hash', async () => {
    const page = await pageText();
    const inline = [...page.matchAll(/<script(?![^>]*src=)[^>]*>([^]*?)<\/script>/g)];
    expect(inline).toHaveLength(1);
    const hash = createHash('sha256')
      .update(inline[0]?.[1] ?? '')
      .digest('base64');
    expect(await policy('/')).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect(await policy('/')).toContain("default-src 'none';");
    expect(await policy('/')).not.toContain('unsafe');
  });

  test('stands on every file, and no file is guessed to be something else', async () => {
    expect(await policy('/console/main.js')).toBe(await policy('/'));
    const { headers } = await get('/console/icon.svg');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-type']).toBe('image/svg+xml');
  });

  test('page and scripts name no other host', async () => {
    const addresses = await addressesOf(await pageText());
    expect(addresses.filter((address) => !address.startsWith('/console/'))).toEqual([]);
  });
});

test('what the browser already has is not sent again', async () => {
  const { etag = '' } = (await get('/console/main.js')).headers;
  const again = await get('/console/main.js', { 'if-none-match': etag });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect((await get('/console/main.js', { 'if-none-match': '"other"' })).statusCode).toBe(200);
});

test.each([
  '/console/',
  '/console/index.html',
  '/console/nothing.js',
  '/console/../server.ts',
  '/console/%2e%2e/server.ts',
  '/console/..%2fserver.ts',
  '/console/vendor/../../server.ts',
])('nothing else is served: %s', async (url) => {
  // Whether there is such a thing is not for everybody either.
  expect((await get(url)).statusCode).toBe(401);
  const authorization = 'Bearer a-token';
  expect((await get(url, { authorization })).statusCode).toBe(404);
});
