import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EngineThread, EngineThreadListener } from '../../../src/engine/engine-thread.ts';
import type {
  EngineChange,
  EngineProblem,
  NamedEngineOptions,
} from '../../../src/engine/engine-protocol.ts';
import { superviseEngines } from '../../../src/engine/engine-supervisor.ts';

const ENGINES: readonly NamedEngineOptions[] = [
  {
    name: 'access',
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
    admin: { host: '127.0.0.1', port: 0 },
    secret: 's',
  },
];

/** Threads that do nothing but be there; they are crashed by hand. */
class FakeThreads {
  readonly log: string[] = [];
  readonly wanted: NamedEngineOptions[][] = [];
  /** So many further starts fail. */
  failures = 0;
  /** The thread of the last failed start ends. */
  endOfFailed = (): void => undefined;
  #listener: EngineThreadListener = {};

  readonly start = (
    engines: readonly NamedEngineOptions[],
    listener: EngineThreadListener = {},
  ): Promise<EngineThread> => {
    this.wanted.push([...engines]);
    if (this.failures > 0) {
      this.failures -= 1;
      this.endOfFailed = () => listener.onLost?.('engine thread ended with code 0');
      return Promise.reject(new Error('port in use'));
    }
    this.#listener = listener;
    return Promise.resolve({
      engines: engines.map(({ name, listen }) => ({
        name,
        adminPort: 9022,
        listenPoints: listen.map((point) => ({ ...point, port: 5060 })),
      })),
      setKnownPeers: (name, networks) => this.log.push(`${name} knows ${networks.join(',')}`),
      paceCalls: ({ callsPerSecond }) => this.log.push(`${callsPerSecond} calls a second`),
      prepare: (wanted) => Promise.resolve(this.#prepare(wanted)),
      close: () => Promise.resolve(void this.log.push('closed')),
    });
  };

  #prepare(wanted: readonly NamedEngineOptions[]): EngineChange {
    const settled = Promise.resolve();
    return {
      type: 'prepared',
      engines: wanted.map(({ name, listen }) => ({ name, adminPort: 9023, listenPoints: listen })),
      commit: () => {
        this.log.push(`committed ${wanted.map(({ name }) => name).join(',')}`);
        return { isCommitted: true, settled };
      },
      rollback: () => settled,
    };
  }

  crash(): void {
    this.#listener.onLost?.('out of memory');
  }
}

