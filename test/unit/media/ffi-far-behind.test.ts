/** A relay thread that is far behind: what waits in many sockets at once is taken a socket at a time. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FastLanes } from '../../../src/media/fast-lanes.ts';
import type { Side } from '../../../src/wire/side.ts';
import { type BedStream, CopyingReceiver, IoBed, type UdpPeer } from '../../support/io-bed.ts';
import { waitFor } from '../../support/wait-for.ts';
import { audioPacket } from './media-samples.ts';

/** More sockets than one call to the kernel tells of. */
const STREAMS = 150;
const SIDES: readonly Side[] = ['caller', 'callee'];
const EVENTS = 256;

let bed: IoBed;
let lanes: FastLanes;
let peer: UdpPeer;
let receiver: CopyingReceiver;
const streams: BedStream[] = [];

function packetOf(sequenceNumber: number): Buffer {
  return audioPacket({ sequenceNumber, timestamp: sequenceNumber * 160 });
}

/** To every socket, the packets with these numbers. */
async function sendToAll(...sequenceNumbers: readonly number[]): Promise<void> {
  for (const sequenceNumber of sequenceNumbers) {
    for (const { legs } of streams) {
      for (const side of SIDES) await peer.send(packetOf(sequenceNumber), legs[side].rtpPort);
    }
  }
}

function laneOf(stream: number, side: Side): number {
  return 2 * stream + SIDES.indexOf(side);
}

/** What passed since this was asked last. */
function passed(): number[] {
  const all = streams.flatMap((_, stream) => SIDES.map((side) => laneOf(stream, side)));
  return all.map((lane) => lanes.collect(lane)?.packets ?? 0);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

beforeEach(async () => {
  lanes = new FastLanes();
  bed = new IoBed('ffi', false, lanes);
  receiver = new CopyingReceiver();
  peer = await bed.openPeer();
  streams.length = 0;
  const transit = { ticks: 0, jitterTicks: 0, clockRate: 8000 };
  const start = { head: 0x8000, ssrc: 0x1111, nextSequenceNumber: 1, nextTimestamp: 160 };
  for (let stream = 0; stream < STREAMS; stream += 1) {
    const opened = await bed.openStream(receiver);
    streams.push(opened);
    const { sockets } = opened;
    for (const side of SIDES) sockets.settle(side, { address: peer.address, port: peer.port });
    await sockets.takeWaiting?.();
    for (const side of SIDES) {
      const lane = laneOf(stream, side);
      lanes.open(lane, { ...start, ticks: 160, numberOffset: 0, payloadType: 0, transit });
      sockets.openLane?.(side, lane);
    }
  }
});

afterEach(() => bed.close());

test('several packets of each socket are taken in one go, each once and in order', async () => {
  await sendToAll(1, 2, 3);
  bed.io?.wait(0);
  const first = passed();
  expect(sum(first)).toBeGreaterThan(2 * EVENTS);
  expect(first.filter((packets) => packets === 3).length).toBeGreaterThan(EVENTS - 10);
  for (let turn = 0; turn < 4; turn += 1) bed.io?.wait(0);
  expect(sum(first) + sum(passed())).toBe(3 * 2 * STREAMS);
  expect(receiver.received).toEqual([]);
  await waitFor('all packets', () => peer.received.length === 3 * 2 * STREAMS);
});

test('where one packet waits in each socket each wait takes one of each', async () => {
  await sendToAll(1);
  bed.io?.wait(0);
  expect(sum(passed())).toBe(EVENTS);
  bed.io?.wait(0);
  expect(sum(passed())).toBe(2 * STREAMS - EVENTS);
});

test('a packet that is not of the lane ends the go, and is handed on', async () => {
  await sendToAll(1);
  const other = Buffer.from('no audio');
  for (const { legs } of streams) {
    for (const side of SIDES) await peer.send(other, legs[side].rtpPort);
  }
  await sendToAll(2);
  for (let turn = 0; turn < 8; turn += 1) bed.io?.wait(0);
  expect(receiver.received.map(({ bytes }) => bytes)).toEqual(Array(2 * STREAMS).fill(other));
  expect(sum(passed())).toBe(2 * 2 * STREAMS);
});
