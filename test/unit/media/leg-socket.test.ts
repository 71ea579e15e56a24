/** The socket of one leg on loopback: open, settled with a peer, refused by a peer that is away. */
import { afterEach, describe, expect, test } from 'vitest';
import { LegSocket } from '../../../src/media/leg-socket.ts';
import { freePortRange } from '../../support/free-ports.ts';
import { waitFor } from '../../support/wait-for.ts';

interface Received {
  readonly text: string;
  readonly port: number;
}

const opened: LegSocket[] = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

class TestLeg {
  readonly received: Received[] = [];
  readonly refused: string[] = [];
  readonly socket: LegSocket;
  readonly port: number;
  readonly address: string;

  constructor(address: string, port: number, hidden?: () => undefined) {
    this.address = address;
    this.port = port;
    const onRefused = (packet: Buffer): unknown => this.refused.push(packet.toString());
    this.socket = new LegSocket(address, onRefused, hidden);
    this.socket.onPacket((packet, source) => {
      this.received.push({ text: packet.toString(), port: source.port });
    });
    opened.push(this.socket);
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }

  async bind(): Promise<this> {
    const code = await this.socket.bind(this.port);
    if (code !== undefined) throw new Error(code);
    return this;
  }

  send(text: string, to: TestLeg): void {
    this.socket.send(Buffer.from(text), to);
  }
}

async function threeLegs(
  address: string,
  hidden?: () => undefined,
): Promise<[TestLeg, TestLeg, TestLeg]> {
  const { first } = await freePortRange(6);
  const legs = [first, first + 2, first + 4].map((port) =>
    new TestLeg(address, port, hidden).bind(),
  );
  const [leg, peer, stranger] = await Promise.all(legs);
  if (leg === undefined || peer === undefined || stranger === undefined) throw new Error('no leg');
  return [leg, peer, stranger];
}

/** Whoever has a port on one address of the machine has it on all of them. */
async function legOnAllAddresses(): Promise<TestLeg> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { first } = await freePortRange(2);
    const leg = new TestLeg('0.0.0.0', first);
    if ((await leg.socket.bind(first)) === undefined) return leg;
  }
  throw new Error('no port is free on all addresses');
}

/** As in a Node that hides the descriptors of its sockets. */
const hide = (): undefined => undefined;

describe.each([
  ['127.0.0.1', undefined],
  ['::1', undefined],
  ['127.0.0.1', hide],
])('a leg on %s, descriptor %s', (address, hidden) => {
  test('takes packets of anybody and sends to anybody until it is settled', async () => {
    const [leg, peer, stranger] = await threeLegs(address, hidden);
    peer.send('a', leg);
    stranger.send('b', leg);
    leg.send('to peer', peer);
    leg.send('to stranger', stranger);
    await waitFor('all four', () => leg.received.length === 2 && stranger.received.length === 1);
    await waitFor('the peer', () => peer.received.length === 1);
    expect(leg.texts.toSorted()).toEqual(['a', 'b']);
  });

  test('exchanges packets with its peer alone while settled, with anybody afterwards', async () => {
    const [leg, peer, stranger] = await threeLegs(address, hidden);
    leg.socket.settle(peer);
    stranger.send('unheard', leg);
    peer.send('heard', leg);
    leg.send('answer', peer);
    await waitFor('the peer', () => leg.received.length === 1 && peer.received.length === 1);
    expect(leg.texts).toEqual(['heard']);
    expect(peer.received).toEqual([{ text: 'answer', port: leg.port }]);
    leg.socket.settle(undefined);
    stranger.send('heard too', leg);
    leg.send('to stranger', stranger);
    await waitFor('both', () => leg.received.length === 2 && stranger.received.length === 1);
    expect(leg.texts).toEqual(['heard', 'heard too']);
  });

  test('moves from one peer to another', async () => {
    const [leg, peer, next] = await threeLegs(address, hidden);
    leg.socket.settle(peer);
    leg.socket.settle(next);
    leg.send('hello', next);
    next.send('hello back', leg);
    await waitFor('both', () => leg.received.length === 1 && next.received.length === 1);
    expect(peer.received).toEqual([]);
  });

  test('loses no packet to the news that the one before found nobody', async () => {
    const { first } = await freePortRange(4);
    const leg = await new TestLeg(address, first, hidden).bind();
    const peer = new TestLeg(address, first + 2);
    leg.socket.settle(peer);
    leg.send('before it listens', peer);
    const bound = peer.bind();
    const taken: boolean[] = [];
    leg.socket.sendReported(Buffer.from('reported'), peer, (isTaken) => taken.push(isTaken));
    leg.send('not reported', peer);
    await bound;
    await waitFor('both packets', () => peer.received.length === 2);
    await waitFor('the report', () => taken.length === 1);
    // Sent again one by one they may change places.
    expect(peer.texts.toSorted()).toEqual(['not reported', 'reported']);
    expect(taken).toEqual([true]);
    expect(leg.refused).toEqual([]);
  });
});

test.each([undefined, hide])(
  'a packet that is too long is refused, and the next one sent (%s)',
  async (hidden) => {
    const [leg, peer] = await threeLegs('127.0.0.1', hidden);
    leg.socket.settle(peer);
    const long = 'x'.repeat(70_000);
    leg.send(long, peer);
    leg.send('short', peer);
    await waitFor('the short one', () => peer.received.length === 1);
    await waitFor('the refusal', () => leg.refused.length > 0);
    expect(leg.refused).toEqual([long]);
  },
);

test('a leg on all addresses of the machine stays open: its peers may know any of them', async () => {
  const [peer, other] = await threeLegs('127.0.0.1');
  const leg = await legOnAllAddresses();
  leg.socket.settle(peer);
  other.socket.send(Buffer.from('hello'), { address: '127.0.0.1', port: leg.port });
  await waitFor('the packet', () => leg.received.length === 1);
  expect(leg.received).toEqual([{ text: 'hello', port: other.port }]);
});

test('a peer that the kernel does not connect to leaves the leg open', async () => {
  const [leg, peer] = await threeLegs('127.0.0.1');
  leg.socket.settle({ address: '::1', port: peer.port });
  leg.send('hello', peer);
  peer.send('hello back', leg);
  await waitFor('both', () => leg.received.length === 1 && peer.received.length === 1);
  expect([...leg.texts, ...peer.texts]).toEqual(['hello back', 'hello']);
});
