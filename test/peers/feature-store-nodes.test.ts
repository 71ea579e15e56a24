/**
 *   phone A ---- SBC one ----.
 *                             PostgreSQL     each node tells its phones what the other one stored
 *   phone B ---- SBC two ----'
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FeaturePhone } from '../support/feature-phone.ts';
import { type FeatureSbc, startFeatureSbc } from '../support/feature-sbc.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { waitFor } from '../support/wait-for.ts';

const closing: (() => Promise<void>)[] = [];
const nodes: FeatureSbc[] = [];
let database: PostgresServer;

beforeAll(async () => {
  database = await startPostgres();
  const section = { provider: `{ kind: postgres, url: "${database.url}", deadline: 30s }` };
  while (nodes.length < 2) {
    const started = await startFeatureSbc({ section });
    closing.push(() => started.close());
    nodes.push(started);
  }
});

afterAll(async () => {
  try {
    for (const close of closing.splice(0).toReversed()) await close();
  } finally {
    // Whatever is left open otherwise: a process of its own would outlive the tests.
    await database.close();
  }
});

function node(index: number): FeatureSbc {
  const found = nodes[index];
  if (found === undefined) throw new Error(`there is no node ${index}`);
  return found;
}

/** A phone at a node that has got its first NOTIFY. */
async function phoneAt(index: number, user: string): Promise<FeaturePhone> {
  const phone = await FeaturePhone.open({ sbc: node(index).running.access, user });
  // Before the nodes: each of them looks for what is left open when it ends.
  closing.push(async () => {
    await phone.unsubscribe();
    await phone.close();
  });
  expect((await phone.subscribe()).status).toBe(200);
  await phone.nextNotify();
  return phone;
}

test('a key pressed at one node shows at the phone of the other, which is told once', async () => {
  const a = await phoneAt(0, '2001');
  const b = await phoneAt(1, '2001');
  expect((await a.setDnd(true)).status).toBe(200);
  await b.waitUntilShown('DoNotDisturb', ({ status }) => status);
  await a.waitUntilShown('DoNotDisturb', ({ status }) => status);
  const forward = { on: true, to: '2424' };
  expect((await b.setForward('CallForwardingAlways', forward)).status).toBe(200);
  const shown = await a.waitUntilShown('CallForwardingAlways', ({ status }) => status);
  expect(shown.forwardTo).toBe('2424');
  await b.waitUntilShown('CallForwardingAlways', ({ status }) => status);
  // First state, own key, that of the other.
  expect([a.notifies.length, b.notifies.length]).toEqual([3, 3]);
  const history = await node(0).ask('GET', '/features/2001/history');
  expect(history.body).toMatchObject([
    { feature: 'CallForwardingAlways', source: 'phone', version: 1 },
    { feature: 'DoNotDisturb', source: 'phone', version: 1 },
  ]);
  expect(history.body).toHaveLength(2);
});

test('a change that a node could not hear of is made up for', async () => {
  const a = await phoneAt(0, '2002');
  const b = await phoneAt(1, '2002');
  database.cut("query LIKE 'LISTEN%' OR query = 'SELECT 1'");
  expect((await a.setDnd(true)).status).toBe(200);
  await b.waitUntilShown('DoNotDisturb', ({ status }) => status);
  expect(b.shown.get('DoNotDisturb')).toMatchObject({ status: true });
});

test('keys of both nodes at the same time end equal everywhere', async () => {
  const a = await phoneAt(0, '2003');
  const b = await phoneAt(1, '2003');
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([a.setDnd(round % 2 === 0), b.setDnd(round % 2 === 1)]);
  }
  const sql = "SELECT status FROM feature_state WHERE presentity = 'sip:2003@pbx.example'";
  await waitFor('phones that agree with the database', () => {
    const isOn = database.run(sql) === 't';
    return [a, b].every((phone) => phone.shown.get('DoNotDisturb')?.status === isOn);
  });
  expect(a.shown.get('DoNotDisturb')).toEqual(b.shown.get('DoNotDisturb'));
});

test('requests of both nodes for one version at the same time: one is done, one refused', async () => {
  for (let version = 0; version < 8; version += 1) {
    const put = (index: number) =>
      node(index).ask(
        'PUT',
        '/features/2004/CallForwardingAlways',
        { status: true, forwardTo: `${version}${index}` },
        { 'If-Match': `"${version}"` },
      );
    const answers = await Promise.all([put(0), put(1)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
  }
});

test('a number given at one node and rings at the other are both kept', async () => {
  const feature = '/features/2005/CallForwardingNoAnswer';
  for (let round = 2; round < 10; round += 1) {
    const forwardTo = `24${round}`;
    const answers = await Promise.all([
      node(0).ask('PUT', feature, { status: false, forwardTo }),
      node(1).ask('PUT', feature, { status: false, ringCount: round }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const { body } = await node(0).ask('GET', feature);
    expect(body).toMatchObject({ forwardTo, ringCount: round });
  }
});

test('a change made in the table itself is told everywhere, and has one row', async () => {
  const a = await phoneAt(0, '2006');
  const b = await phoneAt(1, '2006');
  const account = 'sip:2006@pbx.example';
  database.run(
    `INSERT INTO feature_state (presentity, feature, status, updated_at)
     VALUES ('${account}', 'DoNotDisturb', true, now()); NOTIFY dfks_changed, '${account}'`,
  );
  for (const phone of [a, b]) await phone.waitUntilShown('DoNotDisturb', ({ status }) => status);
  await waitFor('a row', async () => {
    const { body } = await node(0).ask('GET', '/features/2006/history');
    return Array.isArray(body) && body.length > 0;
  });
  // A change of each node behind it in the same queue of the account.
  for (const index of [0, 1]) {
    await node(index).ask('PUT', '/features/2006/CallForwardingBusy', {
      status: true,
      forwardTo: `7${index}`,
    });
  }
  const { body } = await node(0).ask('GET', '/features/2006/history?feature=DoNotDisturb');
  expect(body).toMatchObject([{ source: 'provider', outcome: 'applied', new: { status: true } }]);
  expect(body).toHaveLength(1);
});

test('a change made in the table without a word is told by whoever reads it', async () => {
  const a = await phoneAt(0, '2007');
  const account = 'sip:2007@pbx.example';
  database.run(
    `INSERT INTO feature_state (presentity, feature, status, updated_at)
     VALUES ('${account}', 'DoNotDisturb', true, now())`,
  );
  await node(0).ask('GET', '/features/2007');
  await a.waitUntilShown('DoNotDisturb', ({ status }) => status);
  expect(a.notifies).toHaveLength(2);
});
