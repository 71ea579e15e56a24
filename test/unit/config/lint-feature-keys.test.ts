import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lintConfig } from '../../../src/config/lint.ts';
import { validOf, SAMPLE } from './sample.ts';

const HA1 = '0123456789abcdef0123456789abcdef';
const DOMAIN = 'domains: { pbx.example: [] }';
const USER = 'users: { "2001": { password: x } }';
const GOOD = `${DOMAIN}, ${USER}`;

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbc-lint-'));
  await writeFile(
    join(folder, 'whole.ts'),
    'export async function get() {}\nexport const set = 1;',
  );
  await writeFile(
    join(folder, 'listed.js'),
    'function get() {}\nconst put = 1;\nexport { get, put as set };',
  );
  await writeFile(join(folder, 'half.ts'), 'export function get() {}\nfunction set() {}\n');
  await writeFile(join(folder, 'file'), '');
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What the linter says of these keys, as `code@line: message`; FOLDER stands for a folder of the test. */
function findingsOf(keys: string, enabled = true): string[] {
  const store = keys.includes('provider:') ? '' : `, provider: { kind: sqlite, file: ":memory:" }`;
  const text = `feature-keys: { enabled: ${enabled}, ${keys}${store} }\n${SAMPLE}`;
  return lintConfig(validOf(text.replaceAll('FOLDER', folder))).map(
    ({ code, line, message }) => `${code}@${line}: ${message.replaceAll(folder, 'FOLDER')}`,
  );
}

test.each<[keys: string, finding: string]>([
  [USER, 'feature-keys-without-domain@1: feature keys are served for no domain'],
  [
    `domains: { a.example: [ x.example ], b.example: [ X.example ] }, ${USER}`,
    'feature-domain-twice@1: "x.example" stands for a.example and for b.example',
  ],
  [
    `${DOMAIN}, users: { "2001": {} }`,
    'feature-user-without-secret@1: user "2001" has neither password nor ha1 and cannot sign in',
  ],
  [
    `${DOMAIN}, users: { "2001": { ha1: abc } }`,
    'feature-user-ha1@1: the ha1 of user "2001" has neither the 32 hexadecimal digits of MD5 nor the 64 of SHA-256',
  ],
  [
    `${DOMAIN}, algorithms: [ SHA-256 ], users: { "2001": { ha1: ${HA1} } }`,
    'feature-user-ha1-unusable@1: user "2001" has only an ha1 of MD5, which is not offered',
  ],
  [
    `${DOMAIN}, users: { "2001": { ha1: ${HA1}${HA1} } }`,
    'feature-user-ha1-unusable@1: user "2001" has only an ha1 of SHA-256, which is not offered',
  ],
  [
    `${DOMAIN}, algorithms: [ SHA-256, MD5 ], users: { "2001": { ha1: ${HA1} } }`,
    'feature-user-ha1-unusable@1: user "2001" has only an ha1 of MD5, and phones answer to SHA-256, which is offered first',
  ],
  [
    `domains: { a.example: [], b.example: [] }, users: { "2001": { ha1: ${HA1} } }`,
    'feature-user-ha1-unusable@1: the ha1 of user "2001" fits one realm, and each domain is one of its own',
  ],
  [
    `${DOMAIN}, users: { "2001": { password: x, accounts: [ "2001", 2002@other.example ] } }`,
    'feature-account-foreign@1: account 2002@other.example of user "2001" is in no domain of ours',
  ],
  [
    `${GOOD}, trusted-networks: [ 127.0.0.0/8, 10.0.0.0/8 ]`,
    'feature-networks-trusted@1: everybody in 10.0.0.0/8 may set the feature keys of every account',
  ],
  [
    `${GOOD}, trusted-networks: [ "::1/0" ]`,
    'feature-networks-trusted@1: everybody in ::1/0 may set the feature keys of every account',
  ],
  [
    `${GOOD}, provider: { kind: http, url: "https://hook.example" }, history: { file: ":memory:" }`,
    'feature-webhook-unsigned@1: requests to the webhook carry neither signature nor token',
  ],
  [
    `${GOOD}, provider: { kind: http, url: "http://hook.example", insecure: true, token: t }, history: { file: ":memory:" }`,
    'feature-webhook-plain@1: the webhook at hook.example is asked without TLS',
  ],
  [
    `${GOOD}, provider: { kind: sqlite, file: FOLDER/file/features.db }`,
    'feature-store-folder@1: FOLDER/file is no folder',
  ],
  [
    `${GOOD}, provider: { kind: sqlite, file: FOLDER }`,
    'feature-store-folder@1: FOLDER is a folder',
  ],
  [
    `${GOOD}, provider: { kind: module, path: FOLDER/none.ts }, history: { file: ":memory:" }`,
    "feature-module@1: FOLDER/none.ts cannot be read: ENOENT: no such file or directory, open 'FOLDER/none.ts'",
  ],
  [
    `${GOOD}, provider: { kind: module, path: FOLDER/half.ts }, history: { file: ":memory:" }`,
    'feature-module@1: FOLDER/half.ts exports no set',
  ],
])('%s', (keys, finding) => {
  expect(findingsOf(keys)).toEqual([finding]);
});

