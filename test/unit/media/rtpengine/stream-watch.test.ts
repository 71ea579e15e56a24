import { expect, test } from 'vitest';
import type { EngineView, LegView } from '../../../../src/media/rtpengine/engine-view.ts';
import { StreamWatch } from '../../../../src/media/rtpengine/stream-watch.ts';
import type { MediaObservation, StreamUpdate } from '../../../../src/media/media-engine.ts';
import { RecordingListener, sampleLeg, sampleUpdate } from '../media-samples.ts';

const LIMITS = { inactivityTimeoutMs: 10_000, holdTimeoutMs: 60_000 };
/** rtpengine's host is an hour ahead. */
const LEAD_MS = 3_600_000;

const TALK = sampleUpdate(sampleLeg(4000), sampleLeg(5000));
const HELD = sampleUpdate(sampleLeg(4000, { maySend: false }), sampleLeg(5000));

class Watcher extends RecordingListener {
  readonly news: MediaObservation[] = [];
  readonly watch = new StreamWatch(LIMITS, this);
  readonly #packets = { caller: 0, callee: 0 };
  readonly #lastAtMs: { caller?: number; callee?: number } = {};

  observed(observation: MediaObservation): void {
    this.news.push(observation);
  }

  /** A second with packets of `sides`, then a look. */
  second(atMs: number, sides: readonly ('caller' | 'callee')[], update: StreamUpdate = TALK): void {
    for (const side of sides) {
      this.#packets[side] += 50;
      this.#lastAtMs[side] = Math.trunc((atMs + LEAD_MS) / 1000) * 1000;
    }
    const leg = (side: 'caller' | 'callee', port: number): LegView => ({
      packets: this.#packets[side],
      bytes: 0,
      errors: 0,
      rtcpPackets: 0,
      ssrc: 1,
      lastPacketAtMs: this.#lastAtMs[side],
      source: this.#packets[side] > 0 ? `127.0.0.1:${port}` : undefined,
    });
    const view: EngineView = { caller: leg('caller', 4000), callee: leg('callee', 5999) };
    this.watch.seen(view, atMs);
    this.watch.looked(view, update, atMs);
  }
}

test('sources are told once, and named learnt when SDP says another', () => {
  const watcher = new Watcher();
  watcher.second(0, []);
  watcher.second(1000, ['caller', 'callee']);
  watcher.second(2000, ['caller', 'callee']);
  expect(watcher.news).toEqual([
    { type: 'heard', side: 'caller', source: '127.0.0.1:4000' },
    { type: 'learnt', side: 'callee', source: '127.0.0.1:5999' },
  ]);
});

test('one way is told after some seconds and when it is over, and counted', () => {
  const watcher = new Watcher();
  for (let second = 1; second <= 6; second += 1) watcher.second(second * 1000, ['caller']);
  watcher.second(7000, ['caller', 'callee']);
  const types = watcher.news.map(({ type }) => type);
  expect(types.filter((type) => type.endsWith('way') || type === 'both-ways')).toEqual([
    'one-way',
    'both-ways',
  ]);
  expect(watcher.watch.counts('caller', 7000).oneWayMs).toBe(5000);
});

test.each([
  ['talking', TALK, 10_000],
  ['on hold', HELD, 60_000],
])('silence of both while %s is told once a spell', (_name, update, limitMs) => {
  const watcher = new Watcher();
  watcher.second(0, ['caller', 'callee'], update);
  watcher.second(limitMs - 1000, [], update);
  expect(watcher.quietMs).toEqual([]);
  watcher.second(limitMs, [], update);
  watcher.second(limitMs + 1000, [], update);
  expect(watcher.quietMs).toEqual([limitMs]);
  watcher.second(limitMs + 2000, ['callee'], update);
  watcher.second(2 * limitMs + 2000, [], update);
  expect(watcher.quietMs).toHaveLength(2);
});

test('nothing is told before anything was agreed', () => {
  const listener = new RecordingListener();
  const watch = new StreamWatch(LIMITS, listener);
  const leg = {
    packets: 0,
    bytes: 0,
    errors: 0,
    rtcpPackets: 0,
    ssrc: undefined,
    lastPacketAtMs: undefined,
    source: undefined,
  };
  watch.seen({ caller: leg, callee: leg }, 0);
  watch.looked({ caller: leg, callee: leg }, undefined, 1_000_000);
  expect(listener.quietMs).toEqual([]);
});

test('a side talks while its last packet is at most two seconds old by the clock of rtpengine', () => {
  const watcher = new Watcher();
  watcher.second(0, []);
  expect(watcher.watch.isTalking('caller', 0)).toBe(false);
  watcher.second(1000, ['caller']);
  expect(watcher.watch.isTalking('caller', 1500)).toBe(true);
  expect(watcher.watch.isTalking('callee', 1500)).toBe(false);
  expect(watcher.watch.isTalking('caller', 4000)).toBe(false);
});
