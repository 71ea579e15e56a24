/**
 *   operator                     SBC's event loop                  loading thread
 *     | check or plan LARGE        | turns on and on                 |
 *     |--------------------------->|-------------------------------->|  reads, lints, compares
 *     |    findings, what changes  |<--------------------------------|
 *     |<---------------------------|
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configPlanView } from '../../src/api/config-plan.ts';
import { lintConfig } from '../../src/config/lint.ts';
import { loadConfigFile } from '../../src/config/load-file.ts';
import { LoadThread } from '../../src/config/load-thread.ts';
import { loadConfig, type ValidConfig } from '../../src/config/load.ts';
import { type Sbc, startSbc } from '../../src/main.ts';
import { createLog } from '../../src/observe/log.ts';
import { loopbackConfig } from '../support/loopback-config.ts';

/** A file that takes a good while: reading it in one go would let no other turn pass. */
const POLICIES = 6000;
/** A request that is answered at once needs less turns than this. */
const MANY_TURNS = 100;
const TIMEOUT_MS = 120_000;

let folder = '';
let file = '';
let yaml = '';
let base = '';
let thread: LoadThread;
let sbc: Sbc;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'check-beside-'));
  file = join(folder, 'sbc.yaml');
  const loopback = await loopbackConfig({ carrier: { address: '127.0.0.1', port: 9 } });
  ({ yaml } = loopback);
  base = `http://127.0.0.1:${loopback.api.port}/api/v1/config`;
  await writeFile(file, yaml);
  thread = new LoadThread(file);
  sbc = await startSbc(validAt(file).config, {
    log: createLog('silent'),
    readConfig: (text) => (text === undefined ? loadConfigFile(file) : validOf(text)),
    loadConfig: () => thread.load(),
    configThread: thread,
  });
});

afterAll(async () => {
  await Promise.all([sbc.close(), thread.close()]);
  await rm(folder, { recursive: true });
});

function validOf(text: string): ValidConfig {
  const loaded = loadConfig({ text, file: 'request', env: {} });
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

function validAt(path: string): ValidConfig {
  const loaded = loadConfigFile(path, {});
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

/** The configuration with many more policies, each of which the linter has something to say about. */
function large(): string {
  const policies = Array.from(
    { length: POLICIES },
    (_, n) =>
      `  - { from-realm: access, to: "1${n}", methods: [ INVITE, MESSAGE ], next-hop: carrier }\n`,
  );
  return yaml.replace('local-policies:\n', `local-policies:\n${policies.join('')}`);
}

interface Answer {
  readonly body: unknown;
  /** Of the event loop, while the request was under way. */
  readonly turns: number;
}

async function ask(path: 'check' | 'plan', text: string): Promise<Answer> {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const headers = { 'content-type': 'application/yaml' };
  const response = await fetch(`${base}/${path}`, { method: 'POST', headers, body: text });
  const body: unknown = await response.json();
  clearInterval(timer);
  return { body, turns };
}

/** As it crosses the wire. */
function written(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test('a large file is checked while the event loop goes on', { timeout: TIMEOUT_MS }, async () => {
  const { body, turns } = await ask('check', large());
  const findings = lintConfig(validOf(large()));
  expect(findings.length).toBeGreaterThan(POLICIES);
  expect(body).toEqual(written({ isValid: true, problems: [], findings }));
  expect(turns).toBeGreaterThan(MANY_TURNS);
});

test(
  'a large file is planned while the event loop goes on, and planned back when it is in use',
  { timeout: TIMEOUT_MS },
  async () => {
    const there = await ask('plan', large());
    expect(there.body).toEqual(written(configPlanView(validAt(file), validOf(large()), [])));
    expect(there.turns).toBeGreaterThan(MANY_TURNS);
    await writeFile(file, large());
    await sbc.reload();
    const back = await ask('plan', yaml);
    expect(back.body).toEqual(written(configPlanView(validAt(file), validOf(yaml), [])));
    expect(back.turns).toBeGreaterThan(MANY_TURNS);
  },
);

test('what is not valid is refused by both', async () => {
  const broken = yaml.replace('next-hop', 'nexthop');
  const problems = [expect.objectContaining({ path: expect.stringContaining('local-policies') })];
  expect(await ask('check', broken)).toMatchObject({
    body: { isValid: false, problems: expect.arrayContaining(problems), findings: [] },
  });
  expect(await ask('plan', broken)).toMatchObject({ body: { verdict: 'refused' } });
});
