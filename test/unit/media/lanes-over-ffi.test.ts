/** Packets that the sockets let pass by themselves: written on at once, and handed on as soon as they are others. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FastLanes } from '../../../src/media/fast-lanes.ts';
import { type BedStream, CopyingReceiver, IoBed, type UdpPeer } from '../../support/io-bed.ts';
import { waitFor } from '../../support/wait-for.ts';
import { audioPacket } from './media-samples.ts';

const LANE = 3;
const PAYLOAD_TYPE = 8;

let bed: IoBed;
let receiver: CopyingReceiver;
let lanes: FastLanes;
let stream: BedStream;
let caller: UdpPeer;
let callee: UdpPeer;
let sequenceNumber = 100;

function packet(): Buffer {
  const fields = { sequenceNumber, timestamp: sequenceNumber * 160 };
  sequenceNumber += 1;
  return audioPacket(fields);
}

/** Sends to the relay, which reads all that waits. */
async function deliver(peer: UdpPeer, ...contents: readonly Buffer[]): Promise<void> {
  for (const content of contents) await peer.send(content, stream.legs.caller.rtpPort);
  for (let round = 0; round < 8; round += 1) bed.io?.wait(0);
}

async function heard(packets: number): Promise<Buffer[]> {
  await waitFor(`${packets} packets`, () => callee.received.length >= packets);
  return callee.received;
}

beforeEach(async () => {
  sequenceNumber = 100;
  lanes = new FastLanes(8);
  bed = new IoBed('ffi', false, lanes);
  receiver = new CopyingReceiver();
  stream = await bed.openStream(receiver);
  caller = await bed.openPeer();
  callee = await bed.openPeer();
  const { sockets } = stream;
  sockets.settle('caller', { address: caller.address, port: caller.port });
  sockets.settle('callee', { address: callee.address, port: callee.port });
  // What was read until there was nothing is settled.
  await sockets.takeWaiting?.();
  const transit = { ticks: 0, jitterTicks: 0, clockRate: 8000 };
  const start = { head: 0x8000, ssrc: 0x1111, nextSequenceNumber: 100, nextTimestamp: 16_000 };
  lanes.open(LANE, { ...start, ticks: 160, numberOffset: -2, payloadType: PAYLOAD_TYPE, transit });
  sockets.openLane?.('caller', LANE);
});

afterEach(() => bed.close());

test('packets in a row are written on with their numbers and payload type, and counted', async () => {
  await deliver(caller, packet(), packet(), packet());
  const moved = [98, 99, 100].map((number, index) => {
    const bytes = audioPacket({ sequenceNumber: 100 + index, timestamp: (100 + index) * 160 });
    bytes.writeUInt8(PAYLOAD_TYPE, 1);
    bytes.writeUInt16BE(number, 2);
    return bytes;
  });
  expect(await heard(3)).toEqual(moved);
  expect(receiver.received).toEqual([]);
  expect(lanes.collect(LANE)).toMatchObject({ packets: 3, bytes: 516, sequenceNumber: 102 });
});

test('any other packet is handed on as it came', async () => {
  const first = packet();
  const others = [
    Buffer.alloc(0),
    Buffer.from('no audio'),
    Buffer.alloc(3000, 0x80),
    audioPacket(),
  ];
  await deliver(caller, first, ...others, packet());
  await heard(2);
  expect(receiver.received.map(({ bytes }) => bytes)).toEqual(others);
  expect(new Set(receiver.received.map(({ source }) => source.port))).toEqual(
    new Set([caller.port]),
  );
});

test('a stranger is not heard', async () => {
  const stranger = await bed.openPeer();
  await deliver(stranger, packet());
  sequenceNumber -= 1;
  await deliver(caller, packet());
  await heard(1);
  expect(receiver.received).toEqual([]);
  expect(lanes.collect(LANE)?.packets).toBe(1);
});

test('a packet in whose place the kernel tells of an earlier one is sent again', async () => {
  const { port } = callee;
  bed.closePeer(callee);
  await deliver(caller, packet());
  callee = await bed.openPeer(undefined, port);
  await deliver(caller, packet());
  expect((await heard(1)).map((bytes) => bytes.readUInt16BE(2))).toEqual([99]);
  expect(receiver.refused).toEqual([]);
});

test.each(['caller', 'callee'] as const)(
  'when %s is settled anew all packets are handed on',
  async (side) => {
    const peer = { caller, callee }[side];
    stream.sockets.settle(side, undefined);
    stream.sockets.settle(side, { address: peer.address, port: peer.port });
    const sent = packet();
    await deliver(caller, sent);
    expect(receiver.received.map(({ bytes }) => bytes)).toEqual([sent]);
    expect(lanes.collect(LANE)).toBeUndefined();
  },
);

test('a lane that is opened before the legs are settled is taken as soon as they are', async () => {
  const { sockets } = stream;
  for (const [side, peer] of [
    ['caller', caller],
    ['callee', callee],
  ] as const) {
    sockets.settle(side, undefined);
    sockets.settle(side, { address: peer.address, port: peer.port });
  }
  sockets.openLane?.('caller', LANE);
  await callee.send(audioPacket(), stream.legs.callee.rtpPort);
  await deliver(caller, Buffer.from('settles it'));
  await deliver(caller, packet());
  await heard(1);
  expect(receiver.received.map(({ bytes }) => bytes)).toEqual([
    audioPacket(),
    Buffer.from('settles it'),
  ]);
  expect(lanes.collect(LANE)?.packets).toBe(1);
});

test('a closed lane hands on, and closed sockets read nothing', async () => {
  stream.sockets.closeLane?.('caller');
  const sent = packet();
  await deliver(caller, sent);
  expect(receiver.received.map(({ bytes }) => bytes)).toEqual([sent]);
  stream.sockets.openLane?.('caller', LANE);
  bed.forget(stream);
  await stream.sockets.close();
  await deliver(caller, packet());
  expect(lanes.collect(LANE)).toBeUndefined();
});

test('the lane of sockets that are gone is nothing to those that follow at their place', async () => {
  bed.forget(stream);
  await stream.sockets.close();
  const next = await bed.openStream(receiver);
  stream = next;
  const sent = packet();
  await deliver(caller, sent);
  expect(receiver.received.map(({ bytes }) => bytes)).toEqual([sent]);
});

test('where one leg is open to anybody all packets are handed on', async () => {
  stream.sockets.settle('callee', undefined);
  stream.sockets.openLane?.('caller', LANE);
  const sent = packet();
  await deliver(caller, sent);
  expect(receiver.received.map(({ bytes }) => bytes)).toEqual([sent]);
});
