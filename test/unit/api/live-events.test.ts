import { afterEach, expect, test } from 'vitest';
import type { ApiBackend, LiveListener } from '../../../src/api/backend.ts';
import { type Api, startApi } from '../../../src/api/server.ts';
import { createLog } from '../../../src/observe/log.ts';
import { SseReader } from '../../support/sse-reader.ts';
import { waitFor } from '../../support/wait-for.ts';
import { fakeBackend, POINT } from './fake-backend.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

/** An API whose backend notes who listens to what. */
async function start(changes: Partial<ApiBackend> = {}) {
  const listeners = new Map<LiveListener, readonly string[]>();
  const readers = { features: 0 };
  const backend = fakeBackend({
    onLiveEvent: (topics, listener) => {
      listeners.set(listener, topics);
      return () => listeners.delete(listener);
    },
    onFeatureEvent: () => {
      readers.features += 1;
      return () => {
        readers.features -= 1;
      };
    },
    ...changes,
  });
  const listen = { address: '127.0.0.1', port: 0 };
  const api: Api = await startApi({ listen, token: '', backend, log: createLog('silent') });
  open.push(api);
  const read = async (query: string): Promise<SseReader> => {
    const reader = await SseReader.open(`http://127.0.0.1:${api.port}/api/v1/events${query}`);
    open.push(reader);
    return reader;
  };
  return { listeners, readers, read };
}

test.each<[string, readonly string[] | undefined, number]>([
  ['', undefined, 1],
  ['?topics=features', undefined, 1],
  ['?topics=calls', ['calls'], 0],
  ['?topics=series,agents,calls', ['calls', 'agents', 'series'], 0],
  ['?topics=digits,features', ['digits'], 1],
])('%s', async (query, topics, features) => {
  const { listeners, readers, read } = await start();
  // The account portal listens as well.
  const others = readers.features;
  const reader = await read(query);
  expect([...listeners.values()]).toEqual(topics === undefined ? [] : [topics]);
  expect(readers.features - others).toBe(features);
  reader.close();
  await waitFor('nobody listens', () => listeners.size === 0 && readers.features === others);
});

test.each(['?topics=', '?topics=calls,weather', '?topics=Calls', '?topics=calls&topics=agents'])(
  '%s is refused',
  async (query) => {
    const { read } = await start();
    await expect(read(query)).rejects.toThrow('answered 400');
  },
);

test('what the backend says is what the reader gets', async () => {
  const { listeners, read } = await start();
  const reader = await read('?topics=series');
  const text = `event: point\ndata: ${JSON.stringify(POINT)}\n\n`;
  for (const listener of listeners.keys()) {
    listener({ topic: 'series', name: 'point', data: POINT }, text);
  }
  expect(await reader.waitFor('point')).toEqual({ name: 'point', data: POINT });
});

test('a drain ends the streams of feature keys alone, which phones may take elsewhere', async () => {
  const draining: (() => void)[] = [];
  const { read } = await start({
    onDraining: (listener) => {
      draining.push(listener);
      return () => undefined;
    },
  });
  const features = await read('');
  const calls = await read('?topics=calls');
  for (const listener of draining) listener();
  await waitFor('end of the stream of feature keys', () => features.isEnded);
  expect(calls.isEnded).toBe(false);
});

test('while draining the console is served, a new stream of feature keys is not', async () => {
  const { read } = await start({ isDraining: true });
  await expect(read('')).rejects.toThrow('answered 503');
  expect((await read('?topics=calls,features')).isEnded).toBe(false);
});
