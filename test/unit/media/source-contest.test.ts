/** Whom a leg takes for its peer when several sources send to it, or one that stops. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CANDIDATE_QUIET_MS } from '../../../src/media/source-contest.ts';
import { type PacketSource, SourceLock } from '../../../src/media/source-lock.ts';

const REMOTE = { address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 };
const SIGNALLING = '198.51.100.7';
const PEER = { address: SIGNALLING, port: 61_000 };
const OTHER_PORT = { address: SIGNALLING, port: 61_002 };
const STRANGER = { address: '203.0.113.9', port: 4000 };
const MEDIA_SERVER = { address: '203.0.113.44', port: 7000 };
const FRAME_MS = 20;
/** As source-lock.ts says. */
const HEARD_WITHIN_MS = 1500;

const SDP_MEDIA = { remote: REMOTE, mediaSource: 'learn-once', signalledFrom: SIGNALLING } as const;

function createLock(): SourceLock {
  const lock = new SourceLock();
  lock.update(SDP_MEDIA);
  return lock;
}

/** Sends one packet each `everyMs` from `fromMs` on; when the first was heard behind which all are. */
function heardAtMs(
  lock: SourceLock,
  source: PacketSource,
  { fromMs, everyMs = FRAME_MS }: { readonly fromMs: number; readonly everyMs?: number },
): number | undefined {
  let heardMs: number | undefined;
  for (let atMs = fromMs; atMs <= fromMs + 5000; atMs += everyMs) {
    if (!lock.acceptRtp(source, atMs)) heardMs = undefined;
    else heardMs ??= atMs;
  }
  return heardMs;
}

describe('a peer is heard', () => {
  test.each<
    [name: string, before: PacketSource, packets: number, peer: PacketSource, pauseMs: number]
  >([
    ['from another port at once', OTHER_PORT, 2, PEER, 0],
    ['from another port after a pause', OTHER_PORT, 4, PEER, 10_000],
    ['behind a burst from another port', OTHER_PORT, 20, PEER, 60],
    ['behind one packet of a stranger', STRANGER, 1, MEDIA_SERVER, 500],
    ['behind a likelier source that has stopped', PEER, 4, MEDIA_SERVER, 500],
  ])('%s', (...[, before, packets, peer, pauseMs]) => {
    const lock = createLock();
    for (let index = 0; index < packets; index++) lock.acceptRtp(before, index);
    const fromMs = packets + pauseMs;
    expect(heardAtMs(lock, peer, { fromMs })).toBeLessThan(fromMs + HEARD_WITHIN_MS);
    expect(lock.rtpDestination).toEqual(peer);
  });

  test('that pauses between its first packets for longer than others are remembered', () => {
    const lock = createLock();
    const everyMs = 2 * CANDIDATE_QUIET_MS;
    expect(heardAtMs(lock, PEER, { fromMs: 0, everyMs })).toBe(0);
    lock.acceptRtp(PEER, 9000);
    lock.acceptRtp(PEER, 11_000);
    expect(lock.locked?.source).toEqual(PEER);
  });

  test('when the same SDP comes again behind a source that has stopped', () => {
    const lock = createLock();
    for (let index = 0; index < 4; index++) lock.acceptRtp(PEER, index);
    lock.update(SDP_MEDIA);
    const heardMs = heardAtMs(lock, MEDIA_SERVER, { fromMs: 0 });
    expect(heardMs).toBeLessThanOrEqual(HEARD_WITHIN_MS);
  });
});

test('a likelier source that is quiet for less than that keeps its place', () => {
  const lock = createLock();
  lock.acceptRtp(PEER, 0);
  expect(lock.acceptRtp(STRANGER, CANDIDATE_QUIET_MS - 1)).toBe(false);
  expect(lock.acceptRtp(STRANGER, CANDIDATE_QUIET_MS)).toBe(true);
});

const ADDRESSES = ['192.0.2.1', SIGNALLING, '203.0.113.9', '203.0.113.44'];
const anySource = fc.record({
  address: fc.constantFrom(...ADDRESSES),
  port: fc.integer({ min: 5000, max: 5006 }),
});
const anyStepMs = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 400 }));
const anyPast = fc.array(fc.record({ source: anySource, stepMs: anyStepMs }), { maxLength: 80 });

test('a peer that keeps sending from one place is heard, whatever came before a source was believed', () => {
  fc.assert(
    fc.property(anyPast, anySource, (past, peer) => {
      const lock = createLock();
      let nowMs = 0;
      for (const { source, stepMs } of past) {
        nowMs += stepMs;
        lock.acceptRtp(source, nowMs);
        if (lock.isLocked) return;
      }
      const heardMs = heardAtMs(lock, peer, { fromMs: nowMs });
      expect(heardMs).toBeLessThanOrEqual(nowMs + HEARD_WITHIN_MS);
    }),
  );
});

test('who sends less than the peer is not believed once the peer talks, however early it began', () => {
  const everyOther = fc.record({
    everyMs: fc.integer({ min: 25, max: 400 }),
    port: fc.integer({ min: 5000, max: 5002 }),
    headStartMs: fc.integer({ min: 0, max: 280 }),
  });
  fc.assert(
    fc.property(everyOther, ({ everyMs, port, headStartMs }) => {
      const lock = createLock();
      const rival = { ...STRANGER, port };
      let nextRivalMs = 0;
      for (let atMs = 0; atMs <= 5000; atMs += 1) {
        if (atMs >= nextRivalMs) {
          lock.acceptRtp(rival, atMs);
          nextRivalMs += everyMs;
        }
        if (atMs >= headStartMs && (atMs - headStartMs) % FRAME_MS === 0) {
          lock.acceptRtp(MEDIA_SERVER, atMs);
        }
      }
      expect(lock.locked?.source).toEqual(MEDIA_SERVER);
    }),
  );
});

test('packets from ever new ports, fewer than those of the peer, do not keep it out', () => {
  const lock = createLock();
  for (let atMs = 0; atMs < 3000 && !lock.isLocked; atMs += FRAME_MS) {
    lock.acceptRtp(PEER, atMs);
    if (atMs % 60 === 0) lock.acceptRtp({ ...PEER, port: 10_000 + atMs }, atMs + 1);
  }
  expect(lock.locked?.source).toEqual(PEER);
});
