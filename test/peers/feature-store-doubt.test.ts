/** Stores that do what they are told and whose answer is lost: phones and store agree nevertheless. */
import { type Socket, connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { FeatureService } from '../../src/feature-keys/feature-service.ts';
import { createFeatureService } from '../../src/feature-keys/feature-write-path.ts';
import type { FeatureStore } from '../../src/feature-keys/providers/open-store.ts';
import { createLog } from '../../src/observe/log.ts';
import { ACCOUNT, API, DeskPhone, PHONE, RULES } from '../support/feature-desk.ts';
import {
  type TemporaryFolder,
  openStore,
  temporaryFolder,
} from '../support/feature-store-config.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { WebhookServer } from '../support/webhook-server.ts';

const DND = 'DoNotDisturb';

let folder: TemporaryFolder;
let database: PostgresServer;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = temporaryFolder();
  database = await startPostgres();
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

afterAll(async () => {
  await database.close();
  folder.remove();
});

interface Node {
  readonly store: FeatureStore;
  readonly service: FeatureService;
  readonly phone: DeskPhone;
}

/** A service over a store, with a phone that watches. */
async function startNode(provider: Readonly<Record<string, unknown>>): Promise<Node> {
  const store = await openStore({ provider });
  const service = createFeatureService({
    ...store,
    config: () => RULES,
    log: createLog('error', { write: () => {} }),
  });
  closing.push(async () => {
    await service.close();
    await store.provider.close();
    await store.history.close();
  });
  const read = await service.read(ACCOUNT, PHONE);
  if (read.type !== 'state') throw new Error(`expected a state, got ${read.type}`);
  const phone = new DeskPhone('a');
  closing.push(() => Promise.resolve(unwatch()));
  const unwatch = service.watch(ACCOUNT, phone, read.state);
  return { store, service, phone };
}

async function appliedRows({ store }: Node): Promise<readonly string[]> {
  const rows = await store.history.list(ACCOUNT, { feature: DND });
  return rows.filter(({ outcome }) => outcome === 'applied').map(({ source }) => source);
}

/** The way to the database; of the next commit, the answer is lost. */
async function startLossyWay(): Promise<{ readonly url: string; readonly loseCommit: () => void }> {
  const server = new URLSearchParams(database.url.split('?')[1]).get('host') ?? '';
  const sockets = new Set<Socket>();
  let isLosing = false;
  const way = createServer((near) => {
    const far = connect(`${server}/.s.PGSQL.5432`);
    sockets.add(near).add(far);
    near.on('data', (bytes) => {
      far.write(bytes);
      if (!isLosing || !bytes.includes('COMMIT')) return;
      isLosing = false;
      far.pause();
      // What came by now is carried out; nobody hears of it.
      near.destroy();
      far.end();
    });
    far.on('data', (bytes) => near.write(bytes));
    near.on('error', () => far.destroy()).on('close', () => far.end());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => {
    way.listen(folder.path('.s.PGSQL.5432'), resolve);
  });
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      way.close(() => resolve());
    });
  });
  const host = encodeURIComponent(folder.path('.'));
  return {
    url: `postgres://sbc@/postgres?host=${host}`,
    loseCommit: () => {
      isLosing = true;
    },
  };
}

test('a commit whose answer is lost is told at both nodes, and has one row', async () => {
  const way = await startLossyWay();
  const one = await startNode({ kind: 'postgres', url: way.url });
  const two = await startNode({ kind: 'postgres', url: database.url });
  way.loseCommit();
  const press = one.service.setAll(ACCOUNT, [{ feature: DND, status: true }], PHONE, one.phone);
  expect(await press).toEqual({ type: 'failed', cause: 'storage' });
  for (const { phone } of [one, two]) {
    await waitFor('the change at a phone', () => phone.notices.length > 0);
    expect(phone.notices.at(-1)).toMatchObject({ state: { DoNotDisturb: { status: true } } });
    expect(phone.told()).toEqual([DND]);
  }
  expect(await appliedRows(two)).toEqual(['phone']);
  expect(await one.service.set(ACCOUNT, DND, { status: true }, API)).toMatchObject({
    type: 'unchanged',
  });
});

test('what a webhook stores and does not confirm is told, and has a row', async () => {
  const webhook = await WebhookServer.start();
  closing.push(() => webhook.close());
  const node = await startNode({ kind: 'http', url: webhook.url });
  webhook.decide = ({ op, presentity, feature }) => {
    if (op !== 'set') return 'normal';
    webhook.put(presentity, feature, { status: true });
    return 'hang-up';
  };
  const press = node.service.setAll(ACCOUNT, [{ feature: DND, status: true }], PHONE, node.phone);
  expect(await press).toEqual({ type: 'failed', cause: 'storage' });
  await waitFor('the change at the phone', () => node.phone.notices.length > 0);
  expect(node.phone.told()).toEqual([DND]);
  await waitFor('a row', async () => (await appliedRows(node)).length > 0);
  expect(await appliedRows(node)).toEqual(['provider']);
});
