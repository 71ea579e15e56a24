import { userInfo } from 'node:os';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Api, startApi } from '../../../src/api/server.ts';
import { apiUrl } from '../../../src/cli/api-client.ts';
import { addFeaturesCommand } from '../../../src/cli/features.ts';
import { phoneFor } from '../../../src/cli/features-test.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { addShowCommand } from '../../../src/cli/show.ts';
import type { FeatureSubscriptionView } from '../../../src/api/feature-backend.ts';
import type { FeatureService } from '../../../src/feature-keys/feature-service.ts';
import { createFeatureService } from '../../../src/feature-keys/feature-write-path.ts';
import { createLog } from '../../../src/observe/log.ts';
import { MemoryFeatureStore } from '../../support/memory-feature-store.ts';
import { fakeBackend } from '../api/fake-backend.ts';
import { configOf, SAMPLE } from '../config/sample.ts';

const ACCOUNT = 'sip:2001@pbx.example';
const KEYS = 'enabled: true, domains: { pbx.example: [] }, users: { "2001": { password: secret } }';
const CONFIG = configOf(`feature-keys: { ${KEYS} }\n${SAMPLE}`);
const START_MS = Date.parse('2026-01-01T12:00:00Z');

const PHONE: FeatureSubscriptionView = {
  event: 'as-feature-event',
  account: ACCOUNT,
  id: 'fk-1',
  callId: 'c1',
  userAgent: 'DeskPhone/1.0',
  remote: '192.0.2.21:5060',
  transport: 'udp',
  expiresInSeconds: 3000,
  lastNotify: { at: '2026-01-01T12:00:00.000Z', status: 200 },
  due: ['DoNotDisturb'],
};

interface Stage {
  readonly api: Api;
  readonly store: MemoryFeatureStore;
  readonly service: FeatureService;
}

const running: Stage[] = [];
const phones: FeatureSubscriptionView[] = [];
let printed = '';
let complained = '';

beforeAll(async () => {
  const store = new MemoryFeatureStore();
  const log = createLog('silent');
  const config = CONFIG.featureKeys;
  const service = createFeatureService({
    provider: store,
    history: store,
    config: () => config,
    log,
  });
  const features = { service, config, listSubscriptions: () => phones };
  const backend = { ...fakeBackend({ listSubscriptions: () => [] }), features };
  const listen = { address: '127.0.0.1', port: 0 };
  running.push({ api: await startApi({ listen, token: '', backend, log }), store, service });
});

afterAll(async () => {
  for (const { api, service } of running) {
    await api.close();
    await service.close();
  }
});