async function supervised(): Promise<{ threads: FakeThreads; thread: EngineThread }> {
  const threads = new FakeThreads();
  const thread = await superviseEngines(
    ENGINES,
    {
      onCrashed: (reason) => threads.log.push(`crashed: ${reason}`),
      onRestarted: () => threads.log.push('restarted'),
      onLost: (reason) => threads.log.push(`lost: ${reason}`),
    },
    threads.start,
  );
  return { threads, thread };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers are left`);
});

test('a crashed thread is followed by one on the same ports that knows the same peers', async () => {
  const { threads, thread } = await supervised();
  thread.setKnownPeers('access', ['192.0.2.1']);
  threads.crash();
  await vi.advanceTimersByTimeAsync(0);
  expect(threads.log).toEqual([
    'access knows 192.0.2.1',
    'crashed: out of memory',
    'access knows 192.0.2.1',
    'restarted',
  ]);
  expect(threads.wanted[1]).toEqual([
    {
      ...ENGINES[0],
      listen: [{ protocol: 'udp', address: '127.0.0.1', port: 5060 }],
      admin: { host: '127.0.0.1', port: 9022 },
      knownPeers: ['192.0.2.1'],
    },
  ]);
});

test('a new thread keeps the pace of new calls that was set last', async () => {
  const { threads, thread } = await supervised();
  thread.paceCalls({ callsPerSecond: 7, lateMs: 250 });
  threads.crash();
  thread.paceCalls({ callsPerSecond: 3, lateMs: 250 });
  await vi.advanceTimersByTimeAsync(0);
  expect(threads.log).toEqual([
    '7 calls a second',
    'crashed: out of memory',
    '3 calls a second',
    'restarted',
  ]);
});

test('a start that fails is tried again', async () => {
  const { threads } = await supervised();
  threads.failures = 2;
  threads.crash();
  await vi.advanceTimersByTimeAsync(1000);
  expect(threads.wanted).toHaveLength(4);
  expect(threads.log).toEqual(['crashed: out of memory', 'restarted']);
});

test('the late end of a thread that could not start does not touch its successor', async () => {
  const { threads } = await supervised();
  threads.failures = 1;
  threads.crash();
  await vi.advanceTimersByTimeAsync(1000);
  threads.endOfFailed();
  await vi.advanceTimersByTimeAsync(1000);
  expect(threads.wanted).toHaveLength(3);
  expect(threads.log).toEqual(['crashed: out of memory', 'restarted']);
});

test('after too many failures the owner is told that there will be none', async () => {
  const { threads } = await supervised();
  threads.failures = 1000;
  threads.crash();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(threads.log).toEqual(['crashed: out of memory', 'lost: port in use']);
});

test('closing while a thread is awaited starts none', async () => {
  const { threads, thread } = await supervised();
  threads.crash();
  await thread.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(threads.wanted).toHaveLength(1);
});

test('a thread that starts while its supervisor is closed is closed too', async () => {
  const { threads, thread } = await supervised();
  threads.crash();
  vi.advanceTimersByTime(0);
  await thread.close();
  expect(threads.log).toEqual(['crashed: out of memory', 'closed']);
});

test('a first start that fails is the failure of the whole', async () => {
  const threads = new FakeThreads();
  threads.failures = 1;
  await expect(superviseEngines(ENGINES, {}, threads.start)).rejects.toThrow('port in use');
});

const CHANGED: readonly NamedEngineOptions[] = [
  {
    name: 'phones',
    listen: [{ protocol: 'udp', address: '127.0.0.1', port: 5070 }],
    admin: { host: '127.0.0.1', port: 0 },
    secret: 's',
  },
];

async function prepared(thread: EngineThread): Promise<EngineChange> {
  const change: EngineChange | EngineProblem = await thread.prepare(CHANGED);
  if (change.type === 'problem') throw new Error(change.reason);
  return change;
}

test('behind a change a crashed thread is followed by one with the changed engines', async () => {
  const { threads, thread } = await supervised();
  thread.setKnownPeers('access', ['192.0.2.1']);
  const change = await prepared(thread);
  change.commit();
  expect(thread.engines).toEqual(change.engines);
  threads.crash();
  await vi.advanceTimersByTimeAsync(0);
  expect(threads.wanted[1]).toEqual([
    { ...CHANGED[0], admin: { host: '127.0.0.1', port: 9023 }, knownPeers: [] },
  ]);
  expect(threads.log).not.toContain('phones knows 192.0.2.1');
});

test('a change that is not committed changes nothing', async () => {
  const { threads, thread } = await supervised();
  const change = await prepared(thread);
  await change.rollback();
  threads.crash();
  await vi.advanceTimersByTimeAsync(0);
  expect(threads.wanted[1]?.map(({ name }) => name)).toEqual(['access']);
});

test('a change cannot be committed to another thread than it was prepared in', async () => {
  const { threads, thread } = await supervised();
  const change = await prepared(thread);
  threads.crash();
  await vi.advanceTimersByTimeAsync(0);
  expect(change.commit().isCommitted).toBe(false);
  expect(thread.engines.map(({ name }) => name)).toEqual(['access']);
  expect(threads.log).not.toContain('committed phones');
});

test('while a thread is missing no change can be prepared', async () => {
  const { threads, thread } = await supervised();
  threads.crash();
  expect(await thread.prepare(CHANGED)).toMatchObject({
    type: 'problem',
    part: { type: 'engine' },
    reason: 'the SIP engine is being restarted',
  });
  await vi.advanceTimersByTimeAsync(0);
});
