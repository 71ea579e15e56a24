/** What payload types mean on a leg: legs with the same agreement share tables, and none is touched by another. */

import { expect, test } from 'vitest';
import type { LegMedia } from '../../../src/media/media-engine.ts';
import {
  PAYLOAD_AUDIO,
  PAYLOAD_EVENT,
  PAYLOAD_OTHER,
  RelayLeg,
} from '../../../src/media/relay-leg.ts';
import { KEYPAD, sampleLeg } from './media-samples.ts';

/** A leg for which `changes` were agreed. */
function legWith(changes: Partial<LegMedia> = {}): RelayLeg {
  const leg = new RelayLeg('caller', 0);
  leg.update(sampleLeg(4000, changes));
  return leg;
}

/** What the numbers 0, 8, 97 and 101 are on a leg. */
function kindsOn({ payloadKinds }: RelayLeg): (number | undefined)[] {
  return [0, 8, 97, 101].map((number) => payloadKinds[number]);
}

const USUAL = [PAYLOAD_AUDIO, PAYLOAD_AUDIO, PAYLOAD_OTHER, PAYLOAD_EVENT];

function event(payloadType: number): LegMedia['event'] {
  return {
    sendPayloadType: payloadType,
    receivePayloadTypes: [payloadType],
    clockRate: 8000,
    events: KEYPAD,
  };
}

test('before the first agreement nothing is known, and numbers stay', () => {
  const leg = new RelayLeg('callee', 0);
  expect(kindsOn(leg)).toEqual([PAYLOAD_OTHER, PAYLOAD_OTHER, PAYLOAD_OTHER, PAYLOAD_OTHER]);
  expect([...leg.payloadTypeMap]).toEqual(Array.from({ length: 128 }, (_, number) => number));
});

test('legs with the same agreement have the same tables', () => {
  const [one, other] = [legWith(), legWith()];
  expect(kindsOn(one)).toEqual(USUAL);
  expect(other.payloadKinds).toBe(one.payloadKinds);
  expect(other.payloadTypeMap).toBe(one.payloadTypeMap);
});

test('what one of them agrees on later does not touch the other', () => {
  const [one, other] = [legWith(), legWith()];
  one.update(sampleLeg(4000, { event: event(97), payloadTypeMap: [[0, 96]] }));
  expect(kindsOn(one)).toEqual([PAYLOAD_AUDIO, PAYLOAD_AUDIO, PAYLOAD_EVENT, PAYLOAD_OTHER]);
  expect(one.payloadTypeMap[0]).toBe(96);
  expect(one.eventFormats.get(97)?.sendPayloadType).toBe(97);
  expect(kindsOn(other)).toEqual(USUAL);
  expect(other.payloadTypeMap[0]).toBe(0);
  expect(other.eventFormats.get(97)).toBeUndefined();
});

test('a number that was an event and is one no longer has no format', () => {
  const leg = legWith();
  leg.update(sampleLeg(4000, { event: undefined }));
  expect(kindsOn(leg)).toEqual([PAYLOAD_AUDIO, PAYLOAD_AUDIO, PAYLOAD_OTHER, PAYLOAD_OTHER]);
  expect(leg.eventFormats.size).toBe(0);
});

test('agreements that nobody else has push others out without harm', () => {
  const leg = legWith();
  for (let clockRate = 1; clockRate <= 1000; clockRate += 1) {
    legWith({ audio: { payloadTypes: [8], clockRate, packetTimeMs: 20 } });
  }
  expect(kindsOn(leg)).toEqual(USUAL);
  expect(kindsOn(legWith())).toEqual(USUAL);
});
