/** Several programs on one database file. */
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FeatureStore } from '../../../src/feature-keys/providers/open-store.ts';
import {
  type TemporaryFolder,
  openStore,
  temporaryFolder,
} from '../../support/feature-store-config.ts';
import { ACCOUNT, OTHER, change, changeOf, contextOf } from '../../support/provider-conformance.ts';

let folder: TemporaryFolder;
const closing: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  folder.remove();
});

async function open(): Promise<FeatureStore> {
  const store = await openStore({
    provider: { kind: 'sqlite', file: folder.path('features.db') },
  });
  closing.push(async () => {
    await store.provider.close();
    await store.history.close();
  });
  return store;
}

/** Another program on the same file. */
function inFile<T>(work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(folder.path('features.db'), { timeout: 5000 });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function storedRows(): unknown[] {
  return inFile((database) => database.prepare('SELECT * FROM feature_state').all());
}

test.each([
  ['a value', "UPDATE feature_state SET forward_to = '7'"],
  ['a version', 'UPDATE feature_state SET version = 9'],
  ['a lock', 'UPDATE feature_state SET locked = 1'],
  ['an assignment', 'UPDATE feature_state SET assigned = 0'],
])('another process that is quicker with %s has the change begin anew', async (_title, sql) => {
  const { provider, history } = await open();
  await change(provider, ACCOUNT, 'CallForwardingBusy', { status: true, forwardTo: '2424' });
  const rings = { status: true, forwardTo: '2525' };
  const made = await changeOf(provider, ACCOUNT, 'CallForwardingBusy', rings);
  inFile((database) => database.exec(sql));
  const before = storedRows();
  const set = provider.set(ACCOUNT, 'CallForwardingBusy', made, contextOf());
  expect(await set).toMatchObject({ outcome: 'stale' });
  expect(storedRows()).toEqual(before);
  expect(await history.list(ACCOUNT, {})).toHaveLength(1);
});

test('a change while another process writes waits for it', async () => {
  const { provider } = await open();
  const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
  const database = new DatabaseSync(folder.path('features.db'));
  database.exec('BEGIN IMMEDIATE');
  const set = provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf());
  setTimeout(() => database.exec('ROLLBACK'), 100);
  expect(await set).toMatchObject({ outcome: 'applied' });
  database.close();
});

test('a change that waits for another process holds up no reading', async () => {
  const { provider } = await open();
  await change(provider, OTHER, 'DoNotDisturb', { status: true });
  const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
  const database = new DatabaseSync(folder.path('features.db'));
  database.exec('BEGIN IMMEDIATE');
  const order: string[] = [];
  const set = provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf());
  const written = set.then(() => order.push('written'));
  const other = await provider.getAll(OTHER, contextOf());
  order.push('read');
  database.exec('ROLLBACK');
  await written;
  expect(other?.DoNotDisturb.status).toBe(true);
  expect(order).toEqual(['read', 'written']);
  const account = await provider.getAll(ACCOUNT, contextOf());
  expect(account?.DoNotDisturb.status).toBe(true);
  database.close();
});
