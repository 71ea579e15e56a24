/** The short way of audio in a row says, sends and counts what the long way does. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FastLanes } from '../../../src/media/fast-lanes.ts';
import { Relay } from '../../../src/media/relay.ts';
import { StreamLanes } from '../../../src/media/stream-lanes.ts';
import { otherSide, type Side, SIDES } from '../../../src/wire/side.ts';
import { addSequence16, addSequence32 } from '../../../src/wire/sequence.ts';
import { audioPacket, eventPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

const PEERS = {
  caller: { address: '127.0.0.1', port: 4000 },
  callee: { address: '127.0.0.1', port: 5000 },
};
const TICKS = 160;

/** A relay with its lanes, or without, as its host runs it; writes down all that happens. */
class Driver {
  readonly written: string[] = [];
  /** Packets that took the short way. */
  short = 0;
  readonly relay: Relay;
  readonly #lanes: StreamLanes | undefined;

  constructor(hasLanes: boolean) {
    let seed = 1;
    this.relay = new Relay(
      {
        random: () => {
          seed = (seed * 16_807) % 2_147_483_647;
          return seed / 2_147_483_647;
        },
        renameSource: (name) => name,
        inactivityTimeoutMs: 60_000,
        holdTimeoutMs: 60_000,
      },
      0,
    );
    const { relay } = this;
    if (hasLanes) this.#lanes = new StreamLanes({ lanes: new FastLanes(4), relay, sockets: {} });
  }

  look(): void {
    this.#lanes?.collectBoth();
    this.#lanes?.look();
  }

  receive(side: Side, packet: Buffer, nowMs: number): void {
    const destination = this.#lanes?.take(side, packet, PEERS[side], nowMs);
    if (destination !== undefined) {
      this.short += 1;
      if (destination.port !== PEERS[otherSide(side)].port) this.written.push('to somebody else');
      this.#forwarded(packet);
      return;
    }
    this.#lanes?.close(side);
    const verdict = this.relay.receiveRtp(side, packet, PEERS[side], nowMs);
    this.#carryOut();
    if (verdict === 'forward') this.#forwarded(packet);
  }

  command(run: (relay: Relay) => void): void {
    this.#lanes?.closeBoth();
    run(this.relay);
    this.#carryOut();
  }

  poll(nowMs: number): void {
    this.relay.poll(nowMs);
    this.#carryOut();
  }

  count(nowMs: number): void {
    this.#lanes?.collectBoth();
    this.written.push(JSON.stringify(this.relay.counters(nowMs)));
  }

  #forwarded(packet: Buffer): void {
    this.written.push(packet.toString('hex', 0, 16) + packet.length);
  }

  #carryOut(): void {
    for (const output of this.relay.takeOutputs()) this.written.push(JSON.stringify(output));
  }
}

/** What a sender does beside going on as it did. */
const KINDS = [
  'row',
  'row',
  'row',
  'lost',
  'silence',
  'again',
  'late',
  'source',
  'marker',
  'codec',
  'noise',
  'key',
  'short',
  'digit',
  'hold',
  'agree',
  'count',
] as const;
type Kind = (typeof KINDS)[number];

interface Step {
  readonly kind: Kind;
  readonly side: Side;
  readonly packets: number;
  readonly late: number;
}

interface Sender {
  ssrc: number;
  sequenceNumber: number;
  timestamp: number;
  payloadType: number;
}

