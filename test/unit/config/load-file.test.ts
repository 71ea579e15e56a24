import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfigFile, loadConfigText, pathOfLoaded } from '../../../src/config/load-file.ts';
import { edited, SAMPLE } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'tonebridge-config-'));
const file = join(folder, 'sbc.yaml');
const other = join(folder, 'other.yaml');
const modular = join(folder, 'modular.yaml');
writeFileSync(file, SAMPLE);
writeFileSync(other, `${SAMPLE}log: { level: debug }\napi: { token: "file:token.txt" }\n`);
writeFileSync(join(folder, 'token.txt'), 'abc\n');

afterAll(() => rmSync(folder, { recursive: true }));

const BODY = edited(['realms:', 'log: { level: trace }\nrealms:']);

test.each<[string, string | undefined, Record<string, string>, string]>([
  ['the file given', file, { SBC_CONFIG_FILE: other, SBC_CONFIG_BODY: BODY }, 'info'],
  [
    'the file in the environment',
    undefined,
    { SBC_CONFIG_FILE: other, SBC_CONFIG_BODY: BODY },
    'debug',
  ],
  ['the body in the environment', undefined, { SBC_CONFIG_BODY: BODY }, 'trace'],
])('%s is loaded', (_, path, env, level) => {
  const loaded = loadConfigFile(path, env);
  expect(loaded).toMatchObject({ type: 'config', config: { log: { level } } });
});

test('secret files are found beside the configuration file', () => {
  expect(loadConfigFile(other, {})).toMatchObject({ config: { api: { token: 'abc' } } });
});

test('the module of a provider is found beside the configuration file, wherever the SBC was started', () => {
  const keys = 'feature-keys: { provider: { kind: module, path: PATH } }\n';
  const pathOf = (path: string) => {
    writeFileSync(modular, `${SAMPLE}${keys.replace('PATH', path)}`);
    const loaded = loadConfigFile(relative('.', modular), {});
    if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
    const { provider } = loaded.config.featureKeys;
    return provider.kind === 'module' ? provider.path : '';
  };
  expect(pathOf('./directory.ts')).toBe(join(folder, 'directory.ts'));
  expect(pathOf('/opt/directory.ts')).toBe('/opt/directory.ts');
});

test('a file that is not there is an invalid configuration', () => {
  const loaded = loadConfigFile(join(folder, 'none.yaml'), {});
  expect(loaded).toMatchObject({ type: 'invalid', problems: [{ line: 1, column: 1 }] });
  expect(JSON.stringify(loaded)).toContain('cannot be read: ENOENT');
});

test('a text in place of the file finds what the file would find', () => {
  const text = `${SAMPLE}api: { token: "file:token.txt" }\n`;
  expect(loadConfigText(text, other, {})).toMatchObject({ config: { api: { token: 'abc' } } });
  expect(loadConfigText(text, undefined, { SBC_CONFIG_FILE: other })).toMatchObject({
    config: { api: { token: 'abc' } },
  });
  expect(loadConfigText(text, undefined, { SBC_CONFIG_BODY: BODY })).toMatchObject({
    type: 'invalid',
  });
});

test('a secret is not read from a device, which could hold up the process for ever', () => {
  const loaded = loadConfigText(`${SAMPLE}api: { token: "file:/dev/zero" }\n`, other, {});
  expect(JSON.stringify(loaded)).toContain('/dev/zero is no ordinary file');
  writeFileSync(join(folder, 'large.txt'), 'x'.repeat(1024 * 1024 + 1));
  const large = loadConfigText(`${SAMPLE}api: { token: "file:large.txt" }\n`, other, {});
  expect(JSON.stringify(large)).toContain('above 1 MiB');
});

test('a file has a path, a text of the environment has none', () => {
  const near = loadConfigFile(relative('.', file), {});
  expect(pathOfLoaded(near)).toBe(file);
  expect(pathOfLoaded(loadConfigFile(undefined, { SBC_CONFIG_BODY: BODY }))).toBeUndefined();
});
