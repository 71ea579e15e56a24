import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NEVER_CHANGED } from '../../src/feature-keys/providers/account-shape.ts';
import type { FeatureChange, SetResult } from '../../src/feature-keys/feature-state.ts';
import { openModuleProvider } from '../../src/feature-keys/providers/module-provider.ts';
import type { FeatureStore } from '../../src/feature-keys/providers/open-store.ts';
import {
  type TemporaryFolder,
  openStore,
  storeConfig,
  storeDeps,
  temporaryFolder,
} from '../support/feature-store-config.ts';
import { ACCOUNT, contextOf, providerConformance } from '../support/provider-conformance.ts';
import { waitFor } from '../support/wait-for.ts';

const CHANGE: FeatureChange = {
  requested: { status: true, forwardTo: '2424' },
  current: NEVER_CHANGED,
  proposed: { status: true, values: { forwardTo: '2424' } },
};

let folder: TemporaryFolder;
let files = 0;
const closing: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  folder.remove();
});

/** Writes a module and gives its section of the configuration. */
function moduleOf(source: string, part: Record<string, unknown> = {}): Record<string, unknown> {
  files += 1;
  const path = folder.path(`provider-${files}.ts`);
  writeFileSync(path, source);
  return { kind: 'module', path, ...part };
}

/** The module alone, without a history. */
async function open(source: string, part: Record<string, unknown> = {}, lines?: string[]) {
  const { provider: config } = storeConfig({ provider: moduleOf(source, part) });
  if (config.kind !== 'module') throw new Error('another kind than asked for');
  const provider = await openModuleProvider(config, storeDeps(lines));
  closing.push(() => provider.close());
  return { provider };
}

async function openWhole(provider: Record<string, unknown>): Promise<FeatureStore> {
  const store = await openStore({ provider });
  closing.push(async () => {
    await store.provider.close();
    await store.history.close();
  });
  return store;
}

const REMEMBERING = `
  const states: Map<string, unknown> = new Map();
  export async function get(presentity: string, feature: string): Promise<unknown> {
    return states.get(presentity + ' ' + feature) ?? {};
  }
  export async function set(presentity: string, feature: string, change: { proposed: unknown }) {
    states.set(presentity + ' ' + feature, change.proposed);
    return {};
  }
`;
/** As short as a module can be. */
const SHORT = 'export const get = () => ({}); export const set = () => ({});';

providerConformance('module', () => openWhole(moduleOf(REMEMBERING)));

