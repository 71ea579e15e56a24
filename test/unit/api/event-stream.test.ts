import {
  createServer,
  get,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type EventStream, EventStreams, STREAM_LIMITS } from '../../../src/api/event-stream.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Opened {
  readonly streams: EventStreams;
  readonly stream: EventStream;
  readonly answer: IncomingMessage;
  /** What has been read so far; nothing before `read`. */
  readonly text: () => string;
  readonly read: () => void;
  readonly closed: Promise<unknown>;
}

async function open(limits: Partial<typeof STREAM_LIMITS> = {}): Promise<Opened> {
  const streams = new EventStreams({ ...STREAM_LIMITS, ...limits });
  const opened = Promise.withResolvers<EventStream>();
  const closed = Promise.withResolvers<unknown>();
  const server = createServer((_request, response: ServerResponse) => {
    opened.resolve(streams.open(response, () => closed.resolve('closed')));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  const { port } = bound;
  const answer = await new Promise<IncomingMessage>((resolve) => {
    get({ port, host: '127.0.0.1', agent: false }, resolve);
  });
  let text = '';
  const read = (): void => {
    answer.setEncoding('utf8').on('data', (part: string) => (text += part));
    answer.on('error', () => undefined);
  };
  return {
    streams,
    stream: await opened.promise,
    answer,
    text: () => text,
    read,
    closed: closed.promise,
  };
}

test('events have a name and one line of JSON', async () => {
  const { stream, answer, text, read } = await open();
  read();
  stream.send({ name: 'feature-changed', data: { text: 'a\nb' } });
  await expect.poll(text).toBe('retry: 2000\n\nevent: feature-changed\ndata: {"text":"a\\nb"}\n\n');
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  });
});

test('a comment keeps a quiet stream alive', async () => {
  const { text, read } = await open({ heartbeatMs: 5 });
  read();
  await expect.poll(text).toContain(': alive\n\n: alive\n\n');
});

test('a reader that goes away is forgotten', async () => {
  const { streams, answer, closed } = await open();
  expect(streams.size).toBe(1);
  answer.destroy();
  await closed;
  expect(streams.size).toBe(0);
});

test('a reader that does not read is cut off', async () => {
  const { streams, stream, closed } = await open({ maxUnreadBytes: 1024 });
  const data = 'x'.repeat(100_000);
  // The system takes some of it into its own buffers.
  for (let count = 0; count < 1000 && streams.size > 0; count += 1) {
    stream.send({ name: 'feature-changed', data });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  expect(streams.size).toBe(0);
  expect(() => stream.send({ name: 'feature-changed', data })).not.toThrow();
});

test('there is room for so many readers, and for none once closed', async () => {
  const { streams, read, closed } = await open({ maxStreams: 1 });
  expect(streams.hasRoom).toBe(false);
  read();
  streams.close();
  await closed;
  expect([streams.size, streams.hasRoom]).toEqual([0, false]);
});
