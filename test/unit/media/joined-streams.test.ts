/** Streams that send to each other: chains are used, rings are not. */
import { describe, expect, test } from 'vitest';
import { type JoinedStream, JoinedStreams } from '../../../src/media/joined-streams.ts';
import type { LocalMedia, RemoteMedia } from '../../../src/media/media-engine.ts';
import type { Side } from '../../../src/wire/side.ts';

const HOST = '192.0.2.1';
const PEER = remote(5000, '198.51.100.7');

function remote(rtpPort: number, address = HOST): RemoteMedia {
  return { address, rtpPort, rtcpPort: rtpPort + 1 };
}

class FakeStream implements JoinedStream {
  readonly remotes: Record<Side, RemoteMedia | undefined> = { caller: PEER, callee: PEER };

  remoteOf(side: Side): RemoteMedia | undefined {
    return this.remotes[side];
  }
}

function ends(callerPort: number, address = HOST): Record<Side, LocalMedia> {
  return { caller: remote(callerPort, address), callee: remote(callerPort + 2, address) };
}

/** The first has the ports 40000 and 40002, the second 40004 and 40006, and so on. */
function openStreams(count: number): { joined: JoinedStreams; streams: FakeStream[] } {
  const joined = new JoinedStreams();
  const streams = Array.from({ length: count }, () => new FakeStream());
  for (const [index, stream] of streams.entries()) joined.opened(stream, ends(40_000 + 4 * index));
  return { joined, streams };
}

describe('a remote is a ring when it is', () => {
  test.each([
    ['a port of a peer', PEER, false],
    ['the other leg', remote(40_002), true],
    ['the leg itself', remote(40_000), true],
    ['an RTCP port of ours', remote(40_003), true],
    ['a port of ours for RTCP alone', { ...PEER, address: HOST, rtcpPort: 40_003 }, true],
    ['the same port at another address', remote(40_002, '192.0.2.2'), false],
    ['no port of ours', remote(40_004), false],
  ])('%s: %s', (_name, to, expected) => {
    const { joined, streams } = openStreams(1);
    for (const stream of streams) expect(joined.isRing(stream, to)).toBe(expected);
  });

  test('nothing', () => {
    const { joined, streams } = openStreams(1);
    for (const stream of streams) expect(joined.isRing(stream, undefined)).toBe(false);
  });
});

test('two calls may be joined by one leg each, not by both', () => {
  const { joined, streams } = openStreams(2);
  const [one, other] = streams;
  if (one === undefined || other === undefined) throw new Error('two streams were opened');
  one.remotes.callee = remote(40_004);
  expect(joined.isRing(other, remote(40_002))).toBe(false);
  other.remotes.caller = remote(40_002);
  expect(joined.isRing(one, remote(40_004))).toBe(false);
  one.remotes.caller = remote(40_006);
  expect(joined.isRing(other, remote(40_000))).toBe(true);
});

test('a chain has an end', () => {
  const { joined, streams } = openStreams(20);
  for (const [index, stream] of streams.entries())
    stream.remotes.callee = remote(40_004 + 4 * index);
  const first = new FakeStream();
  expect(joined.isRing(first, remote(40_000))).toBe(true);
  expect(joined.isRing(first, remote(40_000 + 4 * 10))).toBe(false);
});

test('ports are known by the address in SDP as well, until the stream is closed', () => {
  const joined = new JoinedStreams();
  const stream = new FakeStream();
  const both = [ends(40_000), ends(40_000, '203.0.113.7')];
  joined.opened(stream, ...both);
  expect(joined.isRing(stream, remote(40_002, '203.0.113.7'))).toBe(true);
  joined.closed(stream, ...both);
  expect(joined.isRing(stream, remote(40_002, '203.0.113.7'))).toBe(false);
  expect(joined.isRing(stream, remote(40_002))).toBe(false);
});

test.each([
  ['0.0.0.0', '192.0.2.1', true],
  ['0.0.0.0', '192.0.2.2', false],
  ['0.0.0.0', '2001:db8::1', false],
  ['::', '2001:db8::1', true],
])('of a stream bound to %s a port of %s is ours: %s', (bound, address, expected) => {
  const joined = new JoinedStreams((own) => ['192.0.2.1', '2001:db8::1'].includes(own));
  const stream = new FakeStream();
  joined.opened(stream, ends(40_000, bound));
  expect(joined.isRing(stream, remote(40_002, address))).toBe(expected);
});
