/** What a relay thread tells the sockets of a stream about its peers, and what it counts of strangers meanwhile. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MediaCounters } from '../../../src/media/relay-counters.ts';
import { RelayHost } from '../../../src/media/relay-host.ts';
import type { PacketReceiver, StreamSockets } from '../../../src/media/relay-sockets.ts';
import type { RelayEvent } from '../../../src/media/relay-protocol.ts';
import type { PacketSource } from '../../../src/media/source-lock.ts';
import type { LegMedia } from '../../../src/media/media-engine.ts';
import type { Side } from '../../../src/wire/side.ts';
import { audioPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

const HOST = '127.0.0.1';
const CALLER = { address: HOST, port: 4000 };
const CALLEE = { address: HOST, port: 5000 };
const STRANGER = { address: HOST, port: 6000 };
const LOCAL = { address: HOST, rtpPort: 30_000, rtcpPort: 30_001 };

/** Sockets that keep an account of what they are told, in order. */
class ToldSockets implements StreamSockets {
  readonly told: string[] = [];

  sendRtp(side: Side, packet: Buffer, { port }: PacketSource): void {
    const kind = packet.length > 16 ? 'audio' : 'event';
    this.told.push(`${kind} to ${side} at ${port}`);
  }

  sendRtcp(): void {}

  sendRtpReported(
    side: Side,
    packet: Buffer,
    ...rest: [PacketSource, (it: boolean) => void]
  ): void {
    const [destination, onTaken] = rest;
    this.sendRtp(side, packet, destination);
    onTaken(true);
  }

  settle(side: Side, peer: PacketSource | undefined): void {
    this.told.push(`${side} ${peer === undefined ? 'open' : `settled with ${peer.port}`}`);
  }

  async close(): Promise<void> {}

  /** What was said about peers, and no more of it. */
  takeSettling(): string[] {
    return this.told.splice(0).filter((line) => !line.includes(' to '));
  }
}

class HostedBed {
  readonly sockets = new ToldSockets();
  readonly events: RelayEvent[] = [];
  #receiver: PacketReceiver | undefined;
  #sequenceNumber = 0;
  readonly host = new RelayHost({
    worker: { clockOriginMs: 0, inactivityTimeoutMs: 60_000, holdTimeoutMs: 60_000 },
    post: (event) => this.events.push(event),
    random: () => 0.5,
    openSockets: async (_legs, receiver) => {
      this.#receiver = receiver;
      return this.sockets;
    },
  });

  async open(caller: Partial<LegMedia> = {}): Promise<void> {
    const legs = { caller: LOCAL, callee: LOCAL };
    await this.host.receive({ type: 'openStream', streamKey: 1, legs, nameKey: 'name' });
    await this.update(caller);
  }

  update(caller: Partial<LegMedia>, callee: Partial<LegMedia> = {}): Promise<void> {
    const legs = [sampleLeg(CALLER.port, caller), sampleLeg(CALLEE.port, callee)] as const;
    return this.host.receive({ type: 'updateStream', streamKey: 1, update: sampleUpdate(...legs) });
  }

