import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { featureProvider } from '../../../src/config/schema-feature-provider.ts';
import {
  type TemporaryFolder,
  openStore,
  storeConfig,
  temporaryFolder,
} from '../../support/feature-store-config.ts';
import { ACCOUNT, change, contextOf } from '../../support/provider-conformance.ts';

let folder: TemporaryFolder;

function unknownOf(section: object): string {
  return featureProvider.parse(section).unknownAccount;
}

function sqlite(name: string) {
  return { provider: { kind: 'sqlite', file: folder.path(name) } };
}

describe('the section', () => {
  test.each<[object, string | undefined]>([
    [{ kind: 'sqlite' }, undefined],
    [{ kind: 'http', url: 'http://127.0.0.1:8088/dfks' }, undefined],
    [{ kind: 'http', url: 'https://portal.example/dfks' }, undefined],
    [{ kind: 'http', url: 'http://portal.example/dfks', insecure: 'true' }, undefined],
    [{ kind: 'http', url: 'http://portal.example/dfks' }, 'needs https'],
    [{ kind: 'http', url: 'https://a:b@portal.example/' }, 'credentials have no place'],
    [{ kind: 'http', url: 'https://x', secrets: ['a', 'b'] }, undefined],
    [{ kind: 'http', url: 'https://x', secrets: ['a', 'b', 'c'] }, 'Too big'],
    [{ kind: 'http', url: 'https://x', tls: { ca: 'ca.pem' } }, undefined],
    [{ kind: 'http', url: 'https://x', tls: { key: 'own.key' } }, 'belong together'],
    [{ kind: 'postgres', url: 'postgres://x' }, undefined],
    [{ kind: 'postgres', url: 'postgres://x', 'get-sql': 'a', 'set-sql': 'b' }, undefined],
    [{ kind: 'postgres', url: 'postgres://x', 'set-sql': 'b' }, 'belong together'],
    [{ kind: 'module' }, 'path'],
  ])('%j', (section, problem) => {
    const { error } = featureProvider.safeParse(section);
    expect(error?.message ?? 'no problem').toContain(problem ?? 'no problem');
  });

  test('believes a webhook or a module that there is no account, unless told otherwise', () => {
    expect(unknownOf({ kind: 'sqlite' })).toBe('accept');
    expect(unknownOf({ kind: 'postgres', url: 'postgres://x' })).toBe('accept');
    expect(unknownOf({ kind: 'module', path: 'x.ts' })).toBe('reject');
    expect(unknownOf({ kind: 'http', url: 'https://x' })).toBe('reject');
    const accepting = { kind: 'http', url: 'https://x', 'unknown-account': 'accept' };
    expect(unknownOf(accepting)).toBe('accept');
  });
});

describe('a reload', () => {
  beforeEach(() => {
    folder = temporaryFolder();
  });

  afterEach(() => {
    folder.remove();
  });

  test('moves on to another file, and says that anything may have changed', async () => {
    const store = await openStore(sqlite('one.db'));
    const { provider, history } = store;
    const heard: string[] = [];
    provider.watch?.((presentity) => heard.push(presentity));
    await change(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    await store.reload(storeConfig(sqlite('one.db')));
    expect(heard).toEqual([]);
    await store.reload(storeConfig(sqlite('two.db')));
    expect(heard).toEqual(['*']);
    expect((await provider.getAll(ACCOUNT, contextOf()))?.DoNotDisturb.status).toBe(false);
    expect(await history.list(ACCOUNT, {})).toEqual([]);
    const flags = { locked: true };
    const state = await provider.configure?.(ACCOUNT, 'DoNotDisturb', flags, contextOf());
    expect(state?.locked).toBe(true);
    await store.reload(storeConfig(sqlite('one.db')));
    const back = await provider.getAll(ACCOUNT, contextOf());
    expect(back?.DoNotDisturb).toMatchObject({ status: true, locked: false });
    await provider.close();
    await history.close();
  });

  test('to a file that cannot be used leaves everything as it is', async () => {
    const file = folder.path('features.db');
    const store = await openStore({ provider: { kind: 'sqlite', file } });
    const { provider, history } = store;
    await change(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const bad = { kind: 'sqlite', file: `${file}/deeper/features.db` };
    await expect(store.reload(storeConfig({ provider: bad }))).rejects.toThrow(/cannot be opened/);
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb.status).toBe(true);
    await provider.close();
    await history.close();
  });
});