test.each([
  GOOD,
  `${DOMAIN}, users-from: registrar`,
  `${DOMAIN}, authentication: none`,
  `${DOMAIN}, users: { "2001": { ha1: ${HA1}, accounts: [ 2001@PBX.example ] } }`,
  `${DOMAIN}, algorithms: [ SHA-256, MD5 ], users: { "2001": { ha1: ${HA1}${HA1} } }`,
  `${DOMAIN}, algorithms: [ MD5, SHA-256 ], users: { "2001": { ha1: ${HA1} } }`,
  `domains: { a.example: [], b.example: [] }, realm: a.example, users: { u: { ha1: ${HA1} } }`,
  `${GOOD}, trusted-networks: [ 127.0.0.1, "::1" ]`,
  `${GOOD}, provider: { kind: sqlite, file: FOLDER/new/deep/features.db }`,
  `${GOOD}, provider: { kind: module, path: FOLDER/whole.ts }, history: { file: ":memory:" }`,
  `${GOOD}, provider: { kind: module, path: FOLDER/listed.js }, history: { file: ":memory:" }`,
  `${GOOD}, provider: { kind: http, url: "http://127.0.0.1:9/", secrets: [ s ] }, history: { file: ":memory:" }`,
])('nothing to say of %s', (keys) => {
  expect(findingsOf(keys)).toEqual([]);
});

describe('what is not served', () => {
  test('has no findings about its parts', () => {
    expect(findingsOf('authentication: digest', false)).toEqual([]);
    expect(findingsOf('mode: pass')).toEqual([]);
  });

  test('has no effect on calls', () => {
    expect(findingsOf('apply-to-calls: true', false)).toEqual([
      'feature-calls-without-keys@1: apply-to-calls acts on nothing',
    ]);
  });
});

test('without users phones off loopback cannot subscribe', () => {
  const keys = `feature-keys: { enabled: true, ${DOMAIN}, provider: { kind: sqlite, file: ":memory:" } }`;
  const exposed = SAMPLE.replace('udp/127.0.0.1:6062', 'udp/192.0.2.1:6062');
  const findings = (text: string) => lintConfig(validOf(`${keys}\n${text}`));
  expect(findings(exposed).map(({ code }) => code)).toContain('feature-keys-without-users');
  expect(findings(SAMPLE)).toEqual([]);
});

test('a server of its own needs room for fragments', () => {
  const text = `sip: { engine: drachtio, drachtio: { host: 127.0.0.1, secret: x } }\nfeature-keys: { enabled: true, ${GOOD}, provider: { file: ":memory:", kind: sqlite } }\n${SAMPLE}`;
  const codes = lintConfig(validOf(text)).map(({ code }) => code);
  expect(codes).toContain('feature-notify-cut');
});
