/**
 *   phone 2001 ---.         .--- a store that does not answer for 2001
 *                   SBC ---'
 *   phone 2002 ---'         others are served meanwhile
 */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FeaturePhone } from '../support/feature-phone.ts';
import { type FeatureSbc, startFeatureSbc } from '../support/feature-sbc.ts';
import {
  type TemporaryFolder,
  openStore,
  temporaryFolder,
} from '../support/feature-store-config.ts';
import { ACCOUNT, changeOf, contextOf } from '../support/provider-conformance.ts';
import { headerValue } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';
import { WebhookServer } from '../support/webhook-server.ts';

const closing: (() => Promise<void>)[] = [];
let folder: TemporaryFolder;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  folder.remove();
});

async function start(provider: string, logsErrors = false): Promise<FeatureSbc> {
  const history = `{ file: "${folder.path('history.db')}" }`;
  const sbc = await startFeatureSbc({ section: { provider, history }, logsErrors });
  closing.push(() => sbc.close());
  return sbc;
}

async function subscribed(sbc: FeatureSbc, user: string): Promise<FeaturePhone> {
  const phone = await sbc.phone({ user });
  expect((await phone.subscribe()).status).toBe(200);
  await phone.nextNotify();
  return phone;
}

/** A set of a phone whose store is silent, and what others get done until it is answered. */
async function servedMeanwhile(sbc: FeatureSbc): Promise<readonly string[]> {
  const slow = await subscribed(sbc, '2001');
  const quick = await subscribed(sbc, '2002');
  const order: string[] = [];
  const waiting = slow.setDnd(true).then((answer) => {
    order.push(`slow ${answer.status} ${headerValue(answer.message, 'Retry-After') ?? ''}`);
    return answer;
  });
  for (const on of [true, false]) {
    expect((await quick.setDnd(on)).status).toBe(200);
    await quick.waitUntilShown('DoNotDisturb', ({ status }) => status === on);
    order.push(`quick ${on}`);
  }
  expect((await waiting).status).toBe(500);
  return order;
}

const SERVED = ['quick true', 'quick false', 'slow 500 5'];

test('a webhook that is silent about one account holds nobody else up', async () => {
  const webhook = await WebhookServer.start();
  const sbc = await start(`{ kind: http, url: "${webhook.url}" }`);
  closing.push(() => webhook.close());
  webhook.decide = ({ op, presentity }) =>
    op === 'set' && presentity === ACCOUNT ? 'silence' : 'normal';
  expect(await servedMeanwhile(sbc)).toEqual(SERVED);
});

test('a module that waits for one account holds nobody else up', async () => {
  const path = folder.path('waiting.ts');
  const code = `
    const states = new Map<string, unknown>();
    export const get = (presentity: string, feature: string) => states.get(presentity + feature) ?? {};
    export const set = (presentity: string, feature: string, change: { proposed: unknown }) => {
      if (presentity === '${ACCOUNT}') return new Promise(() => {});
      states.set(presentity + feature, change.proposed);
      return {};
    };`;
  writeFileSync(path, code);
  const sbc = await start(`{ kind: module, path: "${path}", deadline: 8s }`);
  expect(await servedMeanwhile(sbc)).toEqual(SERVED);
});

describe('a module that never gives its thread back', () => {
  const ENDLESS = `
    export const get = () => ({});
    export const set = (presentity: string) => {
      for (;;) if (presentity !== '${ACCOUNT}') return {};
    };`;

  test('is replaced, and fails only who asked', async () => {
    const path = folder.path('endless.ts');
    writeFileSync(path, ENDLESS);
    const lines: string[] = [];
    const { provider, history } = await openStore({ provider: { kind: 'module', path } }, lines);
    closing.push(async () => {
      await provider.close();
      await history.close();
    });
    const heard: string[] = [];
    provider.watch?.((presentity) => heard.push(presentity));
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const context = contextOf({ signal: AbortSignal.timeout(300) });
    const set = provider.set(ACCOUNT, 'DoNotDisturb', made, context);
    await expect(set).rejects.toThrow(/died: it hangs$/);
    await waitFor('another thread', () => heard.includes('*'));
    expect(await provider.getAll(ACCOUNT, contextOf())).toBeDefined();
  });

  test('does not keep calls waiting', async () => {
    const path = folder.path('endless.ts');
    writeFileSync(path, ENDLESS);
    const sbc = await start(`{ kind: module, path: "${path}", deadline: 8s }`, true);
    const phone = await subscribed(sbc, '2001');
    const order: string[] = [];
    const waiting = phone.setDnd(true).then(({ status }) => order.push(`set ${status}`));
    for (let round = 0; round < 20; round += 1) {
      // The thread of the calls answers this.
      expect((await sbc.ask('GET', '/calls')).status).toBe(200);
      order.push('calls');
    }
    await waiting;
    expect(order.at(-1)).toBe('set 500');
    expect(order).toHaveLength(21);
  });
});
