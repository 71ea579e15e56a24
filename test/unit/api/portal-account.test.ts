import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACCOUNT, OTHER, PortalVisit, openPortal } from './portal-stage.ts';
import type { PortalStage } from './portal-stage.ts';

const OWN = '/accounts/2001%40pbx.example';
const DND = `${OWN}/features/DoNotDisturb`;
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

describe('whose accounts', () => {
  test.each<[user: string, password: string, rows: readonly [account: string, status: number][]]>([
    [
      '2001',
      'secret-1',
      [
        ['2001%40pbx.example', 200],
        ['2001', 200],
        ['sip%3A2001%40SBC.pbx.example', 200],
        ['2002%40pbx.example', 404],
        ['9999%40pbx.example', 404],
        ['2001%40foreign.example', 404],
        ['tel%3A2001', 404],
        ['%20', 404],
      ],
    ],
    [
      'boss',
      'secret-3',
      [
        ['2001%40pbx.example', 200],
        ['2002%40pbx.example', 200],
        ['boss%40pbx.example', 404],
      ],
    ],
  ])('%s', async (user, password, rows) => {
    await visit.signIn(user, password);
    for (const [account, status] of rows) {
      for (const path of [`/accounts/${account}`, `/accounts/${account}/history`]) {
        expect({ path, status: (await visit.ask('GET', path)).status }).toEqual({ path, status });
      }
      const path = `/accounts/${account}/features/DoNotDisturb`;
      const put = await visit.ask('PUT', path, { payload: { status: true } });
      expect({ path, status: put.status }).toEqual({ path, status });
    }
  });

  test('nothing without a session, and no write happens', async () => {
    visit.cookie = undefined;
    const asked = await Promise.all([
      visit.ask('GET', OWN),
      visit.ask('GET', `${OWN}/history`),
      visit.ask('GET', `${OWN}/events`),
      visit.ask('PUT', DND, { payload: { status: true } }),
      visit.ask('PATCH', DND, { payload: { locked: true } }),
      visit.ask('POST', `${OWN}/refresh`),
    ]);
    expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 401));
    visit.cookie = `tonebridge-portal=${'x'.repeat(43)}`;
    expect(await visit.ask('GET', OWN)).toMatchObject({ status: 401 });
    expect(stage.store.calls).toEqual([]);
  });

  test('another page may not write in the name of who is signed in', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'x-tonebridge-portal': undefined },
    ]) {
      const answer = await visit.ask('PUT', DND, { payload: { status: true }, headers });
      expect(answer.status).toBe(403);
    }
    expect(stage.store.state(ACCOUNT, 'DoNotDisturb').status).toBe(false);
  });
});

describe('an account', () => {
  test('has its features in their order, its phones, and how long a ring is', async () => {
    stage.store.put(ACCOUNT, 'CallForwardingNoAnswer', {
      status: true,
      values: { forwardTo: '2424', ringCount: 3 },
      version: 7,
    });
    stage.store.put(ACCOUNT, 'CallForwardingBusy', { assigned: false });
    const phone = {
      event: 'as-feature-event',
      callId: 'c1',
      id: 'd1',
      userAgent: 'DeskPhone/1.0',
      remote: '192.0.2.21:5060',
      transport: 'udp',
      expiresInSeconds: 3000,
      due: [],
    } as const;
    stage.phones = [
      { ...phone, account: ACCOUNT },
      { ...phone, account: OTHER, id: 'd2' },
    ];
    const { data } = await visit.ask('GET', OWN);
    expect(data).toMatchObject({
      account: '2001@pbx.example',
      ringSeconds: 6,
      defaultRings: 5,
      features: [
        { feature: 'DoNotDisturb', status: false, locked: false, version: 0 },
        { feature: 'CallForwardingAlways' },
        { feature: 'CallForwardingNoAnswer', status: true, forwardTo: '2424', ringCount: 3 },
      ],
      phones: [{ id: 'd1', userAgent: 'DeskPhone/1.0', remote: '192.0.2.21:5060' }],
    });
    await asAdministrator();
    const all = await visit.ask('GET', OWN);
    expect(all.data['features']).toMatchObject([{}, {}, { assigned: false }, { assigned: true }]);
  });

  test('that the store does not know: 404; a store that fails: 503 and when to come again', async () => {
    stage.store.unknown.add(ACCOUNT);
    expect(await visit.ask('GET', OWN)).toMatchObject({ status: 404 });
    stage.store.unknown.clear();
    stage.store.failing.add('get');
    const failed = await visit.ask('GET', OWN);
    expect(failed).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  });
});

