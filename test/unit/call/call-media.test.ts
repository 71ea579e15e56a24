import { describe, expect, test } from 'vitest';
import { CallMedia, endCauseOf } from '../../../src/call/call-media.ts';
import { reasonHeader } from '../../../src/call/end-cause.ts';
import type { MediaEngine, MediaFailure, MediaListener } from '../../../src/media/media-engine.ts';
import { createLegCounters } from '../../../src/media/relay-counters.ts';
import { FakeMediaEngine } from '../../support/fake-media-engine.ts';

const PORTS = { realm: 'access', address: '127.0.0.1', portMin: 20_000, portMax: 20_099 };

const SILENT: MediaListener = {
  digitPressed: () => undefined,
  digitReleased: () => undefined,
  digitSent: () => undefined,
  digitDropped: () => undefined,
  inactive: () => undefined,
  lost: () => undefined,
};

function open(engine: MediaEngine, readings: number[] = []): CallMedia {
  const ports = { caller: PORTS, callee: { ...PORTS, realm: 'core' } };
  const onCounters = (counters: readonly unknown[]): void => {
    readings.push(counters.length);
  };
  return new CallMedia({ engine, callId: 'c1', ports, listener: SILENT, onCounters });
}

describe('streams of a call', () => {
  test('are opened once per m-line and keep their ports', async () => {
    const engine = new FakeMediaEngine();
    const media = open(engine);
    await media.open(1);
    const before = media.local('caller');
    await media.open(2);
    await media.open(1);
    expect(engine.opened.map((stream) => stream.streamId)).toEqual(['c1:0', 'c1:1']);
    expect(media.local('caller')[0]).toEqual(before[0]);
    expect(media.local('callee')).toHaveLength(2);
  });

  test.each<[MediaFailure['reason'], string]>([
    ['no-ports', 'no-ports'],
    ['ports-resting', 'ports-resting'],
    ['ports-taken', 'ports-taken'],
    ['address-unavailable', 'media-address-unavailable'],
    ['no-descriptors', 'no-descriptors'],
    ['worker-lost', 'media-lost'],
    ['engine-down', 'media-engine-down'],
    ['engine-refused', 'media-engine-refused'],
  ])('%s ends the call with %s', async (reason, cause) => {
    const engine = new FakeMediaEngine();
    engine.failure = reason;
    await expect(open(engine).open(1)).resolves.toEqual({ type: 'failed', cause });
  });

  test('count what they had when others cannot be opened in their place', async () => {
    const engine = new FakeMediaEngine();
    const media = open(engine);
    await media.open(2);
    const [audio] = engine.opened;
    if (audio === undefined) throw new Error('nothing is open');
    const caller = { ...createLegCounters(), receivedPackets: 7 };
    audio.close = () => Promise.resolve({ caller, callee: createLegCounters() });
    engine.failure = 'engine-down';
    expect((await media.reopen()).type).toBe('failed');
    const counters = await media.close();
    expect(counters.map((each) => each.caller.receivedPackets)).toEqual([7, 0]);
  });

  test('what the media server says of it is the text of the cause', async () => {
    const engine = new FakeMediaEngine();
    engine.failure = 'engine-refused';
    engine.failureDetail = 'Ran out of ports';
    const opened = await open(engine).open(1);
    if (opened.type !== 'failed') throw new Error('it was opened');
    const cause = endCauseOf(opened);
    expect(cause).toEqual({ name: 'media-engine-refused', by: 'sbc', text: 'Ran out of ports' });
    expect(reasonHeader(cause)).not.toContain('Ran out');
  });

  test('five m-lines are refused before a port is taken', async () => {
    const engine = new FakeMediaEngine();
    await expect(open(engine).open(5)).resolves.toEqual({ type: 'failed', cause: 'bad-sdp' });
    expect(engine.opened).toEqual([]);
  });

  test('a stream that opens after the end of the call is closed at once', async () => {
    const engine = new FakeMediaEngine();
    const media = open(engine);
    const opening = media.open(1);
    await media.close();
    await opening;
    expect(engine.opened.map((stream) => stream.isClosed)).toEqual([true]);
  });

  test('every reading of the counters is reported, the last one at the end', async () => {
    const readings: number[] = [];
    const media = open(new FakeMediaEngine(), readings);
    await media.open(1);
    await media.counters();
    await media.open(2);
    await media.close();
    expect(readings).toEqual([1, 2]);
  });

  test('are closed once', async () => {
    const engine = new FakeMediaEngine();
    const media = open(engine);
    await media.open(2);
    expect(await media.close()).toHaveLength(2);
    expect(await media.close()).toEqual([]);
  });
});

describe('a digit to play', () => {
  const digit = { digitId: 'd1', eventCode: 5, durationMs: 100 };

  test('goes to the m-line that carries digits', async () => {
    const engine = new FakeMediaEngine();
    const media = open(engine);
    await media.open(2);
    media.useForDigits(1);
    expect(media.playDigit('callee', digit)).toBe(true);
    expect(engine.opened.map((stream) => stream.played)).toEqual([
      [],
      [{ to: 'callee', ...digit }],
    ]);
  });

  test('has nowhere to go without a stream or after the end', async () => {
    const media = open(new FakeMediaEngine());
    expect(media.playDigit('callee', digit)).toBe(false);
    await media.open(1);
    await media.close();
    expect(media.playDigit('callee', digit)).toBe(false);
  });
});
