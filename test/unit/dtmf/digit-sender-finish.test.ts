import { describe, expect, test } from 'vitest';
import type { DigitPacket } from '../../../src/dtmf/digit-sender.ts';
import { createSender, digit } from './sender-drain.ts';

describe('finishNow', () => {
  test('sends three ends, longer than stated before', () => {
    const sender = createSender();
    sender.enqueue(digit(5000));
    for (const nowMs of [0, 20, 40]) sender.poll(nowMs, 0);
    const ends = sender.finishNow(50);
    expect(ends.map(({ durationTicks, isEnd }) => [durationTicks, isEnd])).toEqual(
      Array.from({ length: 3 }, () => [560, true]),
    );
    expect(ends.map(({ isFirstEnd }) => isFirstEnd)).toEqual([true, false, false]);
    expect(sender.isPlaying).toBe(false);
    expect(sender.finishNow(51)).toEqual([]);
  });

  test('at once states the least tone a receiver knows', () => {
    const sender = createSender({ packetIntervalMs: 10 });
    sender.enqueue(digit(5000));
    sender.poll(0, 0);
    expect(sender.finishNow(0)[0]?.durationTicks).toBe(320);
  });

  test('sends only the ends that are owed', () => {
    const sender = createSender();
    sender.enqueue(digit(40));
    for (const nowMs of [0, 20]) sender.poll(nowMs, 0);
    const ends = sender.finishNow(21);
    expect(ends.map(({ isFirstEnd, durationTicks }) => [isFirstEnd, durationTicks])).toEqual([
      [false, 320],
      [false, 320],
    ]);
  });

  test('never states more than the digit has left', () => {
    const sender = createSender();
    sender.enqueue(digit(50));
    sender.poll(0, 0);
    expect(sender.finishNow(900)[0]?.durationTicks).toBe(400);
  });

  test('in a segment just begun states more than nothing', () => {
    const sender = createSender({ clockRate: 48_000, packetIntervalMs: 50 });
    sender.enqueue(digit(1500));
    const atMs = [...Array(30).keys()].map((index) => index * 50);
    const packets = atMs.map((nowMs) => sender.poll(nowMs, 0));
    const full = packets.findIndex((packet) => packet?.durationTicks === 0xffff);
    const sooner = createSender({ clockRate: 48_000, packetIntervalMs: 50 });
    sooner.enqueue(digit(1500));
    for (const nowMs of atMs.slice(0, full + 3)) sooner.poll(nowMs, 0);
    const [end] = sooner.finishNow((full + 2) * 50);
    expect(end?.rtpTimestamp).toBe(0xffff);
    expect(end?.durationTicks).toBeGreaterThan(0);
  });

  test('leaves the gap before the next digit', () => {
    const sender = createSender();
    sender.enqueue(digit(5000, 'a'));
    sender.enqueue(digit(40, 'b'));
    sender.poll(0, 0);
    sender.finishNow(100);
    expect(sender.nextAtMs).toBe(180);
  });
});

describe('extra', () => {
  test('is nothing when nothing plays', () => {
    const sender = createSender();
    expect(sender.extra(0)).toBeUndefined();
    sender.enqueue(digit(40));
    expect(sender.extra(0)).toBeUndefined();
  });

  test('is an update between two updates', () => {
    const sender = createSender({ packetIntervalMs: 50 });
    sender.enqueue(digit(1000));
    sender.poll(0, 0);
    expect(sender.extra(20)).toMatchObject({ durationTicks: 560, isEnd: false, marker: false });
    expect(sender.extra(20)).toMatchObject({ durationTicks: 561 });
    expect(sender.poll(50, 0)).toMatchObject({ durationTicks: 800 });
  });

  test('stays below the end of the tone', () => {
    const sender = createSender();
    sender.enqueue(digit(50));
    sender.poll(0, 0);
    const extras = Array.from({ length: 300 }, () => sender.extra(1000));
    const durations = extras.map((packet) => packet?.durationTicks);
    // Small steps, so that no two state the same as long as there is room.
    expect(durations.slice(0, 3)).toEqual([161, 162, 163]);
    expect(durations.slice(-2)).toEqual([399, 399]);
    expect(extras.every((packet) => packet?.isEnd === false)).toBe(true);
  });

  test('repeats the end at the end, and a full segment within one', () => {
    const sender = createSender();
    sender.enqueue(digit(40));
    for (const nowMs of [0, 20]) sender.poll(nowMs, 0);
    expect(sender.extra(21)).toMatchObject({ durationTicks: 320, isEnd: true, isFirstEnd: false });
    const long = createSender({ clockRate: 48_000 });
    long.enqueue(digit(1500));
    let packet: DigitPacket | undefined;
    for (let nowMs = 0; packet?.durationTicks !== 0xffff; nowMs += 20) packet = long.poll(nowMs, 0);
    expect(long.extra(2000)).toMatchObject({
      durationTicks: 0xffff,
      isEnd: false,
      rtpTimestamp: 0,
    });
  });
});
