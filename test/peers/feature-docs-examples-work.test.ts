/** The receiver and the module of docs/feature-keys.md, run as they stand there. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FeatureProviderConfig } from '../../src/config/feature-keys-config.ts';
import {
  openFeatureStore,
  type FeatureStore,
} from '../../src/feature-keys/providers/open-store.ts';
import type { FeatureChange, ProviderContext } from '../../src/feature-keys/feature-state.ts';
import { createLog } from '../../src/observe/log.ts';
import { docsExamples } from '../support/feature-docs.ts';
import { freePorts } from '../support/free-ports.ts';
import { PATIENCE_MS, sleep, waitFor } from '../support/wait-for.ts';

const ACCOUNT = 'sip:2001@pbx.example';
const SECRET = 'a secret of the test';
const COMMON = { unknownAccount: 'reject', deadlineMs: PATIENCE_MS } as const;

let folder = '';
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'feature-docs-'));
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await rm(folder, { recursive: true, force: true });
});

function context(): ProviderContext {
  return {
    source: 'api',
    actor: 'test',
    param: null,
    requestId: 'test-1',
    deadlineMs: PATIENCE_MS,
    signal: AbortSignal.timeout(PATIENCE_MS),
    origin: {},
  };
}

async function change(
  store: FeatureStore,
  proposed: FeatureChange['proposed'],
): Promise<FeatureChange> {
  const state = await store.provider.getAll(ACCOUNT, context());
  if (state === undefined) throw new Error('there is no account');
  return { requested: proposed, current: state.CallForwardingAlways, proposed };
}

async function openStore(provider: FeatureProviderConfig): Promise<FeatureStore> {
  const history = { keepMs: 0, file: join(folder, 'history.db') };
  const log = createLog('silent');
  const store = await openFeatureStore({ provider, history }, { log, nowMs: Date.now });
  closers.push(() => store.history.close());
  closers.push(() => store.provider.close());
  return store;
}

test('the receiver keeps what is set, refuses what it does not want, and believes its secret alone', async () => {
  const [code = ''] = await docsExamples('js', '### http');
  const [port = 0] = await freePorts(1);
  await startReceiver(code.replace('8088', String(port)), port);
  const webhook = { kind: 'http', url: `http://127.0.0.1:${port}/dfks`, token: '' } as const;
  const rest = { batch: true, insecure: false, tls: undefined, ...COMMON };
  const store = await openStore({ ...webhook, secrets: [SECRET], ...rest });
  const stranger = await openStore({ ...webhook, secrets: ['another'], ...rest });

  const proposed = { status: true, values: { forwardTo: '2424' } };
  const applied = await store.provider.set(
    ACCOUNT,
    'CallForwardingAlways',
    await change(store, proposed),
    context(),
  );
  const costly = { status: true, values: { forwardTo: '0900123' } };
  const refused = await store.provider.set(
    ACCOUNT,
    'CallForwardingAlways',
    await change(store, costly),
    context(),
  );
  const state = await store.provider.getAll(ACCOUNT, context());

  expect(applied).toMatchObject({ outcome: 'applied', ...proposed });
  expect(refused).toMatchObject({ outcome: 'refused', reason: 'no premium numbers' });
  expect(state?.CallForwardingAlways).toMatchObject(proposed);
  expect(state?.DoNotDisturb).toMatchObject({ status: false, assigned: true });
  await expect(stranger.provider.getAll(ACCOUNT, context())).rejects.toThrow(/./);
});

test('the module reads and writes its directory, knows what it does not, and tells of changes', async () => {
  const [code = ''] = await docsExamples('ts', '### module');
  const path = join(folder, 'directory-provider.ts');
  await writeFile(path, code);
  const directory = await openDirectory();
  const { url } = directory;
  const store = await openStore({
    kind: 'module',
    path,
    isolate: true,
    options: { url },
    ...COMMON,
  });
  const changed: string[] = [];
  const stop = store.provider.watch?.((presentity) => void changed.push(presentity));

  const proposed = { status: true, values: { forwardTo: '2424' } };
  const wish = await change(store, proposed);
  const applied = await store.provider.set(ACCOUNT, 'CallForwardingAlways', wish, context());
  const state = await store.provider.getAll(ACCOUNT, context());
  const nobody = await store.provider.getAll('sip:nobody@pbx.example', context());
  directory.refusal = 'not on Sundays';
  const refused = await store.provider.set(ACCOUNT, 'CallForwardingAlways', wish, context());
  directory.changes.push(ACCOUNT);
  await waitFor('change told', () => changed.includes(ACCOUNT));
  stop?.();

  expect(applied).toMatchObject({ outcome: 'applied', ...proposed });
  expect(state?.CallForwardingAlways).toMatchObject(proposed);
  expect(nobody).toBeUndefined();
  expect(refused).toMatchObject({ outcome: 'refused', reason: 'not on Sundays' });
});

/** Runs the example in a process of its own, as a reader would. */
async function startReceiver(code: string, port: number): Promise<void> {
  const file = join(folder, 'receiver.mjs');
  await writeFile(file, code);
  const child: ChildProcess = spawn(process.execPath, [file], {
    stdio: 'ignore',
    env: { DFKS_SECRET: SECRET },
  });
  const ended = once(child, 'close');
  closers.push(() => {
    child.kill('SIGKILL');
    return ended;
  });
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' }).catch(
      () => undefined,
    );
    if (answer !== undefined) return;
    await sleep(50);
  }
  throw new Error('the receiver did not start');
}

interface Directory {
  readonly url: string;
  /** Accounts that somebody else changed; each is told once. */
  readonly changes: string[];
  /** Reason with which every PUT is refused. */
  refusal: string | undefined;
}

/** A directory of one account over HTTP. */
async function openDirectory(): Promise<Directory> {
  const values = new Map<string, string>();
  const directory = { url: '', changes: [] as string[], refusal: undefined as string | undefined };
  const answerTo = (method: string, path: string, body: string): [number, string] => {
    if (path === '/changes') return [200, JSON.stringify(directory.changes.splice(0))];
    if (!path.startsWith(`/${ACCOUNT}/`)) return [404, ''];
    if (method === 'GET') return [200, values.get(path) ?? '{"status":false}'];
    if (directory.refusal !== undefined) return [409, directory.refusal];
    values.set(path, body);
    return [200, ''];
  };
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const [status, text] = answerTo(request.method ?? '', path, body);
      response.writeHead(status).end(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const bound = server.address();
  directory.url = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`;
  return directory;
}
