import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ALL_DIGITS,
  digitOfEvent,
  eventOfDigit,
  isTelephoneEventPayload,
  readTelephoneEvent,
  rescaleDuration,
  TELEPHONE_EVENT_BYTES,
  telephoneEventCode,
  writeTelephoneEvent,
} from '../../../src/wire/telephone-event.ts';

const anyEvent = fc.record({
  code: fc.integer({ min: 0, max: 255 }),
  isEnd: fc.boolean(),
  volume: fc.integer({ min: 0, max: 63 }),
  durationTicks: fc.integer({ min: 0, max: 0xffff }),
});

test('what is written reads back the same', () => {
  fc.assert(
    fc.property(anyEvent, fc.nat(8), (event, offset) => {
      const bytes = Buffer.alloc(offset + TELEPHONE_EVENT_BYTES, 0xff);
      writeTelephoneEvent(event, bytes, offset);
      expect(readTelephoneEvent(bytes, offset)).toEqual(event);
      expect(telephoneEventCode(bytes, offset)).toBe(event.code);
    }),
  );
});

test('any bytes read without throwing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const payload = Buffer.from(bytes);
      expect(readTelephoneEvent(payload) === undefined).toBe(payload.length < 4);
    }),
  );
});

test.each([
  ['05 0a 01 90', { code: 5, isEnd: false, volume: 10, durationTicks: 400 }],
  ['0b 8a 05 00', { code: 11, isEnd: true, volume: 10, durationTicks: 1280 }],
  ['00 ff ff ff', { code: 0, isEnd: true, volume: 63, durationTicks: 65_535 }],
  ['0f 40 00 00', { code: 15, isEnd: false, volume: 0, durationTicks: 0 }],
  ['05 0a 01 90 ff', { code: 5, isEnd: false, volume: 10, durationTicks: 400 }],
])('%s is %j', (hex, event) => {
  expect(readTelephoneEvent(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toEqual(event);
});

test('the reserved bit is written as 0', () => {
  const bytes = Buffer.alloc(4, 0xff);
  writeTelephoneEvent({ code: 1, isEnd: false, volume: 0, durationTicks: 1 }, bytes);
  expect(bytes.toString('hex')).toBe('01000001');
});

test('each digit has its event and each event its digit', () => {
  expect(ALL_DIGITS.map((digit) => eventOfDigit(digit))).toEqual([...ALL_DIGITS.keys()]);
  expect([...ALL_DIGITS.keys()].map((code) => digitOfEvent(code))).toEqual([...ALL_DIGITS]);
  expect([16, 17, 255, -1].map((code) => digitOfEvent(code))).toEqual(Array(4).fill(undefined));
});

test.each([
  ['code', { code: 256 }],
  ['volume', { volume: 64 }],
  ['duration', { durationTicks: 65_536 }],
])('a %s that does not fit is refused', (_name, change) => {
  const event = { code: 1, isEnd: false, volume: 0, durationTicks: 1, ...change };
  expect(() => writeTelephoneEvent(event, Buffer.alloc(4))).toThrow(RangeError);
});

test.each([
  [0, false],
  [1, false],
  [3, false],
  [4, true],
  [5, false],
  [8, true],
])('a payload of %i bytes: whole reports %s', (length, expected) => {
  expect(isTelephoneEventPayload(Buffer.alloc(length))).toBe(expected);
});

test.each([
  [960, 48_000, 8000, 160],
  [160, 8000, 48_000, 960],
  [20_000, 8000, 48_000, 65_535],
  [100, 8000, 8000, 100],
  [1, 48_000, 8000, 0],
])('%i ticks of %i Hz are, at %i Hz, %i ticks', (ticks, from, to, expected) => {
  const bytes = Buffer.alloc(8, 0xff);
  writeTelephoneEvent({ code: 3, isEnd: true, volume: 7, durationTicks: ticks }, bytes, 4);
  rescaleDuration(bytes, 4, from, to);
  expect(readTelephoneEvent(bytes, 4)).toEqual({
    code: 3,
    isEnd: true,
    volume: 7,
    durationTicks: expected,
  });
});