beforeEach(() => {
  printed = '';
  complained = '';
  phones.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complained += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

function stage(): Stage {
  const [first] = running;
  if (first === undefined) throw new Error('there is no API');
  return first;
}

/** Runs a command line; `--api` is that of the test unless it names another. */
async function tonebridge(...words: string[]) {
  const program = new Command('tonebridge').option('-c, --config <file>').option('--json');
  program.exitOverride();
  addFeaturesCommand(program);
  addShowCommand(program);
  const api = words.includes('--api') ? [] : ['--api', apiUrl(stage().api)];
  await runProgram([...words, ...api], program);
  return { exitCode: process.exitCode, printed };
}

test('set, get and history', async () => {
  const { store } = stage();
  store.nowMs = () => START_MS;
  const set = ['features', 'set', '2001@pbx.example', 'CallForwardingNoAnswer', 'on'];
  const values = ['--forward-to', '2828', '--rings', '4', '--param', 'portal'];
  expect(await tonebridge(...set, ...values)).toEqual({
    exitCode: 0,
    printed: 'CallForwardingNoAnswer: applied, on, 2828, 4 rings (version 1, 0 phones told)\n',
  });
  printed = '';
  const who = userInfo().username;
  expect((await tonebridge('features', 'get', '2001')).printed).toMatch(
    new RegExp(
      `^sip:2001@pbx.example: 0 phones subscribed\n\nFEATURE +STATE +FORWARD TO +RINGS +VERSION +CHANGED +BY\n` +
        `DoNotDisturb +off +- +- +0 +- +-\n[^]*CallForwardingNoAnswer +on +2828 +4 +1 +2026-01-01T12:00:00.000Z +${who} \\(cli\\)\n$`,
    ),
  );
  printed = '';
  expect((await tonebridge('features', 'history', '2001', '--limit', '1')).printed).toMatch(
    /CallForwardingNoAnswer +applied +off +on, 2828, 4 rings +cli/,
  );
  const call = store.calls.findLast(({ operation }) => operation === 'set');
  expect(call?.context).toMatchObject({ source: 'cli', actor: who, param: 'portal' });
});

test.each<[words: string[], exitCode: number, text: RegExp]>([
  [['set', '2001', 'dnd', 'on'], 0, /^DoNotDisturb: applied, on/],
  [['set', '2001', 'dnd', 'on'], 0, /^DoNotDisturb: unchanged, on/],
  [['set', '2001', 'dnd', 'off', '--if-version', '7'], 1, /at version 1 by now\n$/],
  [['set', '2001', 'CFB', 'on'], 1, /number/],
  [['set', '2001', 'cfna', 'off', '--no-forward-to'], 0, /applied, off, 4 rings/],
  [['set', '2001', 'cfna', 'on', '--forward-to', '1', '--rings', '21'], 1, /ring count/],
  [['get', '2001', 'dnd'], 0, /^sip:2001[^\n]+\n\nFEATURE [^\n]+\nDoNotDisturb [^\n]+\n$/],
  [['refresh', '2001'], 0, /^0 of 0 phones told\n$/],
  [['refresh', 'x@other.example'], 1, /domain/],
  [['history', '2001', '--from', 'yesterday'], 1, /RFC 3339/],
  [['history', '2002@pbx.example'], 0, /^no changes\n$/],
  [['set', '2001', 'dnd', 'maybe'], 2, /maybe is not on or off/],
  [['set', '2001', 'hold', 'on'], 2, /there is no feature hold/],
  [['set', '2001', 'cfna', 'on', '--rings', 'four'], 2, /--rings four is no number/],
  [['set', '2001', 'dnd'], 2, /missing required argument/],
  [['get', '2001', '--api', 'http://127.0.0.1:9'], 3, /cannot connect/],
])('features %j ends with %i', async (words, exitCode, text) => {
  const result = await tonebridge('features', ...words);
  expect(result.exitCode).toBe(exitCode);
  const [used, unused] = exitCode === 0 ? [printed, complained] : [complained, printed];
  expect(used).toMatch(text);
  expect(unused).toBe('');
});

test('the history shows what was asked where it was refused', async () => {
  await tonebridge('features', 'set', '2004', 'cfa', 'on', '--forward-to', '112');
  expect((await tonebridge('features', 'history', '2004')).printed).toMatch(
    /CallForwardingAlways +refused \(target-forbidden\) +off +-> on, 112 \(refused\) +cli/,
  );
});

test('the help of the test says where it works', async () => {
  await tonebridge('features', 'test', '--help');
  expect(printed.replaceAll(/\s+/g, ' ')).toContain('on the machine of the SBC only');
});

test('a refusal in JSON has the name of its reason', async () => {
  const { exitCode } = await tonebridge('--json', 'features', 'set', '2001', 'cfb', 'on');
  expect([exitCode, complained]).toEqual([1, '']);
  expect(JSON.parse(printed)).toMatchObject({ error: 'refused', code: 'no-target' });
});

describe('show', () => {
  test('subscriptions of phones', async () => {
    phones.push(PHONE);
    expect((await tonebridge('show', 'subscriptions')).printed).toBe(
      'ACCOUNT               PHONE          ADDRESS          TRANSPORT  EXPIRES  LAST NOTIFY                   DUE\n' +
        'sip:2001@pbx.example  DeskPhone/1.0  192.0.2.21:5060  udp        3000s    2026-01-01T12:00:00.000Z 200  DoNotDisturb\n',
    );
  });

  test('features of every account with a phone, or of one', async () => {
    expect(await tonebridge('show', 'features')).toEqual({ exitCode: 0, printed: 'no phones\n' });
    phones.push(PHONE, { ...PHONE, id: 'fk-2' });
    printed = '';
    expect((await tonebridge('show', 'features')).printed.match(/^sip:/gm)).toHaveLength(1);
    printed = '';
    expect((await tonebridge('show', 'features', '2002')).printed).toMatch(/^sip:2002@pbx/);
  });
});

test.each<[account: string, sip: string | undefined, phone: object]>([
  ['2001', undefined, { account: ACCOUNT, server: { port: 6060 }, password: 'secret' }],
  ['2002@pbx.example', '[::1]:5070', { server: { address: '::1', port: 5070 }, password: '' }],
  ['2001', 'sbc.example', { server: { address: 'sbc.example', port: 5060 } }],
])('the phone of the test: %s through %s', (account, sip, phone) => {
  expect(phoneFor(CONFIG, account, sip)).toMatchObject(phone);
});

test.each([
  ['2001@other.example', undefined],
  ['2001', 'a b'],
])('no phone of the test: %s through %s', (account, sip) => {
  expect(phoneFor(CONFIG, account, sip)).toEqual(expect.any(String));
});
