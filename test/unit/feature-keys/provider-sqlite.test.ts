import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HistoryRow } from '../../../src/feature-keys/feature-state.ts';
import { FEATURES } from '../../../src/wire/feature-event.ts';
import {
  type TemporaryFolder,
  openStore,
  temporaryFolder,
} from '../../support/feature-store-config.ts';
import {
  ACCOUNT,
  OTHER,
  change,
  changeOf,
  contextOf,
  providerConformance,
} from '../../support/provider-conformance.ts';
import { waitFor } from '../../support/wait-for.ts';

let folder: TemporaryFolder;
const closing: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  folder.remove();
});

async function open(part: Record<string, string> = {}, keepMs = 0) {
  const file = part['file'] ?? folder.path('features.db');
  const store = await openStore({ provider: { kind: 'sqlite', ...part, file }, keepMs });
  closing.push(async () => {
    await store.provider.close();
    await store.history.close();
  });
  return store;
}

/** The stored tables, read by another connection. */
function look(sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(folder.path('features.db'), { timeout: 5000 });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

function rowsLeft(): number {
  return Number(look('SELECT count(*) AS n FROM feature_history')[0]?.['n']);
}

function ago(ageMs: number): string {
  return new Date(Date.now() - ageMs).toISOString();
}

providerConformance('sqlite', () => open());

describe('the database file', () => {
  test('is created with its folder, and holds everything when it is opened again', async () => {
    const file = folder.path('deep/er/features.db');
    const first = await open({ file });
    await change(first.provider, ACCOUNT, 'CallForwardingBusy', { status: true, forwardTo: '24' });
    await first.provider.close();
    await first.history.close();
    expect(existsSync(file)).toBe(true);
    expect(existsSync(`${file}-wal`)).toBe(false);
    const second = await open({ file });
    const account = await second.provider.getAll(ACCOUNT, contextOf());
    expect(account?.CallForwardingBusy).toMatchObject({
      status: true,
      values: { forwardTo: '24' },
    });
    expect(await second.history.list(ACCOUNT, {})).toHaveLength(1);
  });

  test('is for its owner and group alone, one that is there keeps its mode', async () => {
    const [made, found] = [folder.path('made.db'), folder.path('found.db')];
    writeFileSync(found, '');
    chmodSync(found, 0o604);
    for (const file of [made, found]) {
      const { provider } = await open({ file });
      await change(provider, ACCOUNT, 'CallForwardingBusy', { status: true, forwardTo: '24' });
    }
    for (const suffix of ['', '-wal']) {
      expect(statSync(`${made}${suffix}`).mode & 0o007).toBe(0);
      expect(statSync(`${found}${suffix}`).mode & 0o777).toBe(0o604);
    }
  });

  test('has the promised tables, strict and of version 1', async () => {
    await open();
    expect(look('PRAGMA user_version')).toEqual([{ user_version: 1 }]);
    expect(look('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    const tables = look("SELECT name, strict FROM pragma_table_list WHERE name LIKE 'feature%'");
    expect(tables.map(({ name, strict }) => [name, strict])).toEqual(
      expect.arrayContaining([
        ['feature_state', 1],
        ['feature_history', 1],
      ]),
    );
    const columns = (table: string): unknown[] =>
      look(`SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => name);
    expect(columns('feature_state').join(' ')).toBe(
      'presentity feature status forward_to ring_count assigned locked version updated_at',
    );
    expect(columns('feature_history').join(' ')).toBe(
      'id at presentity feature outcome reason old_value new_value source actor origin version',
    );
  });

  test('of a newer program is refused, and left as it was', async () => {
    const database = new DatabaseSync(folder.path('features.db'));
    database.exec(
      'CREATE TABLE future (x) STRICT; PRAGMA user_version = 7;'.replace('x', 'x TEXT'),
    );
    database.close();
    await expect(open()).rejects.toThrow(
      /features\.db was written by a newer program: its version is 7, this one knows 1$/,
    );
    expect(look('PRAGMA user_version')).toEqual([{ user_version: 7 }]);
  });

  test('in a folder that cannot be made is refused', async () => {
    await expect(open({ file: '/proc/nope/x.db' })).rejects.toThrow(
      /feature database \/proc\/nope\/x\.db cannot be opened: .*nope/,
    );
  });

  test('that is no database is refused, and left as it was', async () => {
    const text = 'feature keys, but no database '.repeat(100);
    writeFileSync(folder.path('features.db'), text);
    await expect(open()).rejects.toThrow(/features\.db is no database$/);
    expect(readFileSync(folder.path('features.db'), 'utf8')).toBe(text);
  });

  test('with torn pages is refused', async () => {
    const store = await open();
    for (let index = 0; index < 300; index += 1) {
      const account = `sip:${index}@pbx.example`;
      await change(store.provider, account, 'DoNotDisturb', { status: true });
    }
    await store.provider.close();
    await store.history.close();
    const bytes = readFileSync(folder.path('features.db'));
    bytes.fill(0xa5, 4096 * 2, 4096 * 8);
    writeFileSync(folder.path('features.db'), bytes);
    await expect(open()).rejects.toThrow(/features\.db is damaged/);
  });

  test('in a place that cannot be written is refused', async () => {
    writeFileSync(folder.path('plain'), '');
    const file = folder.path('plain/features.db');
    await expect(open({ file })).rejects.toThrow(/plain\/features\.db cannot be opened: /);
  });
});

describe('accounts', () => {
  test('that are not stored do not exist with unknown-account: reject', async () => {
    const { provider } = await open({ 'unknown-account': 'reject' });
    expect(await provider.getAll(ACCOUNT, contextOf())).toBeUndefined();
    await provider.configure?.(ACCOUNT, 'DoNotDisturb', { assigned: true }, contextOf());
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(Object.keys(account ?? {})).toEqual([...FEATURES]);
    expect(account?.CallForwardingAlways.assigned).toBe(true);
    expect(await provider.getAll(OTHER, contextOf())).toBeUndefined();
  });

  test('have features assigned and locked one by one, without a new version', async () => {
    const { provider } = await open();
    await change(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const locked = await provider.configure?.(
      ACCOUNT,
      'DoNotDisturb',
      { locked: true },
      contextOf(),
    );
    expect(locked).toMatchObject({ status: true, assigned: true, locked: true, version: 1 });
    await provider.configure?.(ACCOUNT, 'CallForwardingBusy', { assigned: false }, contextOf());
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb).toMatchObject({ status: true, locked: true });
    expect(account?.CallForwardingBusy).toMatchObject({ assigned: false, locked: false });
    expect(account?.CallForwardingAlways).toMatchObject({ assigned: true, locked: false });
  });

  test('hear "unchanged" where the stored value is the wanted one already', async () => {
    const { provider, history } = await open();
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const set = () => provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf());
    expect(await set()).toMatchObject({ outcome: 'applied', version: 1 });
    const again = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const same = provider.set(ACCOUNT, 'DoNotDisturb', again, contextOf());
    expect(await same).toMatchObject({ outcome: 'unchanged', version: 1 });
    expect(await history.list(ACCOUNT, {})).toHaveLength(1);
  });
});

/** A row of the service about a change that it found in the store. */
const found = (status: boolean, version: number): HistoryRow => ({
  at: ago(0),
  presentity: ACCOUNT,
  feature: 'DoNotDisturb',
  outcome: 'applied',
  old: { status: !status },
  new: { status },
  source: 'provider',
  actor: 'provider',
  origin: {},
  param: null,
  version,
  dialogs: 1,
});

describe('the history', () => {
  test('has one row of a change that is found in the store, however many find it', async () => {
    const { provider, history } = await open();
    await change(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    // What another process of ours set, what a portal wrote without counting, back again, and what one counted.
    await history.add(found(true, 1));
    await history.add(found(false, 1));
    await history.add(found(false, 1));
    await history.add(found(true, 1));
    await history.add(found(true, 2));
    const rows = await history.list(ACCOUNT, {});
    expect(rows.map(({ source, version, ...row }) => [source, version, row.new?.status])).toEqual([
      ['provider', 2, true],
      ['provider', 1, true],
      ['provider', 1, false],
      ['phone', 1, true],
    ]);
  });

  test('keeps origin, param and dialogs told in one column', async () => {
    const { provider } = await open();
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const context = contextOf({
      param: 'portal',
      dialogs: 3,
      origin: { remote: '192.0.2.9', cseq: 4 },
    });
    await provider.set(ACCOUNT, 'DoNotDisturb', made, context);
    const [row] = look('SELECT origin, old_value, new_value FROM feature_history');
    expect(JSON.parse(String(row?.['origin']))).toEqual({
      remote: '192.0.2.9',
      cseq: 4,
      param: 'portal',
      dialogs: 3,
    });
    expect(row?.['old_value']).toBe('{"status":false}');
    expect(row?.['new_value']).toBe('{"status":true}');
  });

  test('older than it is kept is deleted, in several steps', async () => {
    const store = await open();
    const adding = [];
    for (let index = 0; index < 1200; index += 1)
      adding.push(store.history.add(rowOf(ago(90_000))));
    adding.push(store.history.add(rowOf(ago(10_000))));
    await Promise.all(adding);
    await store.provider.close();
    await store.history.close();
    await open({}, 60_000);
    await waitFor('rows pruned', () => rowsLeft() === 1);
    expect(rowsLeft()).toBe(1);
  });

  test('a change without its row does not happen', async () => {
    const { provider } = await open();
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const database = new DatabaseSync(folder.path('features.db'));
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON feature_history BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    database.close();
    const set = provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf());
    await expect(set).rejects.toThrow('disk full');
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb).toMatchObject({ status: false, version: 0 });
  });
});

function rowOf(at: string): HistoryRow {
  return {
    at,
    presentity: ACCOUNT,
    feature: 'DoNotDisturb',
    outcome: 'refused',
    reason: 'locked',
    source: 'phone',
    actor: '2001',
    origin: {},
    param: null,
    dialogs: 0,
  };
}
