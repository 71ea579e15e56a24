import { describe, expect, test } from 'vitest';
import { LEARN_PACKETS } from '../../../src/media/source-contest.ts';
import {
  type LearntSource,
  SourceLock,
  type PacketSource,
} from '../../../src/media/source-lock.ts';
import { formatSource } from '../../../src/media/relay-leg.ts';

const REMOTE = { address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 };
const SDP_SOURCE = { address: '192.0.2.1', port: 4000 };
const NAT = { address: '198.51.100.7', port: 61_000 };
const FRAME_MS = 20;
const STRANGER = { address: '203.0.113.9', port: 4000 };

function createLock(
  mediaSource: 'sdp' | 'learn-once',
  remote: typeof REMOTE | undefined = REMOTE,
): SourceLock {
  const lock = new SourceLock();
  lock.update({ remote, mediaSource, signalledFrom: NAT.address });
  return lock;
}

function accepted(lock: SourceLock, source: PacketSource, packets: number): number {
  let count = 0;
  for (let index = 0; index < packets; index++) {
    if (lock.acceptRtp(source, index * FRAME_MS)) count += 1;
  }
  return count;
}

describe('sdp', () => {
  test.each([
    ['the SDP address and port', SDP_SOURCE, true],
    ['another port of it', { ...SDP_SOURCE, port: 4002 }, false],
    ['another address', STRANGER, false],
  ])('%s', (_name, source, expected) => {
    expect(createLock('sdp').acceptRtp(source, 100)).toBe(expected);
  });

  test('a flood of strangers changes nothing', () => {
    const lock = createLock('sdp');
    expect(accepted(lock, STRANGER, 1000)).toBe(0);
    expect(lock.acceptRtp(SDP_SOURCE, 100)).toBe(true);
    expect(lock.rtpDestination).toEqual(SDP_SOURCE);
  });

  test('RTCP comes from the RTCP port of the SDP only', () => {
    const lock = createLock('sdp');
    expect(lock.acceptRtcp({ address: REMOTE.address, port: 4001 })).toBe(true);
    expect(lock.acceptRtcp({ address: REMOTE.address, port: 4000 })).toBe(false);
    expect(lock.acceptRtcp({ address: STRANGER.address, port: 4001 })).toBe(false);
    expect(lock.rtcpDestination).toEqual({ address: REMOTE.address, port: 4001 });
  });
});

