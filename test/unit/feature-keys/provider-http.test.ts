import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeatureChange } from '../../../src/feature-keys/feature-state.ts';
import { FEATURES } from '../../../src/wire/feature-event.ts';
import type { FeatureStore } from '../../../src/feature-keys/providers/open-store.ts';
import { openStore } from '../../support/feature-store-config.ts';
import {
  ACCOUNT,
  change,
  contextOf,
  providerConformance,
} from '../../support/provider-conformance.ts';
import { WebhookServer, type WebhookTurn } from '../../support/webhook-server.ts';

let webhook: WebhookServer;
/** With nothing but the address configured; for all tests that need no more. */
let plain: FeatureStore;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  webhook = await WebhookServer.start();
  plain = await openStore({ provider: { kind: 'http', url: webhook.url } });
});

afterAll(async () => {
  await plain.provider.close();
  await plain.history.close();
  await webhook.close();
});

beforeEach(() => {
  webhook.reset();
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(part: Record<string, unknown> = {}, lines?: string[]) {
  const provider = { kind: 'http', url: webhook.url, ...part };
  const store = await openStore({ provider }, lines);
  closing.push(async () => {
    await store.provider.close();
    await store.history.close();
  });
  return store;
}

/** Answers in turn; what comes after them is answered from the state. */
function answers(...turns: readonly WebhookTurn[]): void {
  webhook.decide = (_request, index) => turns[index] ?? 'normal';
}

const LONG = '2'.repeat(257);
const OFF = { status: false, values: {}, assigned: true, notify: true, locked: false } as const;
const CURRENT = { ...OFF, values: { forwardTo: '2002', ringCount: 3 }, version: 4, updatedAt: '' };
const CHANGE: FeatureChange = {
  requested: { status: true, ringCount: 8 },
  current: CURRENT,
  proposed: { status: true, values: { forwardTo: '2002', ringCount: 8 } },
};

providerConformance('http', () => open());

describe('a set', () => {
  test('is one signed POST that says all about the change', async () => {
    const { provider } = await open({ secrets: ['old secret', 'new secret'], token: 'bearer-1' });
    const sip = {
      callId: 'a1f00d',
      cseq: 7,
      userAgent: 'DeskPhone/1.0',
      remote: '192.0.2.21:5060',
      transport: 'udp',
      device: '7659366',
    };
    const context = contextOf({ requestId: '01J9Z6', sip });
    const result = await provider.set(ACCOUNT, 'CallForwardingNoAnswer', CHANGE, context);
    expect(result).toEqual({
      outcome: 'applied',
      ...CHANGE.proposed,
      assigned: true,
      notify: true,
      version: 1,
    });
    const [request] = webhook.requests;
    expect(webhook.requests).toHaveLength(1);
    expect(request).toMatchObject({ method: 'POST', path: '/dfks' });
    expect(request?.body).toEqual({
      version: 1,
      op: 'set',
      presentity: ACCOUNT,
      feature: 'CallForwardingNoAnswer',
      change: CHANGE,
      context: { source: 'phone', actor: '2001', param: null, requestId: '01J9Z6', sip },
    });
    const headers: IncomingHttpHeaders = request?.headers ?? {};
    const raw = request?.raw ?? '';
    const timestamp = String(headers['x-dfks-timestamp']);
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
    const signatures = ['old secret', 'new secret'].map((secret) => {
      const hmac = createHmac('sha256', secret).update(`${timestamp}.${raw}`);
      return `v1=${hmac.digest('hex')}`;
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-dfks-signature': signatures.join(','),
      authorization: 'Bearer bearer-1',
    });
    expect(headers['x-dfks-delivery']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test('without secrets and token carries neither signature nor authorization', async () => {
    const { provider } = await open({ secrets: [''], token: '' });
    await provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, contextOf());
    expect(webhook.requests[0]?.headers).not.toHaveProperty('x-dfks-signature');
    expect(webhook.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test.each<[string, WebhookTurn, object]>([
    ['{} means applied as proposed', { status: 200 }, { outcome: 'applied', ...CHANGE.proposed }],
    [
      'the number may come back in another form',
      { status: 200, body: { values: { forwardTo: '+4930123456', ringCount: 8 } } },
      { outcome: 'applied', status: true, values: { forwardTo: '+4930123456', ringCount: 8 } },
    ],
    [
      'a number may have 256 characters, however many units each takes',
      { status: 200, body: { values: { forwardTo: '\u{1F4DE}'.repeat(256) } } },
      { outcome: 'applied', values: { forwardTo: '\u{1F4DE}'.repeat(256) } },
    ],
    [
      'a count of versions is believed',
      { status: 200, body: { version: 77 } },
      { outcome: 'applied', version: 77 },
    ],
    [
      'the others need not be told',
      { status: 200, body: { notify: false } },
      { outcome: 'applied', notify: false },
    ],
    ['an unassigned feature', { status: 200, body: { assigned: false } }, { assigned: false }],
    [
      'refused in the body',
      { status: 200, body: { outcome: 'refused', reason: 'no\r\n  credit' } },
      { outcome: 'refused', status: false, values: CURRENT.values, reason: 'no credit' },
    ],
    [
      '403',
      { status: 403, body: { reason: 'not yours' } },
      { outcome: 'refused', status: false, values: CURRENT.values, reason: 'not yours' },
    ],
    [
      '409 without JSON',
      { status: 409, body: '<html>' },
      { outcome: 'refused', status: false, reason: 'the webhook answered 409' },
    ],
    ['404', { status: 404 }, { outcome: 'unknown-account', status: false }],
    [
      '422',
      { status: 422, body: { reason: 'too far' } },
      { outcome: 'refused', reason: 'too far' },
    ],
  ])('answered with %s', async (_title, turn, expected) => {
    const { provider } = plain;
    answers(turn);
    const result = await provider.set(ACCOUNT, 'CallForwardingNoAnswer', CHANGE, contextOf());
    expect(result).toMatchObject(expected);
    expect(webhook.requests).toHaveLength(1);
  });

  test.each<[string, WebhookTurn, RegExp]>([
    ['text for status', { status: 200, body: { status: 'true' } }, /status is neither/],
    ['a numeric forwardTo', { status: 200, body: { values: { forwardTo: 24 } } }, /is no text/],
    ['a broken forwardTo', { status: 200, body: { values: { forwardTo: '2\n4' } } }, /control/],
    ['a long forwardTo', { status: 200, body: { values: { forwardTo: LONG } } }, /is too long/],
    ['one ring', { status: 200, body: { values: { ringCount: 1 } } }, /neither 0 nor from 2 to 20/],
    ['half a ring', { status: 200, body: { values: { ringCount: 2.5 } } }, /no whole number/],
    [
      'a list of values',
      { status: 200, body: { values: ['forwardTo/24'] } },
      /values is no object/,
    ],
    ['an unknown outcome', { status: 200, body: { outcome: 'maybe' } }, /outcome is none/],
    ['a negative version', { status: 200, body: { version: -1 } }, /version is no whole number/],
    ['a list', { status: 200, body: [] }, /the answer is no object/],
    ['null', { status: 200, body: 'null' }, /the answer is no object/],
    ['no JSON', { status: 200, body: 'OK' }, /no JSON/],
    ['nothing', { status: 200, body: '' }, /no JSON/],
    ['too much', { status: 200, body: { reason: 'x'.repeat(70_000) } }, /too long/],
    ['no content', { status: 204, body: '' }, /answered 204/],
    ['a redirect', { status: 307, headers: { Location: '/other' } }, /answered 307/],
    ['400', { status: 400 }, /answered 400/],
    ['401', { status: 401 }, /answered 401/],
    ['500', { status: 500 }, /answered 500/],
  ])('answered with %s fails, and is not sent again', async (_title, turn, why) => {
    answers(turn);
    const set = plain.provider.set(ACCOUNT, 'DoNotDisturb', CHANGE, contextOf());
    await expect(set).rejects.toThrow(why);
    expect(webhook.requests).toHaveLength(1);
  });
});

describe('a fetch', () => {
  test('asks for the four features, or for all at once in batches', async () => {
    const single = await open();
    await single.provider.getAll(ACCOUNT, contextOf());
    expect(webhook.requests.map(({ op }) => op)).toEqual(['get', 'get', 'get', 'get']);
    expect(webhook.requests.map(({ feature }) => feature).toSorted()).toEqual(FEATURES.toSorted());
    webhook.requests.length = 0;
    const batch = await open({ batch: 'true' });
    await batch.provider.getAll(ACCOUNT, contextOf());
    expect(webhook.requests.map(({ op }) => op)).toEqual(['get-all']);
  });

  test('fails as a whole when one feature fails', async () => {
    const { provider } = plain;
    webhook.decide = ({ feature }) =>
      feature === 'CallForwardingBusy' ? { status: 500 } : 'normal';
    await expect(provider.getAll(ACCOUNT, contextOf())).rejects.toThrow('answered 500');
  });

  test.each([
    ['404', { status: 404 }],
    ['null', { status: 200, body: 'null' }],
  ])('answered with %s finds no account, unless the file accepts unknown ones', async (_, turn) => {
    webhook.decide = () => turn;
    for (const batch of ['true', 'false']) {
      const strict = await open({ batch });
      expect(await strict.provider.getAll(ACCOUNT, contextOf())).toBeUndefined();
      const lenient = await open({ batch, 'unknown-account': 'accept' });
      const account = await lenient.provider.getAll(ACCOUNT, contextOf());
      expect(account?.DoNotDisturb).toMatchObject({ ...OFF, version: 0 });
    }
  });

  test('fails when only some features are known', async () => {
    const { provider } = plain;
    webhook.decide = ({ feature }) => (feature === 'DoNotDisturb' ? { status: 404 } : 'normal');
    await expect(provider.getAll(ACCOUNT, contextOf())).rejects.toThrow(/only some features/);
  });

  test('counts a version for each value that it sees, where the webhook counts none', async () => {
    const { provider } = await open({ batch: 'true' });
    const seen = async () => {
      const account = await provider.getAll(ACCOUNT, contextOf());
      return account?.DoNotDisturb.version;
    };
    expect(await seen()).toBe(0);
    await change(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    expect(await seen()).toBe(1);
    webhook.put(ACCOUNT, 'DoNotDisturb', { status: false });
    expect(await seen()).toBe(2);
    expect(await seen()).toBe(2);
    webhook.put(ACCOUNT, 'DoNotDisturb', { status: true, version: 40 });
    expect(await seen()).toBe(40);
  });
});
