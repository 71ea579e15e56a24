import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { PortalVisit, openPortal, portalConfig } from './portal-stage.ts';
import type { PortalStage } from './portal-stage.ts';

const TOKEN = 's3cret-token';
const REMOTE = { remoteAddress: '192.0.2.7' };
const STATE = '/accounts/2001%40pbx.example';

const open: PortalStage[] = [];
/** For tests that leave nothing behind. */
let shared: PortalStage | undefined;

afterEach(async () => {
  await Promise.all(open.splice(0).map((stage) => stage.close()));
});

afterAll(async () => {
  await shared?.close();
});

async function sharedStage(): Promise<PortalStage> {
  shared ??= await openPortal();
  return shared;
}

async function openStage(token = ''): Promise<PortalStage> {
  const stage = await openPortal(token);
  open.push(stage);
  return stage;
}

describe('the page', () => {
  test.each([
    ['/features', 200, 'text/html; charset=utf-8'],
    ['/features/', 200, 'text/html; charset=utf-8'],
    ['/features/main.js', 200, 'text/javascript; charset=utf-8'],
    ['/features/portal.css', 200, 'text/css; charset=utf-8'],
    ['/features/icon.svg', 200, 'image/svg+xml'],
    ['/features/portal.webmanifest', 200, 'application/manifest+json'],
    ['/features/index.html', 404, 'application/json; charset=utf-8'],
    ['/features/../server.ts', 404, 'application/json; charset=utf-8'],
    ['/features/%2e%2e%2fserver.ts', 404, 'application/json; charset=utf-8'],
    ['/features/portal.css.map', 404, 'application/json; charset=utf-8'],
  ])('%s from this machine: %i', async (url, status, type) => {
    const { app } = await sharedStage();
    const answer = await app.inject({ url, headers: { host: 'localhost' } });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe(type);
  });

  test('is open to everybody, and tells browsers to run nothing of others', async () => {
    const { app } = await openStage(TOKEN);
    const answer = await app.inject({ url: '/features', ...REMOTE });
    expect(answer.statusCode).toBe(200);
    const policy = answer.headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    });
    expect(answer.body).not.toMatch(/ on\w+=|style=|<script>|https?:\/\//);
  });

  test('is not sent again where the browser has it', async () => {
    const { app } = await openStage();
    const { etag } = (await app.inject({ url: '/features' })).headers;
    const again = await app.inject({
      url: '/features',
      headers: { 'if-none-match': String(etag) },
    });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
  });
});

describe('signing in', () => {
  test('gives a cookie that scripts and other sites do not get', async () => {
    const visit = new PortalVisit(await openStage(), REMOTE);
    const answer = await visit.signIn('2001', 'secret-1');
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual({ type: 'user', login: '2001', accounts: ['2001@pbx.example'] });
    expect(answer.headers['set-cookie']).toMatch(
      /^tonebridge-portal=[\w-]{43}; Path=\/features; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(await visit.ask('GET', '/session')).toMatchObject({ data: { login: '2001' } });
    expect(await visit.ask('GET', STATE)).toMatchObject({ status: 200 });
  });

  test('behind TLS the cookie stays on TLS', async () => {
    const visit = new PortalVisit(await openStage());
    const headers = { origin: 'https://sbc.example', host: 'sbc.example' };
    const payload = { user: '2001', password: 'secret-1' };
    const answer = await visit.ask('POST', '/session', { payload, headers });
    expect(answer.headers['set-cookie']).toMatch(/; Secure$/);
  });

  test.each([
    ['a wrong password', { user: '2001', password: 'secret-2' }],
    ['an unknown name', { user: 'nobody', password: 'secret-1' }],
    ['no password', { user: '2001' }],
    ['a password that is no text', { user: '2001', password: ['secret-1'] }],
    ['no name, and no token either', {}],
    ['a name that is no text', { user: { name: '2001' }, password: 'secret-1' }],
  ])('%s: 403, no cookie', async (_what, payload) => {
    const visit = new PortalVisit(await sharedStage(), REMOTE);
    const answer = await visit.ask('POST', '/session', { payload });
    expect(answer.status).toBe(403);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(await visit.ask('GET', STATE)).toMatchObject({ status: 401 });
  });

  test.each([['not json'], ['[]'], ['null'], ['"text"'], ['{"user":'], ['']])(
    'the body %j: 403',
    async (payload) => {
      const visit = new PortalVisit(await sharedStage(), { remoteAddress: '192.0.2.8' });
      const headers = { 'content-type': 'application/json' };
      expect((await visit.ask('POST', '/session', { payload, headers })).status).toBe(403);
    },
  );

  test('a body over its limit: 413; a form of another page: 415', async () => {
    const visit = new PortalVisit(await openStage());
    const payload = { user: '2001', password: 'x'.repeat(20_000) };
    expect((await visit.ask('POST', '/session', { payload })).status).toBe(413);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const form = await visit.ask('POST', '/session', { payload: 'user=2001', headers });
    expect(form.status).toBe(415);
  });

  test('guessing is held up, with the time to wait, also for the right password', async () => {
    const stage = await openStage();
    const visit = new PortalVisit(stage, REMOTE);
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect((await visit.signIn('2001', `guess-${attempt}`)).status).toBe(403);
    }
    const held = await visit.signIn('2001', 'secret-1');
    expect(held.status).toBe(429);
    expect(Number(held.headers['retry-after'])).toBeGreaterThan(0);
    const elsewhere = new PortalVisit(stage, { remoteAddress: '198.51.100.1' });
    expect((await elsewhere.signIn('2001', 'secret-1')).status).toBe(200);
    await elsewhere.signIn('a password in the wrong field', 'x');
    expect(stage.lines.join('')).not.toMatch(/guess-|wrong field/);
  });

  test('other spellings of a name get no attempts of their own', async () => {
    const visit = new PortalVisit(await openStage(), REMOTE);
    const spellings = ['2001', 'sip:2001', 'SIPS:2001', '2001@pbx.example', 'SIP:2001@PBX.example'];
    const others = [
      ' 2001 ',
      '2001@localhost',
      '2001@z1',
      '2001@PBX.EXAMPLE',
      '2001@sbc.pbx.example',
    ];
    for (const name of [...spellings, ...others]) {
      expect((await visit.signIn(name, 'guess')).status).toBe(403);
    }
    for (const name of [...spellings, ...others, '2001@z2']) {
      expect({ name, status: (await visit.signIn(name, 'secret-1')).status }).toEqual({
        name,
        status: 429,
      });
    }
    expect((await visit.signIn('2002', 'secret-2')).status).toBe(200);
  });

  test('signing in again ends the session before', async () => {
    const stage = await openStage();
    const visit = new PortalVisit(stage);
    await visit.signIn('2001', 'secret-1');
    const before = visit.cookie;
    await visit.signIn('2001', 'secret-1');
    expect(visit.cookie).not.toBe(before);
    visit.cookie = before;
    expect(await visit.ask('GET', STATE)).toMatchObject({ status: 401 });
  });
});