  receive(side: Side, source: PacketSource): void {
    this.#sequenceNumber += 1;
    this.#receiver?.receiveRtp(
      side,
      audioPacket({ sequenceNumber: this.#sequenceNumber, timestamp: this.#sequenceNumber * 160 }),
      source,
    );
  }

  /** The peer talks at 20 ms. */
  talk(side: Side, source: PacketSource, packets: number): void {
    for (let index = 0; index < packets; index++) {
      this.receive(side, source);
      vi.advanceTimersByTime(20);
    }
  }

  async counters(): Promise<MediaCounters> {
    await this.host.receive({ type: 'readCounters', streamKey: 1, requestId: 1 });
    const answer = this.events.findLast((event) => event.type === 'counters');
    if (answer === undefined) throw new Error('no counters');
    return answer.counters;
  }

  refuse(side: Side, packet: Buffer): void {
    this.#receiver?.refusedRtp(side, packet);
  }
}

let bed: HostedBed;

beforeEach(() => {
  vi.useFakeTimers();
  bed = new HostedBed();
});

afterEach(() => {
  bed.host.stop();
  vi.useRealTimers();
});

describe('a leg is settled', () => {
  test('by the first packet from where SDP says, before anything is forwarded to it', async () => {
    await bed.open();
    bed.receive('callee', CALLEE);
    bed.receive('caller', CALLER);
    bed.receive('callee', CALLEE);
    expect(bed.sockets.told).toEqual([
      'callee settled with 5000',
      'audio to caller at 4000',
      'caller settled with 4000',
      'audio to callee at 5000',
      'audio to caller at 4000',
    ]);
  });

  test('not by a stranger', async () => {
    await bed.open();
    bed.receive('caller', STRANGER);
    expect(bed.sockets.takeSettling()).toEqual([]);
    expect((await bed.counters()).caller.lastStranger).toBe(`${HOST}:${STRANGER.port}`);
  });

  test('not with a peer that was learnt, but with the SDP address that it yields to', async () => {
    await bed.open({ mediaSource: 'learn-once' });
    bed.talk('caller', STRANGER, 20);
    expect((await bed.counters()).caller.isSourceLearnt).toBe(true);
    expect(bed.sockets.takeSettling()).toEqual([]);
    bed.receive('caller', CALLER);
    expect(bed.sockets.takeSettling()).toEqual(['caller settled with 4000']);
    expect((await bed.counters()).caller).toMatchObject({
      source: `${HOST}:${CALLER.port}`,
      isSourceLearnt: false,
    });
  });

  test('not with a relearnt peer when the same SDP comes again', async () => {
    await bed.open({ mediaSource: 'learn-once' });
    bed.talk('caller', STRANGER, 20);
    await bed.update({ mediaSource: 'learn-once' });
    bed.talk('caller', STRANGER, 20);
    expect(bed.sockets.takeSettling()).toEqual([]);
  });
});

describe('a settled leg', () => {
  beforeEach(async () => {
    await bed.open();
    bed.receive('caller', CALLER);
    bed.receive('callee', CALLEE);
    bed.sockets.told.splice(0);
  });

  test('stays settled with its peer through an update that leaves its address, hold included', async () => {
    await bed.update({ maySend: false });
    bed.receive('caller', CALLER);
    await bed.update({});
    bed.receive('caller', CALLER);
    expect(bed.sockets.takeSettling()).toEqual([]);
  });

  test('is open when SDP names another port, and settled with it by its first packet', async () => {
    const moved = { remote: { address: HOST, rtpPort: 4002, rtcpPort: 4003 } };
    await bed.update(moved);
    bed.receive('caller', CALLER);
    bed.receive('caller', { address: HOST, port: 4002 });
    expect(bed.sockets.takeSettling()).toEqual(['caller open', 'caller settled with 4002']);
    expect((await bed.counters()).caller.dropped['unknown-source']).toBe(1);
  });

  test('gets the end of a digit that plays where it began, and is open only then', async () => {
    const digit = { digitId: 'one', eventCode: 5, durationMs: 400 };
    await bed.host.receive({ type: 'playDigit', streamKey: 1, to: 'callee', digit });
    bed.talk('caller', CALLER, 5);
    bed.sockets.told.splice(0);
    await bed.update({}, { remote: { address: HOST, rtpPort: 5002, rtcpPort: 5003 } });
    const { told } = bed.sockets;
    expect(told.at(-1)).toBe('callee open');
    expect(new Set(told.slice(0, -1))).toEqual(new Set(['event to callee at 5000']));
    expect(told.length).toBeGreaterThan(3);
  });

  test('is open once its peer has been quiet for two seconds: who sends instead is named', async () => {
    bed.talk('callee', CALLEE, 200);
    expect(bed.sockets.takeSettling()).toEqual(['caller open']);
    bed.receive('caller', STRANGER);
    const { caller } = await bed.counters();
    expect(caller.dropped['unknown-source']).toBe(1);
    expect(caller.lastStranger).toBe(`${HOST}:${STRANGER.port}`);
    bed.receive('caller', CALLER);
    expect(bed.sockets.takeSettling()).toEqual(['caller settled with 4000']);
  });

  test('counts a packet that the kernel did not take as dropped, not as sent', async () => {
    bed.receive('callee', CALLEE);
    const before = await bed.counters();
    bed.refuse('caller', audioPacket());
    const { caller, callee } = await bed.counters();
    expect(caller.sentPackets).toBe(before.caller.sentPackets - 1);
    expect(caller.sentBytes).toBe(before.caller.sentBytes - audioPacket().length);
    expect(callee.dropped['not-taken']).toBe(1);
  });

  test('takes nothing any more once its stream closes', async () => {
    await bed.host.receive({ type: 'closeStream', streamKey: 1 });
    bed.sockets.told.splice(0);
    bed.receive('caller', CALLER);
    bed.receive('callee', CALLEE);
    expect(bed.sockets.told).toEqual([]);
  });
});
