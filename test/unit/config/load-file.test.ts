import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadConfigFile } from '../../../src/config/load-file.ts';
import { edited, SAMPLE } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'tonebridge-config-'));
const file = join(folder, 'sbc.yaml');
const other = join(folder, 'other.yaml');
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

test('a file that is not there is an invalid configuration', () => {
  const loaded = loadConfigFile(join(folder, 'none.yaml'), {});
  expect(loaded).toMatchObject({ type: 'invalid', problems: [{ line: 1, column: 1 }] });
  expect(JSON.stringify(loaded)).toContain('cannot be read: ENOENT');
});
