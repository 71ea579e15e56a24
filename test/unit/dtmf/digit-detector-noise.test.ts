import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DetectorOutput } from '../../../src/dtmf/digit-detector.ts';
import { addSequence16, addSequence32 } from '../../../src/wire/sequence.ts';
import { createDetector, createRandom, feed, STARTS, type Sent } from './detector-play.ts';

describe('loss, duplication, reordering', () => {
  interface Press {
    readonly code: number;
    readonly packets: number;
    readonly gapPackets: number;
    readonly hasMarker: boolean;
    readonly keepEnd: number;
  }
  const anyPress: fc.Arbitrary<Press> = fc.record({
    code: fc.integer({ min: 0, max: 15 }),
    packets: fc.integer({ min: 2, max: 12 }),
    gapPackets: fc.integer({ min: 2, max: 10 }),
    hasMarker: fc.boolean(),
    keepEnd: fc.integer({ min: 0, max: 2 }),
  });
  const anyNoise = fc.record({
    /** Per packet: lost below 0.3. */
    losses: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }),
    copies: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 7, maxLength: 7 }),
    delays: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 11, maxLength: 11 }),
  });

  /** The packets of `presses` at 20 ms, audio sequence numbers left out between them. */
  function packetsOf(presses: readonly Press[], start: number): (Sent & { isKept: boolean })[] {
    const sent: (Sent & { isKept: boolean })[] = [];
    let slot = 0;
    for (const press of presses) {
      const timestamp = addSequence32(start, slot * 160);
      const total = press.packets + 2;
      for (let index = 0; index < total; index++) {
        const isEnd = index >= press.packets - 1;
        sent.push({
          atMs: (slot + index) * 20,
          timestamp,
          code: press.code,
          isEnd,
          marker: index === 0 && press.hasMarker,
          durationTicks: Math.min(index + 1, press.packets) * 160,
          sequenceNumber: addSequence16(start & 0xffff, slot + index),
          // Of three end packets one always arrives, the others may all be lost.
          isKept: index === press.packets - 1 + press.keepEnd,
        });
      }
      slot += total + press.gapPackets;
    }
    return sent;
  }

  test.each(STARTS)('N presses are N presses from timestamp %i', (start) => {
    fc.assert(
      fc.property(
        fc.array(anyPress, { minLength: 1, maxLength: 12 }),
        anyNoise,
        (presses, noise) => {
          const arriving: { position: number; sent: Sent }[] = [];
          for (const [index, sent] of packetsOf(presses, start).entries()) {
            const isLost = (noise.losses[index % 40] ?? 1) < 0.3 && !sent.isKept;
            const copies = isLost ? 0 : (noise.copies[index % 7] ?? 1);
            for (let copy = 0; copy < copies; copy++) {
              // The one that counts is not overtaken by the next press: that would be an ignored late packet.
              const isOnTime = sent.isKept && copy === 0;
              const delay = isOnTime ? 0 : (noise.delays[(index + copy * 3) % 11] ?? 0);
              arriving.push({ position: sent.atMs / 20 + delay, sent });
            }
          }
          arriving.sort((a, b) => a.position - b.position);
          const detector = createDetector();
          const outputs: DetectorOutput[] = [];
          for (const { position, sent } of arriving) {
            outputs.push(...feed(detector, { ...sent, atMs: position * 20 }));
          }
          outputs.push(...detector.finish(1e6));
          const pressed = outputs.filter(({ type }) => type === 'pressed');
          const released = outputs.filter(({ type }) => type === 'released');
          expect(pressed.map(({ eventCode }) => eventCode)).toEqual(
            presses.map(({ code }) => code),
          );
          expect(released.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual(
            pressed.map(({ rtpTimestamp }) => rtpTimestamp),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('100 000 presses at 30 % loss are 100 000 presses while one packet of each arrives', () => {
    const detector = createDetector();
    const random = createRandom(1);
    let pressed = 0;
    let released = 0;
    for (let press = 0; press < 100_000; press++) {
      const survivor = Math.floor(random() * 7);
      for (let index = 0; index < 7; index++) {
        if (index !== survivor && random() < 0.3) continue;
        const outputs = feed(detector, {
          atMs: press * 160 + index * 20,
          timestamp: addSequence32(0xffff_0000, press * 1280),
          code: press % 3,
          isEnd: index >= 4,
          marker: index === 0,
          durationTicks: Math.min(index + 1, 5) * 160,
          sequenceNumber: addSequence16(65_000, press * 8 + index),
        });
        pressed += outputs.filter(({ type }) => type === 'pressed').length;
        released += outputs.filter(({ type }) => type === 'released').length;
      }
    }
    released += detector.finish(1e9).length;
    expect({ pressed, released }).toEqual({ pressed: 100_000, released: 100_000 });
  });

  test('any bytes never throw and never leave more than one press open', () => {
    const detector = createDetector({ mergeWindowMs: 50 });
    let open = 0;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 44 }),
        fc.nat(0xffff),
        fc.nat(0xffff_ffff),
        fc.boolean(),
        (bytes, sequenceNumber, rtpTimestamp, marker) => {
          const payload = Buffer.from(bytes);
          const packet = {
            ssrc: sequenceNumber % 3,
            sequenceNumber,
            rtpTimestamp,
            marker,
            payload,
          };
          for (const output of detector.receive(packet, sequenceNumber)) {
            open += output.type === 'pressed' ? 1 : -1;
            expect(open === 0 || open === 1).toBe(true);
          }
          expect(detector.isPressed).toBe(open === 1);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
