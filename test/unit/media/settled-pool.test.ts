/**
 * Legs settled with their peers, on a real thread with real sockets:
 *
 *   caller --audio--> [relay thread] --connected--> callee, which moves, goes away and comes back
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRtp, type RtpFields } from '../../support/rtp-packet.ts';
import { waitFor } from '../../support/wait-for.ts';
import { holdPort, HOST, IOS, MediaBed, waitForCounters } from './media-bed.ts';
import { audioPacket, sampleLeg, sampleUpdate } from './media-samples.ts';
import type { MediaStream } from '../../../src/media/media-engine.ts';

let bed = new MediaBed();
const sockets = new Set<Socket>();

class Peer {
  readonly received: Buffer[] = [];
  readonly socket: Socket;
  #sequenceNumber = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (packet) => this.received.push(packet));
    socket.on('error', () => {});
    sockets.add(socket);
  }

  static async open(port = 0): Promise<Peer> {
    return new Peer(await holdPort(port));
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(to: { readonly rtpPort: number }): void {
    this.#sequenceNumber += 1;
    const sequenceNumber = this.#sequenceNumber;
    const packet = audioPacket({ sequenceNumber, timestamp: sequenceNumber * 160 });
    this.socket.send(packet, to.rtpPort, HOST);
  }

  close(): void {
    sockets.delete(this.socket);
    this.socket.close();
  }
}

function isEnd({ payload }: RtpFields): boolean {
  return ((payload[1] ?? 0) & 0x80) !== 0;
}

describe.each(IOS)('io: %s', (io) => {
  let stream: MediaStream;
  let caller: Peer;
  let callee: Peer;

  function agree(calleePort: number): void {
    stream.update(sampleUpdate(sampleLeg(caller.port), sampleLeg(calleePort)));
  }

  /** One packet each way, so that both legs are settled. */
  async function exchange(): Promise<void> {
    const before = [caller.received.length, callee.received.length];
    await waitFor('a packet each way', () => {
      caller.send(stream.local.caller);
      callee.send(stream.local.callee);
      return [caller, callee].every(
        ({ received }, index) => received.length > (before[index] ?? 0),
      );
    });
  }

  beforeEach(async () => {
    bed = new MediaBed(io);
    const { pool, leg } = await bed.openPool();
    stream = await bed.openStream(pool, leg);
    caller = await Peer.open();
    callee = await Peer.open();
    agree(callee.port);
    await exchange();
  });

  afterEach(async () => {
    for (const socket of sockets) socket.close();
    sockets.clear();
    await bed.close();
  });

  test('media follow a peer to another port and leave the one before out', async () => {
    const moved = await Peer.open();
    agree(moved.port);
    await stream.counters();
    // What was sent to the old port before lies in its socket; two turns of the loop read it.
    await turn();
    await turn();
    const left = callee;
    callee = moved;
    const heardBefore = left.received.length;
    await exchange();
    left.send(stream.local.callee);
    await exchange();
    expect(left.received).toHaveLength(heardBefore);
    expect((await stream.counters()).callee.source).toBe(`${HOST}:${moved.port}`);
  });

  test('no packet of a stranger passes', async () => {
    const stranger = await Peer.open();
    const marks = caller.received.length;
    for (let round = 0; round < 10; round++) stranger.send(stream.local.callee);
    await exchange();
    const own = (await stream.counters()).callee.receivedPackets;
    expect(caller.received.length).toBeLessThanOrEqual(own);
    expect(caller.received.length).toBeGreaterThan(marks);
    expect(stranger.received).toEqual([]);
  });

  test('a digit is whole though the peer was away a moment before', async () => {
    const { port } = callee;
    callee.close();
    for (let round = 0; round < 5; round++) caller.send(stream.local.caller);
    await waitForCounters(stream, (all) => all.caller.receivedPackets >= 5);
    callee = await Peer.open(port);
    stream.playDigit('callee', { digitId: 'one', eventCode: 5, durationMs: 100 });
    await waitFor('the digit', () => bed.listener.sent.length === 1);
    const events = (): readonly RtpFields[] =>
      callee.received
        .flatMap((packet) => parseRtp(packet) ?? [])
        .filter(({ payloadType }) => payloadType === 101);
    await waitFor('the end', () => events().filter((event) => isEnd(event)).length === 3);
    const numbers = events().map(({ sequenceNumber }) => sequenceNumber);
    const first = numbers[0] ?? 0;
    expect(numbers).toEqual(numbers.map((_, index) => (first + index) & 0xffff));
  });
});