class Story {
  readonly #drivers: readonly Driver[];
  readonly #absorbs: boolean;
  #nowMs = 0;
  readonly #senders: Record<Side, Sender> = {
    caller: { ssrc: 0xf0000001, sequenceNumber: 65_500, timestamp: 0xffff_f000, payloadType: 0 },
    callee: { ssrc: 2, sequenceNumber: 7, timestamp: 0x7fff_ff00, payloadType: 0 },
  };

  constructor(drivers: readonly Driver[], absorbs: boolean) {
    this.#drivers = drivers;
    this.#absorbs = absorbs;
    this.#agree(true);
  }

  play({ kind, side, packets, late }: Step): void {
    const sender = this.#senders[side];
    if (kind === 'lost') sender.sequenceNumber = addSequence16(sender.sequenceNumber, late);
    if (kind === 'silence') sender.timestamp = addSequence32(sender.timestamp, 1000 * late);
    if (kind === 'again') sender.sequenceNumber = addSequence16(sender.sequenceNumber, -1);
    if (kind === 'late') this.#send(side, { back: late });
    if (kind === 'source') sender.ssrc = addSequence32(sender.ssrc, 1);
    if (kind === 'marker') this.#send(side, { marker: true });
    if (kind === 'codec') sender.payloadType = 8 - sender.payloadType;
    if (kind === 'noise') this.#send(side, { payloadType: 13 });
    if (kind === 'key') this.#press(side, late);
    if (kind === 'short')
      for (const driver of this.#drivers) driver.receive(side, Buffer.alloc(11), this.#nowMs);
    if (kind === 'digit') {
      const digit = { digitId: String(packets), eventCode: 3, durationMs: 100 };
      this.#command((relay) => relay.playDigit(side, digit));
    }
    if (kind === 'hold') this.#agree(false);
    if (kind === 'agree') this.#agree(true);
    if (kind === 'count') for (const driver of this.#drivers) driver.count(this.#nowMs);
    this.#row(side, packets, late);
  }

  #row(side: Side, packets: number, late: number): void {
    for (let packet = 0; packet < packets; packet += 1) {
      if (packet % 3 === 2) for (const driver of this.#drivers) driver.look();
      this.#pass(packet % 4 === 3 ? 20 + late : 20);
      this.#send(side, {});
    }
  }

  #pass(ms: number): void {
    this.#nowMs += ms + 0.37;
    for (const driver of this.#drivers) driver.poll(this.#nowMs);
  }

  #send(
    side: Side,
    {
      back = 0,
      marker = false,
      payloadType,
    }: { back?: number; marker?: boolean; payloadType?: number },
  ): void {
    const sender = this.#senders[side];
    const fields = {
      ssrc: sender.ssrc,
      sequenceNumber: addSequence16(sender.sequenceNumber, -back),
      timestamp: addSequence32(sender.timestamp, -back * TICKS),
      payloadType: payloadType ?? sender.payloadType,
      marker,
    };
    if (back === 0) this.#advance(sender);
    for (const driver of this.#drivers) driver.receive(side, audioPacket(fields), this.#nowMs);
  }

  #press(side: Side, code: number): void {
    const sender = this.#senders[side];
    const { ssrc, timestamp } = sender;
    for (let packet = 1; packet <= 5; packet += 1) {
      const { sequenceNumber } = sender;
      const event = { code, isEnd: packet > 3, durationTicks: TICKS * Math.min(packet, 4) };
      const fields = { ...event, ssrc, timestamp, sequenceNumber, marker: packet === 1 };
      this.#advance(sender);
      this.#pass(20);
      for (const driver of this.#drivers) driver.receive(side, eventPacket(fields), this.#nowMs);
    }
  }

  #advance(sender: Sender): void {
    sender.sequenceNumber = addSequence16(sender.sequenceNumber, 1);
    sender.timestamp = addSequence32(sender.timestamp, TICKS);
  }

  #agree(maySend: boolean): void {
    const payloadTypeMap = this.#absorbs ? ([[0, 8]] as const) : [];
    const caller = sampleLeg(PEERS.caller.port, { payloadTypeMap });
    const callee = sampleLeg(PEERS.callee.port, { maySend });
    const handling = { mode: this.#absorbs ? 'absorb' : 'relay', detect: true } as const;
    const update = sampleUpdate(caller, callee, { caller: handling, callee: handling });
    this.#command((relay) => relay.update(update, this.#nowMs));
  }

  #command(run: (relay: Relay) => void): void {
    for (const driver of this.#drivers) driver.command(run);
  }
}

const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  side: fc.constantFrom(...SIDES),
  packets: fc.integer({ min: 0, max: 12 }),
  late: fc.integer({ min: 1, max: 15 }),
});

/** What happened on both ways, and how many packets took the short one. */
function tell(
  steps: readonly Step[],
  absorbs: boolean,
): Record<'long' | 'short', string[]> & { taken: number } {
  const long = new Driver(false);
  const short = new Driver(true);
  const story = new Story([long, short], absorbs);
  for (const each of [...steps, { kind: 'count', side: 'caller', packets: 0, late: 1 } as const]) {
    story.play(each);
  }
  return { long: long.written, short: short.written, taken: short.short };
}

describe('audio that goes on as it did', () => {
  test.each([false, true])('is treated alike on both ways (digits absorbed: %s)', (absorbs) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { long, short } = tell(steps, absorbs);
        expect(short).toEqual(long);
      }),
      { numRuns: 300 },
    );
  });

  test.each([false, true])('takes the short way (digits absorbed: %s)', (absorbs) => {
    const row = { kind: 'row', side: 'caller', packets: 200, late: 1 } as const;
    expect(tell([row], absorbs).taken).toBe(198);
  });

  test('takes it again behind keys, absorbed ones too', () => {
    const row = { kind: 'row', side: 'callee', packets: 200, late: 4 } as const;
    expect(tell([row, { ...row, kind: 'key' }], true).taken).toBeGreaterThan(380);
    expect(tell([row, { ...row, kind: 'key' }], false).taken).toBeGreaterThan(380);
  });

  test('takes it again behind digits that were put in', () => {
    const row = { kind: 'row', side: 'callee', packets: 200, late: 4 } as const;
    expect(tell([row, { ...row, kind: 'digit', side: 'caller' }, row], true).taken).toBeGreaterThan(
      350,
    );
  });
});

describe('lanes', () => {
  test('are given out once, and again when they were given back', () => {
    const lanes = new FastLanes(2);
    expect([lanes.reserve(), lanes.reserve(), lanes.reserve()]).toEqual([0, 1, undefined]);
    lanes.release(0);
    expect([lanes.reserve(), lanes.reserve()]).toEqual([0, undefined]);
  });

  test('take nothing when they are closed, and keep their count', () => {
    const lanes = new FastLanes(1);
    const transit = { ticks: 0, jitterTicks: 0, clockRate: 8000 };
    const start = { head: 0x8000, ssrc: 0x1111, nextSequenceNumber: 5, nextTimestamp: 800 };
    lanes.open(0, { ...start, ticks: TICKS, numberOffset: 0, payloadType: 0, transit });
    const packet = audioPacket({ sequenceNumber: 5, timestamp: 800 });
    expect(lanes.take(0, packet, 100)).toBe(true);
    lanes.close(0);
    expect(lanes.take(0, audioPacket({ sequenceNumber: 6, timestamp: 960 }), 120)).toBe(false);
    expect(lanes.collect(0)).toMatchObject({
      packets: 1,
      bytes: 172,
      sequenceNumber: 5,
      timestamp: 800,
      atMs: 100,
    });
    expect(lanes.collect(0)).toBeUndefined();
  });
});
