import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DigitSender,
  MAX_QUEUED_DIGITS,
  type DigitPacket,
  type SenderOptions,
} from '../../../src/dtmf/digit-sender.ts';
import { sequenceDistance32 } from '../../../src/wire/sequence.ts';
import { createSender, describeSent, digit, drain } from './sender-drain.ts';

describe('one digit', () => {
  test.each<[string, number, Partial<SenderOptions>, string[]]>([
    [
      '100 ms at 20 ms',
      100,
      {},
      ['0 160M', '20 320', '40 480', '60 640', '80 800E', '100 800E', '120 800E'],
    ],
    [
      '160 ms at 50 ms',
      160,
      { packetIntervalMs: 50 },
      ['0 400M', '50 800', '100 1200', '150 1280E', '200 1280E', '250 1280E'],
    ],
    ['as short as one packet', 40, { packetIntervalMs: 50 }, ['0 320ME', '50 320E', '100 320E']],
    ['shorter than any receiver knows', 10, {}, ['0 160M', '20 320E', '40 320E', '60 320E']],
    [
      '100 ms of 48 kHz',
      100,
      { clockRate: 48_000, packetIntervalMs: 40 },
      ['0 1920M', '40 3840', '80 4800E', '120 4800E', '160 4800E'],
    ],
  ])('%s', (_name, durationMs, options, expected) => {
    const sender = createSender(options);
    sender.enqueue(digit(durationMs));
    expect(describeSent(drain(sender))).toEqual(expected);
  });

  test('keeps one timestamp and says which packet ends it first', () => {
    const sender = createSender();
    sender.enqueue(digit(60));
    const sent = drain(sender, 8000, 4711);
    expect(new Set(sent.map(({ rtpTimestamp }) => rtpTimestamp))).toEqual(new Set([4711]));
    expect(sent.map(({ isFirstEnd }) => isFirstEnd)).toEqual([false, false, true, false, false]);
    expect(sent.map(({ digitId, eventCode }) => [digitId, eventCode])).toEqual(
      Array.from({ length: 5 }, () => ['a', 5]),
    );
  });

  test('leaves packets out rather than sending a burst when polled late', () => {
    const sender = createSender();
    sender.enqueue(digit(100));
    const durations: number[] = [];
    for (const nowMs of [0, 47, 48, 60, 130, 131, 140, 160, 161]) {
      const packet = sender.poll(nowMs, 0);
      if (packet !== undefined) durations.push(packet.durationTicks);
    }
    expect(durations).toEqual([160, 480, 640, 800, 800, 800]);
    expect(sender.isPlaying).toBe(false);
  });

  test('is due half a millisecond early: timers count whole ones', () => {
    const sender = createSender();
    sender.enqueue(digit(100));
    sender.poll(0, 0);
    expect(sender.poll(19.4, 0)).toBeUndefined();
    expect(sender.poll(19.6, 0)?.durationTicks).toBe(320);
    expect(sender.nextAtMs).toBe(40);
  });
});

