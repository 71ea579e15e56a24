/** The embedded store against what a machine does to a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Feature } from '../../src/wire/feature-event.ts';
import { FEATURES } from '../../src/wire/feature-event.ts';
import {
  type TemporaryFolder,
  openStore,
  temporaryFolder,
} from '../support/feature-store-config.ts';
import { ACCOUNT, changeOf, contextOf } from '../support/provider-conformance.ts';
import { waitFor } from '../support/wait-for.ts';

const WRITER = fileURLToPath(new URL('../support/store-writer.ts', import.meta.url));
const ACCOUNTS = 20;

let folder: TemporaryFolder;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  folder.remove();
});

/** Starts a writer, kills it in the middle of its work, gives what was acknowledged. */
async function killedAfter(file: string, lines: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [WRITER, file, String(ACCOUNTS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let count = 0;
  writer.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    count = text.split('\n').length - 1;
  });
  const ended = once(writer, 'exit');
  await waitFor(`${lines} changes`, () => count >= lines, { timeoutMs: 60_000 });
  writer.kill('SIGKILL');
  await ended;
  await waitFor('the end of its output', () => writer.stdout.readableEnded);
  // A last line that is cut off was not acknowledged.
  return text.split('\n').slice(0, -1);
}

test('whatever was acknowledged before a kill is there, with its row of the history', async () => {
  const file = folder.path('features.db');
  for (const lines of [50, 700, 1500]) {
    const acknowledged = await killedAfter(file, lines);
    expect(acknowledged.length).toBeGreaterThanOrEqual(lines);
    const { provider, history } = await openStore({ provider: { kind: 'sqlite', file } });
    const newest = new Map<string, readonly [account: string, feature: Feature, version: number]>();
    for (const line of acknowledged) {
      const [account = '', name, version] = line.split(' ');
      const feature = FEATURES.find((known) => known === name) ?? FEATURES[0];
      newest.set(`${account} ${feature}`, [account, feature, Number(version)]);
    }
    for (const [account, feature, version] of newest.values()) {
      const state = await provider.getAll(account, contextOf());
      const stored = state?.[feature].version ?? 0;
      // One more may have been written and not yet acknowledged.
      expect([version, version + 1]).toContain(stored);
      const rows = await history.list(account, { feature, limit: 1000 });
      expect(rows.map((row) => row.version)).toEqual(
        Array.from({ length: stored }, (_, index) => stored - index),
      );
      expect(rows[0]?.new?.status).toBe(state?.[feature].status);
    }
    await provider.close();
    await history.close();
  }
});

test('a file that another process keeps locked is refused at the start', async () => {
  const database = new DatabaseSync(folder.path('features.db'));
  database.exec('CREATE TABLE other (text TEXT); BEGIN EXCLUSIVE');
  const opening = openStore({ provider: { kind: 'sqlite', file: folder.path('features.db') } });
  await expect(opening).rejects.toThrow(/features\.db is locked by another process$/);
  database.close();
});

test('a change that cannot have the file for two seconds fails, and works again afterwards', async () => {
  const file = folder.path('features.db');
  const { provider, history } = await openStore({ provider: { kind: 'sqlite', file } });
  const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
  const database = new DatabaseSync(file);
  database.exec('BEGIN IMMEDIATE');
  const set = () => provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf());
  await expect(set()).rejects.toThrow(/locked/);
  database.exec('ROLLBACK');
  database.close();
  expect(await set()).toMatchObject({ outcome: 'applied', version: 1 });
  await provider.close();
  await history.close();
});
