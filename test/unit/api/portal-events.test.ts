import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../support/wait-for.ts';
import { ACCOUNT, OTHER, PHONE, PortalVisit, openPortal, portalConfig } from './portal-stage.ts';
import type { PortalStage } from './portal-stage.ts';

let stage: PortalStage;
let base = '';

beforeEach(async () => {
  stage = await openPortal();
  base = await stage.app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => stage.close());

/** A page that reads its stream. */
async function openStream(visit: PortalVisit, account = '2001') {
  const response = await fetch(`${base}/features/api/accounts/${account}%40pbx.example/events`, {
    headers: { cookie: visit.cookie ?? '' },
  });
  const page = { status: response.status, headers: response.headers, text: '', isOver: false };
  const read = async (): Promise<void> => {
    for await (const chunk of response.body ?? []) page.text += Buffer.from(chunk).toString();
  };
  void read()
    .catch(() => {})
    .finally(() => {
      page.isOver = true;
    });
  return page;
}

async function signedIn(user: string, password: string): Promise<PortalVisit> {
  const visit = new PortalVisit(stage);
  expect((await visit.signIn(user, password)).status).toBe(200);
  return visit;
}

test('a page hears what a phone changes on its account, and nothing of another', async () => {
  const page = await openStream(await signedIn('2001', 'secret-1'));
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect(page.headers.get('cache-control')).toBe('no-store');
  await waitFor('beginning', () => page.text.includes('event: ready'));
  await stage.service.set(OTHER, 'DoNotDisturb', { status: true }, { ...PHONE, actor: '2002' });
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
  await waitFor('change', () => page.text.includes('event: feature-changed'));
  expect(page.text.match(/event: feature-changed/g)).toHaveLength(1);
  const data: unknown = JSON.parse(/feature-changed\ndata: (.*)\n/.exec(page.text)?.[1] ?? '');
  expect(data).toMatchObject({ feature: 'DoNotDisturb', new: { status: true }, source: 'phone' });
  expect(page.text).not.toContain('2002');
});

test('the stream of an account that is not ones own: 404', async () => {
  const page = await openStream(await signedIn('2001', 'secret-1'), '2002');
  expect(page.status).toBe(404);
  await waitFor('end', () => page.isOver);
});

test('signing out ends the streams of that session, not those of others', async () => {
  const leaving = await signedIn('2001', 'secret-1');
  const page = await openStream(leaving);
  const other = await openStream(await signedIn('2001', 'secret-1'));
  await leaving.ask('DELETE', '/session');
  await waitFor('end', () => page.isOver);
  expect(other.isOver).toBe(false);
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
  await waitFor('change', () => other.text.includes('event: feature-changed'));
});

test('whoever may no longer see the account hears no more of it', async () => {
  const page = await openStream(await signedIn('2001', 'secret-1'));
  await waitFor('beginning', () => page.text.includes('event: ready'));
  const { config } = stage;
  if (config === undefined) throw new Error('feature keys are served');
  stage.config = { ...config, users: {} };
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
  await waitFor('end', () => page.isOver);
  expect(page.text).not.toContain('feature-changed');
});

test.each([
  ['switches feature keys off', () => undefined],
  [
    'takes the account from the user',
    () => portalConfig({ users: { '2001': { password: 'secret-1', accounts: ['2002'] } } }),
  ],
  [
    'gives the user another password',
    () => portalConfig({ users: { '2001': { password: 'new' } } }),
  ],
])('a reload that %s ends the stream, although nothing happens', async (_what, reloaded) => {
  const page = await openStream(await signedIn('2001', 'secret-1'));
  await waitFor('beginning', () => page.text.includes('event: ready'));
  expect(page.isOver).toBe(false);
  stage.config = reloaded();
  await waitFor('end', () => page.isOver);
});

test('a session has so many streams: the next gets 429, and has room again when one is gone', async () => {
  const visit = await signedIn('2001', 'secret-1');
  const pages = [];
  for (let index = 0; index < 12; index += 1) pages.push(await openStream(visit));
  expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200));
  expect((await openStream(visit)).status).toBe(429);
  const other = await openStream(await signedIn('2001', 'secret-1'));
  expect(other.status).toBe(200);
});

test('closing the server ends every stream', async () => {
  const page = await openStream(await signedIn('2001', 'secret-1'));
  expect(page.isOver).toBe(false);
  await stage.app.close();
  await waitFor('end', () => page.isOver);
});