describe('several digits', () => {
  test.each([
    ['the gap', { gapMs: 60 }, 160],
    ['a longer gap', { gapMs: 200 }, 300],
    ['the least gap', { gapMs: 0, packetIntervalMs: 10 }, 140],
    ['the repeats where they take longer', { gapMs: 60, packetIntervalMs: 50 }, 200],
  ])('%s lies between them', (_name, options, secondAtMs) => {
    const sender = createSender(options);
    sender.enqueue(digit(100, 'a'));
    sender.enqueue(digit(100, 'b'));
    const starts = drain(sender).filter(({ marker }) => marker);
    expect(starts.map(({ atMs }) => atMs)).toEqual([0, secondAtMs]);
    expect(starts.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual([0, secondAtMs * 8]);
  });

  test('the queue holds 128 behind the playing one; overflow refuses the newest', () => {
    const sender = createSender();
    sender.enqueue(digit(100, 'playing'));
    sender.poll(0, 0);
    for (let index = 0; index < MAX_QUEUED_DIGITS; index++) {
      expect(sender.enqueue(digit(40, String(index)))).toBe(true);
    }
    expect(sender.enqueue(digit(40, 'late'))).toBe(false);
    expect(sender.clear().map(({ digitId }) => digitId)).toEqual(
      Array.from({ length: MAX_QUEUED_DIGITS }, (_, index) => String(index)),
    );
    expect(sender.isBusy).toBe(true);
    expect(describeSent(drain(sender))).toHaveLength(6);
    expect(sender.isBusy).toBe(false);
  });

  test('a hold delays the next one, not the playing one', () => {
    const sender = createSender();
    sender.holdUntil(150);
    sender.holdUntil(100);
    sender.enqueue(digit(40));
    expect(sender.nextAtMs).toBe(100);
    expect(sender.poll(99, 0)).toBeUndefined();
    expect(sender.poll(100, 0)?.marker).toBe(true);
    sender.holdUntil(1000);
    expect(sender.nextAtMs).toBe(120);
  });

  test('new options count from the next digit on', () => {
    const sender = createSender();
    sender.enqueue(digit(40, 'a'));
    sender.enqueue(digit(40, 'b'));
    sender.poll(0, 0);
    sender.configure({ clockRate: 16_000, packetIntervalMs: 40, gapMs: 60 });
    const sent = drain(sender);
    expect(sent.filter(({ digitId }) => digitId === 'a').at(-1)?.durationTicks).toBe(320);
    expect(
      sent.filter(({ digitId }) => digitId === 'b').map((packet) => packet.durationTicks),
    ).toEqual([640, 640, 640]);
  });
});

describe('a tone beyond 0xFFFF ticks', () => {
  test('goes on in segments without marker, each full one reported three times', () => {
    const sender = createSender({ clockRate: 48_000 });
    sender.enqueue(digit(3000));
    const sent = drain(sender, 48_000);
    const segments = Map.groupBy(sent, ({ rtpTimestamp }) => rtpTimestamp);
    expect([...segments.keys()]).toEqual([0, 0xffff, 2 * 0xffff]);
    const [first = [], second = [], third = []] = [...segments.values()];
    for (const segment of [first, second]) {
      expect(segment.slice(-4).map(({ durationTicks }) => durationTicks === 0xffff)).toEqual([
        false,
        true,
        true,
        true,
      ]);
      expect(segment.some(({ isEnd }) => isEnd)).toBe(false);
    }
    expect(third.slice(-3).map(({ durationTicks, isEnd }) => [durationTicks, isEnd])).toEqual(
      Array.from({ length: 3 }, () => [144_000 - 2 * 0xffff, true]),
    );
    expect(sent.filter(({ marker }) => marker)).toHaveLength(1);
    expect(new Set(sent.map(({ digitTimestamp }) => digitTimestamp))).toEqual(new Set([0]));
    expect(sent.map(({ atMs }) => atMs)).toEqual(Array.from(sent, (_, index) => index * 20));
  });

  test('of exactly 0xFFFF needs one segment only', () => {
    const sender = createSender();
    sender.enqueue(digit(0xffff / 8));
    const sent = drain(sender);
    expect(new Set(sent.map(({ rtpTimestamp }) => rtpTimestamp)).size).toBe(1);
    expect(sent.slice(-3).every(({ isEnd }) => isEnd)).toBe(true);
  });
});

test.each([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fc00, 0xffff_ffff])(
  'any queue gives well-formed events from timestamp %i',
  (start) => {
    const anyDigits = fc.array(
      fc.record({
        digitId: fc.string(),
        eventCode: fc.nat(15),
        durationMs: fc.integer({ min: 1, max: 3000 }),
      }),
      { minLength: 1, maxLength: 5 },
    );
    const anyOptions = fc.record({
      clockRate: fc.constantFrom(8000, 16_000, 48_000),
      packetIntervalMs: fc.integer({ min: 10, max: 50 }),
      gapMs: fc.integer({ min: 0, max: 1000 }),
    });
    fc.assert(
      fc.property(anyDigits, anyOptions, (digits, options) => {
        const sender = new DigitSender(options);
        for (const each of digits) sender.enqueue(each);
        const sent = drain(sender, options.clockRate, start);
        const events = Map.groupBy(sent, ({ digitTimestamp }) => digitTimestamp);
        expect(events.size).toBe(digits.length);
        for (const packets of events.values()) {
          expect(packets.filter(({ marker }) => marker)).toEqual([packets[0]]);
          expect(packets.filter(({ isEnd }) => isEnd)).toEqual(packets.slice(-3));
          expect(packets.every(({ durationTicks }) => durationTicks > 0)).toBe(true);
        }
        for (const [index, packet] of sent.slice(1).entries()) {
          expect(isBehind(sent[index] ?? packet, packet)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  },
);

/** Whether `packet` lies behind `last` in stream time, or is a later report of the same segment. */
function isBehind(last: DigitPacket, packet: DigitPacket): boolean {
  const ticks = sequenceDistance32(last.rtpTimestamp, packet.rtpTimestamp);
  return ticks > 0 || (ticks === 0 && packet.durationTicks >= last.durationTicks);
}
