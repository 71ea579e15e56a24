import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import type { ApiBackend, CallView, LiveListener } from '../../../src/api/backend.ts';
import { formatEvent } from '../../../src/api/event-stream.ts';
import type { CallsEvent } from '../../../src/api/live-views.ts';
import { type Api, startApi } from '../../../src/api/server.ts';
import { ApiClient } from '../../../src/cli/api-client.ts';
import { readEvents, type ReceivedEvent } from '../../../src/cli/event-reader.ts';
import { exportLadder } from '../../../src/cli/export-ladder.ts';
import type { CommandResult } from '../../../src/cli/output.ts';
import { showCalls } from '../../../src/cli/show.ts';
import { showWholeCall } from '../../../src/cli/show-call.ts';
import { trace, TracePrinter } from '../../../src/cli/trace.ts';
import type { Ladder, LadderRow } from '../../../src/observe/ladder.ts';
import { createLog } from '../../../src/observe/log.ts';
import { waitFor } from '../../support/wait-for.ts';
import { CALL, ENDED, fakeBackend } from '../api/fake-backend.ts';

/** The engine's own collection, which needs no flag at the start of the process this way. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

/** An SBC with calls and ladders that a test fills, followed by a trace. */
class Followed {
  readonly calls = new Map<string, CallView>();
  readonly ladders = new Map<string, Ladder>();
  readonly listeners = new Set<LiveListener>();
  readonly stop = new AbortController();
  printed = '';
  api: Api | undefined;

