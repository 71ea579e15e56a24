import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACCOUNT, PortalVisit, openPortal, portalConfig } from './portal-stage.ts';
import type { PortalStage } from './portal-stage.ts';

const OWN = '/accounts/2001%40pbx.example';
const TOKEN = 's3cret-token';

let stage: PortalStage;
let visit: PortalVisit;

beforeAll(async () => {
  stage = await openPortal(TOKEN);
});

beforeEach(async () => {
  stage.reset();
  visit = new PortalVisit(stage, { remoteAddress: '192.0.2.7' });
  await visit.signIn('2001', 'secret-1');
});

afterAll(() => stage.close());

async function asAdministrator(): Promise<void> {
  const answer = await visit.ask('POST', '/session', { payload: { token: TOKEN } });
  expect(answer.status).toBe(200);
}

describe('assigned and locked', () => {
  test.each<[what: string, provider: Record<string, unknown>, isConfigurable: boolean]>([
    ['sqlite', { kind: 'sqlite' }, true],
    ['postgres with our tables', { kind: 'postgres', url: 'postgres://h/d' }, true],
    [
      'own statements',
      { kind: 'postgres', url: 'postgres://h/d', 'get-sql': 'g', 'set-sql': 's' },
      false,
    ],
    ['a webhook', { kind: 'http', url: 'https://h.example/' }, false],
    ['a module', { kind: 'module', path: 'm.js' }, false],
  ])('may be changed where the store keeps them: %s', async (_what, provider, isConfigurable) => {
    stage.config = portalConfig({ provider });
    expect((await visit.ask('GET', OWN)).data).toMatchObject({ isConfigurable: false });
    await asAdministrator();
    expect((await visit.ask('GET', OWN)).data).toMatchObject({ isConfigurable });
  });

  test('are for administrators', async () => {
    const path = `${OWN}/features/DoNotDisturb`;
    const refused = await visit.ask('PATCH', path, { payload: { locked: true } });
    expect(refused).toMatchObject({ status: 403 });
    expect(stage.store.state(ACCOUNT, 'DoNotDisturb').locked).toBe(false);
    await asAdministrator();
    const done = await visit.ask('PATCH', path, { payload: { locked: true } });
    expect(done.status).toBe(200);
    expect(stage.store.state(ACCOUNT, 'DoNotDisturb').locked).toBe(true);
    const wrong = await visit.ask('PATCH', path, { payload: {} });
    expect(wrong.status).toBe(400);
  });
});