describe('administrators', () => {
  test.each<[string, string, string, object, number]>([
    ['with the token from anywhere', TOKEN, '192.0.2.7', { token: TOKEN }, 200],
    ['with a wrong token', TOKEN, '127.0.0.1', { token: 'wrong' }, 403],
    ['without the token that is configured', TOKEN, '127.0.0.1', {}, 403],
    ['without any token on this machine', '', '127.0.0.1', {}, 200],
    ['without any token from elsewhere', '', '192.0.2.7', {}, 403],
    ['with an empty token from elsewhere', '', '192.0.2.7', { token: '' }, 403],
  ])('%s: %s', async (...[, token, remoteAddress, payload, status]) => {
    const visit = new PortalVisit(await openStage(token), { remoteAddress });
    const answer = await visit.ask('POST', '/session', { payload });
    expect(answer.status).toBe(status);
    expect(answer.data['type']).toBe(status === 200 ? 'administrator' : undefined);
  });

  test('the page learns whether this machine is trusted', async () => {
    const stage = await openStage();
    const here = await new PortalVisit(stage).ask('GET', '/session');
    expect(here.data).toEqual({ type: 'nobody', isOpenHere: true });
    const there = await new PortalVisit(stage, REMOTE).ask('GET', '/session');
    expect(there.data).toEqual({ type: 'nobody', isOpenHere: false });
  });

  test('a name that resolves to this machine is not trusted', async () => {
    const visit = new PortalVisit(await openStage());
    const headers = { host: 'evil.example' };
    expect((await visit.ask('POST', '/session', { payload: {}, headers })).status).toBe(403);
  });
});

describe('other pages', () => {
  test.each<[string, Record<string, string | undefined>, number]>([
    ['its own page', { 'sec-fetch-site': 'same-origin' }, 200],
    ['its own origin', { origin: 'http://localhost:8080' }, 200],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a page of another port', { 'sec-fetch-site': 'same-site' }, 403],
    ['a foreign origin', { origin: 'https://evil.example' }, 403],
    ['an opaque origin', { origin: 'null' }, 403],
    ['a form, which has no header of ours', { 'x-tonebridge-portal': undefined }, 403],
  ])('%s: %j gets %i', async (_what, headers, status) => {
    const visit = new PortalVisit(await sharedStage());
    const payload = { user: '2001', password: 'secret-1' };
    expect((await visit.ask('POST', '/session', { payload, headers })).status).toBe(status);
  });
});

describe('the end of a session', () => {
  test('signing out takes the cookie away and ends the session', async () => {
    const stage = await openStage();
    const visit = new PortalVisit(stage);
    await visit.signIn('2001', 'secret-1');
    const { cookie } = visit;
    const answer = await visit.ask('DELETE', '/session');
    expect(answer.status).toBe(204);
    expect(answer.headers['set-cookie']).toMatch(
      /^tonebridge-portal=; Path=\/features; Max-Age=0;/,
    );
    visit.cookie = cookie;
    expect(await visit.ask('GET', STATE)).toMatchObject({ status: 401 });
  });

  test('another password in a reloaded configuration signs the user out, not others', async () => {
    const stage = await openStage();
    const visit = new PortalVisit(stage);
    const other = new PortalVisit(stage);
    await visit.signIn('2001', 'secret-1');
    await other.signIn('2002', 'secret-2');
    stage.config = portalConfig({
      users: { '2001': { password: 'new' }, '2002': { password: 'secret-2' } },
    });
    expect(await visit.ask('GET', STATE)).toMatchObject({ status: 401 });
    expect(await other.ask('GET', '/session')).toMatchObject({ data: { login: '2002' } });
  });

  test('feature keys that are switched off are said to be, and the session outlives it', async () => {
    const stage = await openStage();
    const visit = new PortalVisit(stage);
    await visit.signIn('2001', 'secret-1');
    const { config } = stage;
    stage.config = undefined;
    expect(await visit.ask('GET', '/session')).toMatchObject({ data: { type: 'not-served' } });
    const unserved = await visit.ask('GET', STATE);
    expect(unserved).toMatchObject({ status: 503, data: { error: 'not-served' } });
    expect(await visit.signIn('2001', 'secret-1')).toMatchObject({ status: 503 });
    stage.config = config;
    expect(await visit.ask('GET', STATE)).toMatchObject({ status: 200 });
  });
});