describe.each([
  ['in a thread', 'true'],
  ['in process', 'false'],
])('%s', (_place, isolate) => {
  test.each<[string, string, RegExp]>([
    ['get', 'export const set = () => ({});', /\.ts does not export a function "get"$/],
    ['set', 'export const get = () => ({});', /\.ts does not export a function "set"$/],
    ['a set that is a function', 'export const get = () => ({}), set = 1;', /function "set"$/],
    ['a watch that is a function', `${SHORT} export const watch = 1;`, /"watch", which is no/],
    [
      'an init that works',
      `${SHORT} export const init = () => { throw Error('no way'); };`,
      /no way/,
    ],
    ['readable text', 'export const get = (', /cannot be loaded: /],
  ])('a module without %s is refused at the start', async (_what, source, why) => {
    await expect(open(source, { isolate })).rejects.toThrow(why);
  });

  test('a file that is not there is refused at the start', async () => {
    const provider = { kind: 'module', path: folder.path('none.ts'), isolate };
    await expect(openWhole(provider)).rejects.toThrow(/module .*none\.ts cannot be loaded: /);
  });

  test('set sees change, context and the options of the file', async () => {
    const source = `
      let given: unknown;
      export const init = (options: unknown) => { given = options; };
      export const get = () => ({});
      export const set = (presentity: string, feature: string, change: unknown, context: any) => {
        const { signal, ...rest } = context;
        const seen = [presentity, feature, change, rest, given, signal instanceof AbortSignal];
        return { outcome: 'refused', reason: JSON.stringify(seen).length + ' ' + rest.param };
      };
    `;
    const { provider } = await open(source, { isolate, options: { tenant: 'one' } });
    const context = contextOf({ source: 'api', actor: 'portal', param: 'p1', requestId: 'r1' });
    const result = await provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, context);
    const told = { source: 'api', actor: 'portal', param: 'p1', requestId: 'r1', deadlineMs: 3000 };
    const seen = [ACCOUNT, 'DoNotDisturb', CHANGE, told, { tenant: 'one' }, true];
    expect(result.reason).toBe(`${JSON.stringify(seen).length} p1`);
  });

  test('getAll is asked in place of get; features it leaves out are off', async () => {
    const source = `${SHORT} export const getAll = () => ({ DoNotDisturb: { status: true } });`;
    const { provider } = await open(source, { isolate });
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb).toMatchObject({ status: true, assigned: true });
    expect(account?.CallForwardingBusy).toMatchObject({ status: false, assigned: true });
  });

  test('null says that there is no account', async () => {
    for (const source of [
      'export const get = () => null; export const set = () => ({});',
      `${SHORT} export const getAll = async () => null;`,
    ]) {
      const { provider } = await open(source, { isolate });
      expect(await provider.getAll(ACCOUNT, contextOf())).toBeUndefined();
    }
  });

  test.each<[string, string, RegExp]>([
    ['throws', "() => { throw new Error('no luck'); }", /^no luck$/],
    ['rejects', "async () => { throw new Error('no luck'); }", /^no luck$/],
    ['throws what is no error', "() => { throw 'no luck'; }", /^no luck$/],
    ['returns nothing', '() => undefined', /returned nothing|no object/],
    ['returns a text', "() => 'off'", /no object/],
    [
      'returns wrong types',
      '() => ({ status: 1, DoNotDisturb: { status: 1 } })',
      /status is neither/,
    ],
  ])('a module that %s fails, and goes on', async (_what, code, why) => {
    const source = `
      const fail: () => unknown = ${code};
      let calls = 0;
      const turn = () => (calls++ % 2 === 0 ? fail() : {});
      export const get = () => ({});
      export const getAll = turn;
      export const set = turn;
    `;
    const { provider } = await open(source, { isolate });
    await expect(provider.getAll(ACCOUNT, contextOf())).rejects.toThrow(why);
    expect(await provider.getAll(ACCOUNT, contextOf())).toBeDefined();
    const set = (): Promise<SetResult> =>
      provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, contextOf());
    await expect(set()).rejects.toThrow(why);
    expect(await set()).toMatchObject({ outcome: 'applied' });
  });

  test('an abort reaches the module; its late answer still counts', async () => {
    const source = `
      export const get = () => ({});
      export const set = (_p: unknown, _f: unknown, _c: unknown, context: { signal: AbortSignal }) =>
        new Promise((resolve) => {
          context.signal.addEventListener('abort', () => resolve({ version: 9 }));
        });
    `;
    const { provider } = await open(source, { isolate });
    const abort = new AbortController();
    const context = contextOf({ signal: abort.signal });
    const set = provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, context);
    // By now the request is under way.
    await provider.getAll(ACCOUNT, contextOf());
    abort.abort();
    expect(await set).toMatchObject({ outcome: 'applied', version: 9 });
  });

  test('watch tells of changes until it is ended, and nothing that makes no sense', async () => {
    const source = `
      ${SHORT}
      export const watch = (changed: (presentity: unknown, feature?: unknown) => void) => {
        const timer = setInterval(() => {
          changed(7);
          changed('sip:2001@pbx.example', 'DoNotDisturb');
          changed('sip:2002@pbx.example', 'Nonsense');
        }, 10);
        return () => clearInterval(timer);
      };
    `;
    const { provider } = await open(source, { isolate });
    const heard: unknown[] = [];
    const stop = provider.watch?.((presentity, feature) => heard.push([presentity, feature]));
    await waitFor('two changes', () => heard.length >= 2);
    expect(heard.slice(0, 2)).toEqual([
      ['sip:2001@pbx.example', 'DoNotDisturb'],
      ['sip:2002@pbx.example', undefined],
    ]);
    stop?.();
  });
});

test('a module that dies in its thread is started again', async () => {
  const source = `
    export const get = () => ({});
    export const set = () => { setTimeout(() => { throw new Error('out of the blue'); }, 0); return new Promise(() => {}); };
  `;
  const lines: string[] = [];
  const { provider } = await open(source, {}, lines);
  const set = provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, contextOf());
  await expect(set).rejects.toThrow(/died: out of the blue/);
  expect(lines.join('')).toContain('thread of the feature module died');
  const heard: string[] = [];
  provider.watch?.((presentity) => heard.push(presentity));
  await waitFor('another thread', () => heard.includes('*'));
  expect(await provider.getAll(ACCOUNT, contextOf())).toBeDefined();
});

describe('a reload', () => {
  test('takes the file as it is now; what runs ends where it began', async () => {
    const part = moduleOf(
      'export const get = () => ({}); export const set = () => new Promise((resolve) => setTimeout(resolve, 100, { version: 1 }));',
    );
    const store = await openWhole(part);
    const before = store.provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, contextOf());
    writeFileSync(
      String(part['path']),
      SHORT.replace('set = () => ({})', 'set = () => ({ version: 2 })'),
    );
    await store.reload(storeConfig({ provider: part }));
    expect((await before).version).toBe(1);
    const after = await store.provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, contextOf());
    expect(after.version).toBe(2);
  });

  test.each(['true', 'false'])(
    'keeps the old one where the new one fails (isolate: %s)',
    async (isolate) => {
      const part = moduleOf(SHORT, { isolate });
      const store = await openStore({ provider: part });
      closing.push(async () => {
        await store.provider.close();
        await store.history.close();
      });
      writeFileSync(String(part['path']), 'export const get = 1;');
      const next = storeConfig({ provider: part });
      await expect(store.reload(next)).rejects.toThrow(/does not export a function "get"$/);
      const result = await store.provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, contextOf());
      expect(result).toMatchObject({ outcome: 'applied' });
    },
  );

  test('cannot change the kind', async () => {
    const store = await openWhole(moduleOf(SHORT));
    const next = storeConfig({ provider: { kind: 'sqlite', file: ':memory:' } });
    await expect(store.reload(next)).rejects.toThrow(/provider\.kind cannot change/);
  });
});