  async start(changes: Partial<ApiBackend> = {}): Promise<ApiClient> {
    const backend = fakeBackend({
      getCall: async (callId) => this.calls.get(callId),
      listCalls: ({ number = '' } = {}) =>
        [...this.calls.values()].filter(({ to }) => to.includes(number)),
      ladder: (callId) => this.ladders.get(callId),
      onLiveEvent: (_topics, listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      ...changes,
    });
    const listen = { address: '127.0.0.1', port: 0 };
    this.api = await startApi({ listen, token: '', backend, log: createLog('silent') });
    open.push(this.api);
    return new ApiClient(`http://127.0.0.1:${this.api.port}`);
  }

  /** A call to `to` whose ladder has rows with these summaries. */
  says(callId: string, to: string, ...summaries: readonly string[]): void {
    this.calls.set(callId, { ...CALL, id: callId, to });
    const rows = summaries.map((summary, index): LadderRow => ({
      atMs: 1_000 + index,
      kind: 'decision',
      summary,
    }));
    this.ladders.set(callId, { rows, droppedRows: 0, gapAt: 0, droppedTexts: 0, ends: [] });
  }

  follow(client: ApiClient, what: string): Promise<CommandResult | undefined> {
    const { print } = new TracePrinter({ width: 60 });
    const write = (text: string): void => {
      this.printed += text;
    };
    return trace(client, what, { print, write, signal: this.stop.signal });
  }

  emit(data: Partial<CallsEvent>): void {
    const event: CallsEvent = { changed: [], ended: [], isPartial: false, ...data };
    const text = formatEvent({ name: 'calls', data: event });
    for (const listener of this.listeners)
      listener({ topic: 'calls', name: 'calls', data: event }, text);
  }

  async sees(part: string): Promise<void> {
    await waitFor(part, () => this.printed.includes(part), { details: () => this.printed });
  }

  view(callId: string): CallView {
    return this.calls.get(callId) ?? CALL;
  }
}

const lines = (text: string): string[] =>
  text.split('\n').flatMap((line) => /\[ (.*?) +\]|(call .*)/.exec(line)?.slice(1).join('') ?? []);

describe('trace', () => {
  test('a call is drawn on while it goes on, and its end is the end', async () => {
    const followed = new Followed();
    const client = await followed.start();
    followed.says('c1', '111', 'one');
    const done = followed.follow(client, 'c1');
    await followed.sees('one');
    followed.says('c1', '111', 'one', 'two');
    followed.says('c2', '111', 'other');
    followed.emit({ changed: [followed.view('c1'), followed.view('c2')] });
    await followed.sees('two');
    followed.says('c1', '111', 'one', 'two', 'three');
    followed.emit({ ended: ['c1'] });
    await followed.sees('three');
    followed.says('c1', '111', 'one', 'two', 'three', 'late');
    expect(await done).toBeUndefined();
    const [time] = followed.printed.match(/\+\d\.\d{3} .*three/) ?? [];
    expect(time).toContain('+0.002');
    expect(lines(followed.printed)).toEqual([
      'call c1',
      'decision: one',
      'decision: two',
      'decision: three',
      'decision: late',
    ]);
  });

  test('events that are read late are still there after a collection of garbage', async () => {
    const followed = new Followed();
    const client = await followed.start();
    const events = await client.listen('/api/v1/events?topics=calls', followed.stop.signal);
    if (events.type !== 'answer') throw new Error(events.message);
    // The Response is nobody's any more; fetch ends the body of one that is collected before it is read.
    for (let round = 0; round < 5; round++) {
      collectGarbage();
      await sleep(20);
    }
    followed.emit({ ended: ['c1'] });
    for await (const { name } of events.value) {
      expect(name).toBe('calls');
      return;
    }
    expect.unreachable('the stream has ended');
  });

  test('a call that has ended is drawn, and that is all', async () => {
    const followed = new Followed();
    const client = await followed.start();
    followed.says('c0', '111', 'one', 'two');
    followed.calls.set('c0', { ...ENDED, id: 'c0' });
    expect(await followed.follow(client, 'c0')).toBeUndefined();
    expect(lines(followed.printed)).toEqual(['call c0', 'decision: one', 'decision: two']);
  });

  test('a number means every call to it, those to come as well', async () => {
    const followed = new Followed();
    const client = await followed.start();
    followed.says('c1', '77123', 'one');
    const done = followed.follow(client, '7712');
    await followed.sees('one');
    followed.says('c2', '77123', 'two');
    followed.says('c3', '999', 'other');
    followed.emit({ changed: [followed.view('c2'), followed.view('c3')] });
    await followed.sees('two');
    followed.says('c4', '77123', 'refused');
    followed.emit({ ended: ['c1', 'c3', 'c4'] });
    await followed.sees('refused');
    followed.says('c2', '77123', 'two', 'three');
    followed.emit({ changed: [followed.view('c2')] });
    await followed.sees('three');
    followed.stop.abort();
    expect(await done).toBeUndefined();
    expect(lines(followed.printed)).toEqual([
      'call c1',
      'decision: one',
      'call c2',
      'decision: two',
      'call c4',
      'decision: refused',
      'call c2',
      'decision: three',
    ]);
  });

  test('where an event has no room for all, what is followed is looked at anyway', async () => {
    const followed = new Followed();
    const client = await followed.start();
    followed.says('c1', '77123', 'one');
    const done = followed.follow(client, '7712');
    await followed.sees('one');
    followed.says('c1', '77123', 'one', 'two');
    followed.says('c2', '77123', 'new');
    followed.emit({ isPartial: true });
    await followed.sees('two');
    await followed.sees('new');
    followed.stop.abort();
    expect(await done).toBeUndefined();
  });

  test('rows that the bound has taken are not missed', async () => {
    const followed = new Followed();
    const client = await followed.start();
    followed.says('c1', '1', 'a', 'b', 'c');
    const done = followed.follow(client, 'c1');
    await followed.sees('decision: c');
    followed.says('c1', '1', 'a', 'c', 'd');
    const ladder = followed.ladders.get('c1');
    if (ladder !== undefined) followed.ladders.set('c1', { ...ladder, droppedRows: 1, gapAt: 1 });
    followed.emit({ ended: ['c1'] });
    await done;
    expect(lines(followed.printed).filter((line) => line.includes('decision'))).toHaveLength(4);
  });

  test('an SBC that goes away, or is not there, is exit status 3', async () => {
    const followed = new Followed();
    const client = await followed.start();
    const done = followed.follow(client, '7712');
    await waitFor('listener', () => followed.listeners.size > 0);
    await followed.api?.close();
    expect(await done).toMatchObject({ exitCode: 3 });
    expect(await followed.follow(client, '7712')).toMatchObject({ exitCode: 3 });
  });
});

describe('show', () => {
  test('the calls that have ended', async () => {
    const asked: unknown[] = [];
    const client = await new Followed().start({
      listCalls: (filter) => {
        asked.push({ ...filter });
        return [ENDED];
      },
    });
    const filter = { ended: true, agent: 'carrier', number: '555', limit: '10' };
    const { text } = await showCalls(client, 0, filter);
    expect(asked).toEqual([{ state: 'ended', agent: 'carrier', number: '555', limit: 10 }]);
    expect(text).toBe(
      'CALL  STARTED                   LASTED  FROM     TO       CALLER          CALLEE   END                      DIGITS\n' +
        'c0    2026-01-01T00:00:00.000Z  0:09    4930111  5551000  127.0.0.1:5070  carrier  hang-up (200) by caller  1/2\n',
    );
  });

  test.each([
    ['call.pcap', /^\xd4\xc3\xb2\xa1/],
    ['call.mmd', /^sequenceDiagram\n/],
    ['call.json', /^\{\n {2}"callId": "c1"/],
    ['call.txt', /^ +caller +sbc +callee\n/],
  ])('the ladder in %s', async (name, start) => {
    const folder = await mkdtemp(join(tmpdir(), 'ladder-'));
    open.push({ close: () => rm(folder, { recursive: true }) });
    const client = await new Followed().start(fakeBackend());
    const file = join(folder, name);
    expect(await exportLadder(client, 'c1', file)).toMatchObject({
      exitCode: 0,
      json: { rows: 2 },
    });
    expect(await readFile(file, 'latin1')).toMatch(start);
    const nowhere = join(folder, 'missing', name);
    expect(await exportLadder(client, 'c1', nowhere)).toMatchObject({
      exitCode: 1,
      json: { error: 'not-written' },
    });
    expect(await exportLadder(client, 'unknown', file)).toMatchObject({ exitCode: 1 });
  });

  test('everything about a call', async () => {
    const client = await new Followed().start(fakeBackend());
    const { exitCode, text, json } = await showWholeCall(client, 'c1', {});
    expect(exitCode).toBe(0);
    const parts = ['call c1: answered', 'policy: access/*', 'offer of the caller (K5): reason'];
    for (const part of [...parts, 'caller-to-callee', '[ decision: K5']) {
      expect(text).toContain(part);
    }
    expect(json).toMatchObject({ call: { id: 'c1' }, digits: [{}], ladder: { callId: 'c1' } });
    expect(await showWholeCall(client, 'unknown', {})).toMatchObject({ exitCode: 1 });
  });
});

test.each<[string, readonly string[], readonly ReceivedEvent[]]>([
  ['an event', ['event: a\ndata: 1\n\n'], [{ name: 'a', data: '1' }]],
  ['in pieces', ['eve', 'nt: a\nda', 'ta: ü\n', '\n'], [{ name: 'a', data: 'ü' }]],
  [
    'comments and other fields',
    [': alive\n\nretry: 5\n\nevent:a\nid: 1\ndata:x\n\n'],
    [{ name: 'a', data: 'x' }],
  ],
  ['several lines of data', ['data: a\ndata: b: c\n\n'], [{ name: 'message', data: 'a\nb: c' }]],
  ['the end is missing', ['event: a\ndata: 1\n'], []],
])('reads events: %s', async (_name, pieces, expected) => {
  const bytes = Buffer.from(pieces.join(''));
  const cut = pieces[0]?.length ?? 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    // Cut inside a character as well: at an odd byte behind the first piece.
    yield bytes.subarray(0, cut);
    for (const byte of bytes.subarray(cut)) yield Uint8Array.of(byte);
  }
  const events: ReceivedEvent[] = [];
  for await (const event of readEvents(body())) events.push(event);
  expect(events).toEqual(expected);
});
