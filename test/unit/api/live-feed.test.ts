import { afterEach, describe, expect, test } from 'vitest';
import type { AgentView, CallView } from '../../../src/api/backend.ts';
import { Coalescer } from '../../../src/api/coalescer.ts';
import { LiveFeed } from '../../../src/api/live-feed.ts';
import { liveEventSchemas } from '../../../src/api/live-schemas.ts';
import type { LiveEvent, LiveTopic } from '../../../src/api/live-views.ts';
import type { DigitRecord } from '../../../src/observe/digit-ledger.ts';
import { sleep, waitFor } from '../../support/wait-for.ts';
import { AGENT, CALL, fakeBackend, POINT } from './fake-backend.ts';

const LIMITS = { intervalMs: 20, views: 3, agentIntervalMs: 10 };
const DIGITS = fakeBackend().listDigits();

/** Sources that a test moves by hand. */
class Sources {
  readonly calls = new Map<string, CallView>();
  readonly digits = new Map<string, DigitRecord>();
  agent: AgentView = AGENT;
  readonly callWatchers = new Set<(callId: string) => void>();
  readonly digitWatchers = new Set<(pressId: string) => void>();
  /** How often anything was asked for. */
  asked = 0;

  watchCalls(listener: (callId: string) => void): () => void {
    this.callWatchers.add(listener);
    return () => this.callWatchers.delete(listener);
  }

  watchDigits(listener: (pressId: string) => void): () => void {
    this.digitWatchers.add(listener);
    return () => this.digitWatchers.delete(listener);
  }

  changed(callId: string, state = 'answered'): void {
    this.calls.set(callId, { ...CALL, id: callId, state });
    for (const watcher of this.callWatchers) watcher(callId);
  }
}

const open: LiveFeed[] = [];

afterEach(() => {
  for (const feed of open.splice(0)) feed.close();
});

function start(...topics: LiveTopic[]) {
  const sources = new Sources();
  const ask = <T>(value: T): T => {
    sources.asked += 1;
    return value;
  };
  const feed = new LiveFeed(
    {
      watchCalls: (listener) => sources.watchCalls(listener),
      call: (callId) => ask(sources.calls.get(callId)),
      watchDigits: (listener) => sources.watchDigits(listener),
      digit: (pressId) => ask(sources.digits.get(pressId)),
      agents: () => ask([sources.agent]),
    },
    LIMITS,
  );
  open.push(feed);
  const events: LiveEvent[] = [];
  const texts: string[] = [];
  const listen = (wanted: readonly LiveTopic[]) =>
    feed.watch(wanted, (event, text) => {
      events.push(event);
      texts.push(text);
    });
  const stop = topics.length === 0 ? () => undefined : listen(topics);
  const next = async (count = 1): Promise<LiveEvent[]> => {
    await waitFor('events', () => events.length >= count);
    return events;
  };
  return { sources, feed, events, texts, listen, stop, next };
}

describe('calls', () => {
  test('many changes of a call are one event with the call as it is then', async () => {
    const { sources, next, events } = start('calls');
    sources.changed('a', 'setup');
    sources.changed('b');
    sources.changed('a');
    await next();
    expect(events).toMatchObject([
      {
        name: 'calls',
        data: {
          changed: [{ id: 'a', state: 'answered' }, { id: 'b' }],
          ended: [],
          isPartial: false,
        },
      },
    ]);
    sources.changed('c');
    await next(2);
    expect(events[1]).toMatchObject({ data: { changed: [{ id: 'c' }] } });
  });

  test('a call that ends is named, and is not among the changed ones', async () => {
    const { sources, feed, next } = start('calls');
    sources.changed('a');
    sources.changed('b');
    feed.callEnded('a');
    expect((await next())[0]).toMatchObject({
      data: { changed: [{ id: 'b' }], ended: ['a'], isPartial: false },
    });
  });

  test('more than fits is said to be partial', async () => {
    const { sources, feed, next } = start('calls');
    for (const callId of ['a', 'b', 'c', 'd', 'e']) sources.changed(callId);
    expect((await next())[0]).toMatchObject({
      data: { changed: [{ id: 'a' }, { id: 'b' }, { id: 'c' }], isPartial: true },
    });
    for (const callId of ['a', 'b', 'c', 'd', 'e']) feed.callEnded(callId);
    expect((await next(2))[1]).toMatchObject({
      data: { changed: [], ended: ['a', 'b', 'c'], isPartial: true },
    });
  });
});

test('digits come as they are then, lost ones included', async () => {
  const { sources, next } = start('digits');
  for (const record of DIGITS) {
    sources.digits.set(record.pressId, record);
    for (const watcher of sources.digitWatchers) watcher(record.pressId);
  }
  expect((await next())[0]).toEqual({
    topic: 'digits',
    name: 'digits',
    data: { records: DIGITS, isPartial: false },
  });
});

test('an agent that has changed comes once', async () => {
  const { sources, next, events } = start('agents');
  await sleep(5 * LIMITS.agentIntervalMs);
  expect(events).toEqual([]);
  sources.agent = { ...AGENT, state: 'locked' };
  await next();
  await sleep(5 * LIMITS.agentIntervalMs);
  expect(events).toMatchObject([{ name: 'agent', data: { state: 'locked' } }]);
});

test('every event fits its schema and is written once for all who listen', async () => {
  const { sources, feed, listen, texts, next, events } = start(
    'calls',
    'agents',
    'digits',
    'series',
  );
  listen(['series']);
  feed.pointAdded(POINT);
  expect(texts).toEqual([texts[0], texts[0]]);
  expect(texts[0]).toBe(`event: point\ndata: ${JSON.stringify(POINT)}\n\n`);
  sources.changed('a');
  sources.agent = { ...AGENT, state: 'locked' };
  for (const record of DIGITS) sources.digits.set(record.pressId, record);
  for (const watcher of sources.digitWatchers) watcher('p1');
  await next(5);
  for (const { name, data } of events) {
    expect(liveEventSchemas[name].safeParse(data)).toMatchObject({ success: true });
  }
  expect(new Set(events.map(({ name }) => name)).size).toBe(4);
});

test('without listeners nothing is watched, asked or kept', async () => {
  const { sources, feed, listen, events } = start();
  const stop = listen(['calls', 'digits', 'agents']);
  const other = listen(['calls']);
  sources.changed('a');
  stop();
  expect([sources.callWatchers.size, sources.digitWatchers.size]).toEqual([1, 0]);
  other();
  expect(sources.callWatchers.size).toBe(0);
  const { asked } = sources;
  feed.callEnded('a');
  feed.pointAdded(POINT);
  await sleep(3 * LIMITS.intervalMs);
  expect([events, sources.asked]).toEqual([[], asked]);
  listen(['calls']);
  sources.changed('b');
  await waitFor('event', () => events.length > 0);
  expect(events).toMatchObject([{ data: { changed: [{ id: 'b' }], ended: [] } }]);
});

test('a coalescer that is stopped forgets what it has', async () => {
  const flushed: unknown[] = [];
  const coalescer = new Coalescer({ intervalMs: 5, limit: 2 }, (...batch) => flushed.push(batch));
  coalescer.add('a');
  coalescer.stop();
  await sleep(20);
  coalescer.add('b');
  await waitFor('flush', () => flushed.length > 0);
  expect(flushed).toEqual([[['b'], false]]);
});
