import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { configOf, problemLines, SAMPLE } from './sample.ts';

const files: Record<string, string> = { 'token.txt': 'from-file\n', 'empty.txt': '\n' };

function readSecretFile(path: string): string {
  const text = files[path];
  if (text === undefined) throw new Error(`ENOENT ${path}`);
  return text;
}

function tokenOf(token: string): unknown {
  const text = `${SAMPLE}api: { token: "${token}" }\n`;
  const env = { TOKEN: 's3cret', EMPTY: '' };
  const loaded = loadConfig({ text, file: 'sbc.yaml', env, readSecretFile });
  return loaded.type === 'config' ? loaded.config.api.token : loaded.problems[0]?.message;
}

test.each([
  ['plain', 'plain'],
  ['${TOKEN}', 's3cret'],
  ['a-${TOKEN}-${TOKEN}', 'a-s3cret-s3cret'],
  ['$TOKEN', '$TOKEN'],
  ['${}', '${}'],
  ['file:token.txt', 'from-file'],
  ['${MISSING}', 'environment variable MISSING is not set or empty'],
  ['${EMPTY}', 'environment variable EMPTY is not set or empty'],
  ['file:empty.txt', 'secret file empty.txt is empty'],
  ['file:none.txt', 'secret file cannot be read: ENOENT none.txt'],
])('token %s gives %s', (token, expected) => {
  expect(tokenOf(token)).toBe(expected);
});

test('file: needs somebody who reads files', () => {
  expect(problemLines(`${SAMPLE}api: { token: "file:x" }\n`)).toEqual([
    '12:15: api.token: file: secrets can be read only from a file on disk',
  ]);
});

test('a value from the environment is taken as it is, whatever it looks like', () => {
  const text = `${SAMPLE}api: { token: "\${T}" }\n`;
  expect(configOf(text, { T: '${OTHER} # {' }).api.token).toBe('${OTHER} # {');
});

test.each([
  ['sip: { drachtio: { secret: "${S}" } }', 'sip.drachtio.secret'],
  ['feature-keys: { users: { "2001": { ha1: "${S}" } } }', 'feature-keys.users.2001.ha1'],
  ['feature-keys: { users: { "2001": { password: "${S}" } } }', 'feature-keys.users.2001.password'],
  [
    'feature-keys: { provider: { kind: http, url: "https://x", secrets: [ "${S}" ] } }',
    'feature-keys.provider.secrets[0]',
  ],
  ['feature-keys: { provider: { kind: postgres, url: "${S}" } }', 'feature-keys.provider.url'],
  [
    'feature-keys: { notify: { credentials: { r: { username: u, password: "${S}" } } } }',
    'feature-keys.notify.credentials.r.password',
  ],
])('%s is a secret field', (yaml, path) => {
  expect(problemLines(`${SAMPLE}${yaml}\n`, { S: 'x' })).toEqual([]);
  expect(problemLines(`${SAMPLE}${yaml}\n`).join('')).toContain(`${path}: environment variable S`);
});