describe('a change', () => {
  test('is stored and told with its version, and the history names the portal and the login', async () => {
    const answer = await visit.set('CallForwardingAlways', { status: true, forwardTo: '2424' }, 0);
    expect(answer).toMatchObject({
      status: 200,
      data: {
        outcome: 'applied',
        old: { status: false },
        new: { status: true, forwardTo: '2424' },
        version: 1,
      },
    });
    const history = await visit.ask('GET', `${OWN}/history`);
    expect(history.data).toMatchObject({
      rows: [
        {
          feature: 'CallForwardingAlways',
          outcome: 'applied',
          source: 'portal',
          actor: '2001',
          new: { status: true, forwardTo: '2424' },
        },
      ],
      hasMore: false,
    });
    expect(stage.store.rows[0]?.origin).toMatchObject({ login: '2001', address: '192.0.2.7' });
  });

  test('from an old version: 412 with the new one, nothing stored', async () => {
    await visit.set('DoNotDisturb', { status: true }, 0);
    const answer = await visit.set('DoNotDisturb', { status: false }, 0);
    expect(answer).toMatchObject({ status: 412, data: { outcome: 'conflict', version: 1 } });
    expect(stage.store.state(ACCOUNT, 'DoNotDisturb').status).toBe(true);
  });

  test('to the same value: 200 unchanged', async () => {
    const answer = await visit.set('DoNotDisturb', { status: false });
    expect(answer).toMatchObject({ status: 200, data: { outcome: 'unchanged', version: 0 } });
  });

  test.each<[what: string, feature: string, body: object, status: number, code: string]>([
    ['no number', 'CallForwardingAlways', { status: true }, 409, 'no-target'],
    [
      'its own number',
      'CallForwardingBusy',
      { status: true, forwardTo: '2001' },
      409,
      'target-self',
    ],
    [
      'a ring count of 1',
      'CallForwardingNoAnswer',
      { status: true, forwardTo: '2424', ringCount: 1 },
      409,
      'ring-count',
    ],
    [
      'a forbidden number while off',
      'CallForwardingBusy',
      { status: false, forwardTo: '112' },
      409,
      'target-forbidden',
    ],
    [
      'its own number while off',
      'CallForwardingBusy',
      { status: false, forwardTo: '2001' },
      409,
      'target-self',
    ],
    [
      'a ring count of 1 while off',
      'CallForwardingNoAnswer',
      { status: false, ringCount: 1 },
      409,
      'ring-count',
    ],
  ])('refused for %s: 409 with the reason and what is stored', async (...row) => {
    const [, feature, body, status, code] = row;
    const answer = await visit.set(feature, body);
    expect(answer).toMatchObject({
      status,
      data: { outcome: 'refused', code, state: { status: false } },
    });
  });

  test('that switches off takes place without the number that may not be stored', async () => {
    await visit.set('CallForwardingBusy', { status: true, forwardTo: '2424' });
    const off = await visit.set('CallForwardingBusy', { status: false, forwardTo: '112' });
    expect(off).toMatchObject({ status: 200, data: { new: { status: false, forwardTo: '2424' } } });
  });

  test('of a locked feature: 409 locked', async () => {
    stage.store.put(ACCOUNT, 'DoNotDisturb', { locked: true });
    const answer = await visit.set('DoNotDisturb', { status: true });
    expect(answer).toMatchObject({ status: 409, data: { code: 'locked' } });
  });

  test.each<[string, object, Record<string, string>]>([
    ['a status that is no boolean', { status: 'on' }, {}],
    ['no status', {}, {}],
    ['a version that is none', { status: true }, { 'if-match': 'W/"1"' }],
    ['a version without quotes', { status: true }, { 'if-match': '1' }],
  ])('with %s: 400, nothing asked of the store', async (_what, payload, headers) => {
    const before = stage.store.calls.length;
    const answer = await visit.ask('PUT', DND, { payload, headers });
    expect(answer).toMatchObject({ status: 400, data: { error: 'bad-request' } });
    expect(stage.store.calls.length).toBe(before);
  });

  test.each(['DoNotdisturb', 'toString', '%00', 'CallWaiting'])('of %s: 404', async (feature) => {
    expect(await visit.set(feature, { status: true })).toMatchObject({ status: 404 });
  });

  test('too many at once: 429 with the time to wait', async () => {
    const asked = Array.from({ length: 120 }, () => visit.set('DoNotDisturb', { status: false }));
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(50);
    expect(refused[0]?.headers['retry-after']).toBe('1');
  });
});

test('older changes come page by page', async () => {
  for (let index = 0; index < 13; index += 1) {
    await visit.set('DoNotDisturb', { status: index % 2 === 0 });
  }
  const newest = await visit.ask('GET', `${OWN}/history`);
  const ids = idsOf(newest.data['rows']);
  expect(ids).toHaveLength(10);
  expect(newest.data['hasMore']).toBe(true);
  const older = await visit.ask('GET', `${OWN}/history?before=${ids.at(-1)}`);
  expect([...ids, ...idsOf(older.data['rows'])]).toEqual(
    stage.store.rows.map(({ id }) => id).toReversed(),
  );
  expect(older.data['hasMore']).toBe(false);
});

test('whatever is sent, the answer is an ordinary one', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  const target = fc.oneof(text, fc.constant('2424'), fc.constant(null));
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ status: fc.boolean(), forwardTo: target, ringCount: fc.integer() }),
  );
  const feature = fc.oneof(fc.constantFrom('DoNotDisturb', 'CallForwardingNoAnswer'), text);
  const account = fc.oneof(fc.constant('2001'), text);
  await fc.assert(
    fc.asyncProperty(account, feature, body, text, async (...[name, key, payload, version]) => {
      const path = `/accounts/${safely(name)}/features/${safely(key)}`;
      const headers = { 'content-type': 'application/json', 'if-match': safely(version) };
      const { status } = await visit.ask('PUT', path, {
        payload: JSON.stringify(payload),
        headers,
      });
      expect([200, 400, 401, 404, 409, 412, 429]).toContain(status);
    }),
    { numRuns: 200 },
  );
});

function safely(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

test('the phones are told again on demand', async () => {
  const answer = await visit.ask('POST', `${OWN}/refresh`);
  expect(answer.data).toEqual({ outcome: 'refreshed', subscribers: 0, notified: 0 });
});

function idsOf(rows: unknown): number[] {
  if (!Array.isArray(rows)) throw new Error('no rows');
  return rows.map(({ id }: { id: number }) => id);
}
