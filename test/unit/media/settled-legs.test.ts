/** When the RTP of a leg is left to its peer alone, and when to anybody again. */
import { describe, expect, test } from 'vitest';
import { SETTLED_QUIET_MS, SettledLegs } from '../../../src/media/settled-legs.ts';
import type { PacketSource } from '../../../src/media/source-lock.ts';
import type { Side } from '../../../src/wire/side.ts';

const PEER = { address: '192.0.2.1', port: 4000 };
const OTHER = { address: '192.0.2.1', port: 4002 };

class FakeStream {
  readonly peers: Record<Side, PacketSource | undefined> = { caller: PEER, callee: undefined };
  quietForMs = 0;
  readonly settled: (readonly [Side, number | undefined])[] = [];
  readonly legs = new SettledLegs(this, this);

  settledPeer(side: Side): PacketSource | undefined {
    return this.peers[side];
  }

  quietMs(): number {
    return this.quietForMs;
  }

  settle(side: Side, peer: PacketSource | undefined): void {
    this.settled.push([side, peer?.port]);
  }
}

describe('a leg is settled', () => {
  test('by the first packet of a peer that is where SDP says, once', () => {
    const stream = new FakeStream();
    expect(stream.legs.heard('caller')).toBe(true);
    expect(stream.legs.heard('caller')).toBe(true);
    expect(stream.settled).toEqual([['caller', 4000]]);
  });

  test('never while the peer is learnt or being learnt', () => {
    const stream = new FakeStream();
    expect(stream.legs.heard('callee')).toBe(false);
    expect(stream.settled).toEqual([]);
  });
});

describe('a settled leg is open to anybody again', () => {
  test('when an update names another peer, and is settled by its first packet', () => {
    const stream = new FakeStream();
    stream.legs.heard('caller');
    stream.legs.follow();
    expect(stream.settled).toHaveLength(1);
    stream.peers.caller = OTHER;
    stream.legs.follow();
    stream.legs.follow();
    stream.legs.heard('caller');
    expect(stream.settled.slice(1)).toEqual([
      ['caller', undefined],
      ['caller', 4002],
    ]);
  });

  test('when an update names none', () => {
    const stream = new FakeStream();
    stream.legs.heard('caller');
    stream.peers.caller = undefined;
    stream.legs.follow();
    expect(stream.settled.at(-1)).toEqual(['caller', undefined]);
  });

  test('when the peer has been quiet for two seconds, once', () => {
    const stream = new FakeStream();
    expect(stream.legs.open('caller', 0)).toBe(false);
    stream.legs.heard('caller');
    stream.quietForMs = SETTLED_QUIET_MS - 1;
    expect(stream.legs.open('caller', 0)).toBe(false);
    stream.quietForMs = SETTLED_QUIET_MS;
    expect(stream.legs.open('caller', 0)).toBe(true);
    expect(stream.legs.open('caller', 0)).toBe(false);
    expect(stream.settled.slice(1)).toEqual([['caller', undefined]]);
    expect(stream.legs.heard('caller')).toBe(true);
  });
});