describe('learn-once', () => {
  test('the SDP address locks with its first packet', () => {
    const lock = createLock('learn-once');
    expect(lock.acceptRtp(SDP_SOURCE, 100)).toBe(true);
    expect(lock.locked).toMatchObject({ source: SDP_SOURCE, isLearnt: false });
    expect(accepted(lock, NAT, 10)).toBe(0);
  });

  test('another source is learnt with its fifth packet; media follows it then', () => {
    const lock = createLock('learn-once');
    expect(accepted(lock, NAT, LEARN_PACKETS - 1)).toBe(4);
    expect(lock.locked).toBeUndefined();
    expect(lock.rtpDestination).toEqual(SDP_SOURCE);
    expect(lock.acceptRtp(NAT, 100)).toBe(true);
    expect(lock.rtpDestination).toEqual(NAT);
    expect(accepted(lock, STRANGER, 100)).toBe(0);
  });

  test('what was learnt yields to the SDP address, for good', () => {
    const lock = createLock('learn-once');
    expect(accepted(lock, STRANGER, 20)).toBe(9);
    expect(lock.rtpDestination).toEqual(STRANGER);
    expect(lock.acceptRtp(SDP_SOURCE, 100)).toBe(true);
    expect(accepted(lock, STRANGER, 100)).toBe(0);
    expect(lock.rtpDestination).toEqual(SDP_SOURCE);
    expect(lock.rtcpDestination).toEqual({ address: REMOTE.address, port: 4001 });
  });

  test('what was learnt is told once and can be taken up by another lock for the same SDP address', () => {
    const learnt: LearntSource[] = [];
    const lock = new SourceLock((source) => learnt.push(source));
    lock.update({ remote: REMOTE, mediaSource: 'learn-once', signalledFrom: NAT.address });
    accepted(lock, NAT, 50);
    expect(learnt).toEqual([{ source: NAT, remote: REMOTE }]);

    const next = createLock('learn-once');
    for (const source of learnt) next.resume(source);
    expect(next.locked).toEqual({ type: 'locked', source: NAT, isLearnt: true });
    const moved = createLock('learn-once', { ...REMOTE, rtpPort: 5000 });
    for (const source of learnt) moved.resume(source);
    expect(moved.locked).toBeUndefined();
    const fixed = createLock('sdp');
    for (const source of learnt) fixed.resume(source);
    expect(fixed.rtpDestination).toEqual(SDP_SOURCE);
  });

  test('a quicker stranger gets four packets in and nothing out when the peer is where SDP says', () => {
    const lock = createLock('learn-once');
    expect(accepted(lock, STRANGER, 4)).toBe(4);
    expect(lock.acceptRtp(SDP_SOURCE, 100)).toBe(true);
    expect(accepted(lock, STRANGER, 100)).toBe(0);
    expect(lock.rtpDestination).toEqual(SDP_SOURCE);
  });

  test.each([
    ['where the signalling comes from', NAT, 60],
    ['that nothing speaks for', STRANGER, 300],
  ])('a burst from a source %s is not believed sooner than that', (_who, source, leastMs) => {
    const lock = createLock('learn-once');
    const passed = Array.from({ length: 100 }, () => lock.acceptRtp(source, 5));
    expect(passed.filter(Boolean)).toHaveLength(4);
    expect(lock.isLocked).toBe(false);
    expect(lock.acceptRtp(source, 4 + leastMs)).toBe(false);
    expect(lock.acceptRtp(source, 5 + leastMs)).toBe(true);
    expect(lock.isLocked).toBe(true);
  });

  test('while one candidate is learnt others are strangers', () => {
    const lock = createLock('learn-once');
    lock.acceptRtp(NAT, 0);
    expect(lock.acceptRtp(STRANGER, 0)).toBe(false);
    expect(accepted(lock, NAT, 4)).toBe(4);
    expect(lock.locked?.source).toEqual(NAT);
  });

  test('another port of the SDP address is preferred to another address', () => {
    const lock = createLock('learn-once');
    const natPort = { ...SDP_SOURCE, port: 50_000 };
    expect(accepted(lock, STRANGER, 4)).toBe(4);
    expect(accepted(lock, natPort, 5)).toBe(5);
    expect(lock.locked?.source).toEqual(natPort);
  });

  test('the address that signalling comes from is preferred to a stranger, the SDP address to both', () => {
    const lock = new SourceLock();
    lock.update({ remote: REMOTE, mediaSource: 'learn-once', signalledFrom: NAT.address });
    expect(accepted(lock, STRANGER, 4)).toBe(4);
    expect(accepted(lock, NAT, 4)).toBe(4);
    expect(lock.acceptRtp(STRANGER, 90)).toBe(false);
    const natPort = { ...SDP_SOURCE, port: 50_000 };
    expect(accepted(lock, natPort, 5)).toBe(5);
    expect(lock.locked?.source).toEqual(natPort);
  });

  test('a forged port 0 is never learnt', () => {
    const lock = createLock('learn-once');
    expect(accepted(lock, { ...NAT, port: 0 }, 10)).toBe(0);
  });

  test('RTCP is accepted from the learnt address, first port wins', () => {
    const lock = createLock('learn-once');
    const rtcp = { ...NAT, port: 61_555 };
    expect(lock.acceptRtcp(rtcp)).toBe(false);
    expect(lock.rtcpDestination).toEqual({ address: REMOTE.address, port: 4001 });
    accepted(lock, NAT, 5);
    expect(lock.rtcpDestination).toEqual({ ...NAT, port: 61_001 });
    expect(lock.acceptRtcp({ ...rtcp, port: 0 })).toBe(false);
    expect(lock.acceptRtcp(STRANGER)).toBe(false);
    expect(lock.acceptRtcp(rtcp)).toBe(true);
    expect(lock.acceptRtcp({ ...rtcp, port: 61_556 })).toBe(false);
    expect(lock.rtcpDestination).toEqual(rtcp);
  });
});

describe('an update', () => {
  test('with the same address keeps what was learnt', () => {
    const lock = createLock('learn-once');
    accepted(lock, NAT, 5);
    lock.update({ remote: { ...REMOTE }, mediaSource: 'learn-once' });
    expect(lock.locked?.source).toEqual(NAT);
  });

  test.each([
    ['address', { ...REMOTE, address: '192.0.2.2' }],
    ['RTP port', { ...REMOTE, rtpPort: 4100 }],
    ['RTCP port', { ...REMOTE, rtcpPort: 4100 }],
  ])('with another %s learns anew', (_name, remote) => {
    const lock = createLock('learn-once');
    accepted(lock, NAT, 5);
    lock.update({ remote, mediaSource: 'learn-once' });
    expect(lock.locked).toBeUndefined();
    expect(lock.rtpDestination).toEqual({ address: remote.address, port: remote.rtpPort });
  });

  test('without an address accepts and sends nothing', () => {
    const lock = createLock('sdp');
    lock.update({ remote: undefined, mediaSource: 'sdp' });
    expect(lock.hasRemote).toBe(false);
    expect(lock.acceptRtp(SDP_SOURCE, 100)).toBe(false);
    expect(lock.acceptRtcp(SDP_SOURCE)).toBe(false);
    expect(lock.rtpDestination).toBeUndefined();
    expect(lock.rtcpDestination).toBeUndefined();
  });
});

test.each([
  [{ address: '192.0.2.1', port: 5 }, '192.0.2.1:5'],
  [{ address: '2001:db8::1', port: 5 }, '[2001:db8::1]:5'],
])('%j is written %s', (source, text) => {
  expect(formatSource(source)).toBe(text);
});
