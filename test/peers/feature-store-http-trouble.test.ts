/** A webhook that answers late, wrongly, or not at all. */
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NEVER_CHANGED } from '../../src/feature-keys/providers/account-shape.ts';
import type { FeatureChange } from '../../src/feature-keys/feature-state.ts';
import { openHttpProvider } from '../../src/feature-keys/providers/http-provider.ts';
import { storeConfig, storeDeps } from '../support/feature-store-config.ts';
import { freePorts } from '../support/free-ports.ts';
import { ACCOUNT, contextOf } from '../support/provider-conformance.ts';
import { tlsAuthority, tlsOwner, tlsPath } from '../support/tls-files.ts';
import { WebhookServer, type WebhookTurn } from '../support/webhook-server.ts';

let webhook: WebhookServer;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  webhook = await WebhookServer.start();
});

afterAll(() => webhook.close());

beforeEach(() => {
  webhook.reset();
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(part: Record<string, unknown> = {}, lines?: string[]) {
  const { provider } = storeConfig({ provider: { kind: 'http', url: webhook.url, ...part } });
  if (provider.kind !== 'http') throw new Error('another kind than asked for');
  const opened = openHttpProvider(provider, storeDeps(lines));
  closing.push(() => opened.close());
  return { set: (context = contextOf()) => opened.set(ACCOUNT, 'DoNotDisturb', CHANGE, context) };
}

function answers(...turns: readonly WebhookTurn[]): void {
  webhook.decide = (_request, index) => turns[index] ?? 'normal';
}

const CHANGE: FeatureChange = {
  requested: { status: true },
  current: NEVER_CHANGED,
  proposed: { status: true, values: {} },
};

describe('an operation is sent again', () => {
  test.each<[string, readonly WebhookTurn[]]>([
    ['after a 503', [{ status: 503 }]],
    ['after two, 502 and 504', [{ status: 502 }, { status: 504 }]],
    ['after a connection that ended', ['hang-up']],
    ['after 429', [{ status: 429 }]],
    ['after 429 with a time that fits', [{ status: 429, headers: { 'Retry-After': '1' } }]],
    ['after a second of silence', ['silence']],
  ])('%s: one delivery, signed anew', async (_title, turns) => {
    const { set } = await open({ secrets: ['secret'] });
    answers(...turns);
    expect(await set()).toMatchObject({ outcome: 'applied', status: true });
    expect(webhook.requests).toHaveLength(turns.length + 1);
    const ids = webhook.requests.map(({ headers }) => headers['x-dfks-delivery']);
    expect(new Set(ids).size).toBe(1);
    for (const { headers, raw } of webhook.requests) {
      const signed = `${String(headers['x-dfks-timestamp'])}.${raw}`;
      const hmac = createHmac('sha256', 'secret').update(signed).digest('hex');
      expect(headers['x-dfks-signature']).toBe(`v1=${hmac}`);
    }
  });

  test('three times at most', async () => {
    const { set } = await open();
    webhook.decide = () => ({ status: 503 });
    await expect(set()).rejects.toThrow('the webhook answered 503');
    expect(webhook.requests).toHaveLength(3);
  });

  test('not when the time that it asks for is beyond the deadline', async () => {
    const { set } = await open();
    answers({ status: 429, headers: { 'Retry-After': '30' } });
    await expect(set()).rejects.toThrow('the webhook answered 429');
    expect(webhook.requests).toHaveLength(1);
  });

  test('not after the operation was given up', async () => {
    const { set } = await open();
    webhook.decide = () => 'silence';
    const context = contextOf({ signal: AbortSignal.timeout(150), deadlineMs: 150 });
    await expect(set(context)).rejects.toThrow('the time was up');
    expect(webhook.requests.length).toBeLessThanOrEqual(1);
  });
});

describe('after five failures in a row', () => {
  test('the webhook is left alone, which the log says once', async () => {
    const lines: string[] = [];
    const { set } = await open({}, lines);
    webhook.decide = () => ({ status: 500 });
    for (let index = 0; index < 5; index += 1) {
      await expect(set()).rejects.toThrow('the webhook answered 500');
    }
    for (let index = 0; index < 3; index += 1) {
      await expect(set()).rejects.toThrow('the webhook failed too often just now');
    }
    expect(webhook.requests).toHaveLength(5);
    expect(lines.filter((line) => line.includes('is left alone'))).toHaveLength(1);
  });

  test('which refusals and answers for one account are not', async () => {
    const { set } = await open();
    webhook.decide = () => ({ status: 409, body: { reason: 'no' } });
    for (let index = 0; index < 6; index += 1) expect((await set()).outcome).toBe('refused');
    webhook.decide = () => ({ status: 200, body: { status: 'yes' } });
    for (let index = 0; index < 6; index += 1) {
      await expect(set()).rejects.toThrow('status is neither true nor false');
    }
    webhook.decide = () => 'normal';
    expect((await set()).outcome).toBe('applied');
  });
});

test('nobody listens: a failure that names the reason', async () => {
  const [port = 0] = await freePorts(1);
  const { set } = await open({ url: `http://127.0.0.1:${port}/` });
  await expect(set()).rejects.toThrow(/the webhook gave no answer: .*ECONNREFUSED/);
});

test('many operations share sixteen connections, which are kept', async () => {
  const { set } = await open();
  const before = webhook.connections;
  await Promise.all(Array.from({ length: 40 }, () => set()));
  await set();
  const deliveries = webhook.requests.map(({ headers }) => headers['x-dfks-delivery']);
  expect(new Set(deliveries).size).toBe(41);
  // On a slow machine an attempt may run out of time, which costs its connection.
  const repeated = deliveries.length - 41;
  expect(webhook.connections - before).toBeLessThanOrEqual(16 + repeated);
});

describe('https', () => {
  test('with a certificate of ours, which the webhook demands', async () => {
    const { certificate: cert, key } = tlsOwner('carrier');
    const secure = await WebhookServer.start({ cert, key, ca: tlsAuthority() });
    closing.push(() => secure.close());
    const url = `https://localhost:${secure.port}/dfks`;
    const ca = tlsPath('ca.pem');
    const own = { certificate: tlsPath('sbc.pem'), key: tlsPath('sbc.key'), ca };
    const known = await open({ url, tls: own });
    const unknown = await open({ url, tls: { ca } });
    const trusting = await open({ url });
    await expect(unknown.set()).rejects.toThrow('the webhook gave no answer');
    await expect(trusting.set()).rejects.toThrow(/certificate/);
    await known.set();
    expect(secure.requests).toHaveLength(1);
  });

  test.each([
    [
      { certificate: tlsPath('none.pem'), key: tlsPath('sbc.key') },
      /certificate .* cannot be read/,
    ],
    [{ certificate: tlsPath('sbc.pem'), key: tlsPath('carrier.key') }, /files of tls/],
  ])('with files that do not serve is refused at the start', async (tls, why) => {
    await expect(open({ url: 'https://pbx.example/', tls })).rejects.toThrow(why);
  });
});

test.each([
  ['http://portal.example/dfks', /needs https/],
  ['http://192.0.2.1/dfks', /needs https/],
  ['ftp://127.0.0.1/', /neither https nor http/],
  ['portal', /is no URL/],
  ['https://user:pass@portal.example/', /credentials have no place in the URL/],
])('the address %s is refused', async (url, why) => {
  await expect(open({ url })).rejects.toThrow(why);
});

test.each([
  ['http://127.8.9.1/', 'false'],
  ['http://[::1]:8080/', 'false'],
  ['http://localhost/', 'false'],
  ['https://portal.example/', 'false'],
  ['http://portal.example/', 'true'],
])('the address %s is taken with insecure: %s', async (url, insecure) => {
  expect(await open({ url, insecure })).toHaveProperty('set');
});
