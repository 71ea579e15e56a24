import { describe, expect, test } from 'vitest';
import type { DigitDetector } from '../../../src/dtmf/digit-detector.ts';
import { createDetector, describeOutputs, feed, play } from './detector-play.ts';

describe('what is no press', () => {
  test.each([0, 1, 2, 3, 5, 6, 7, 36, 400])('a payload of %i bytes', (length) => {
    const packet = { ssrc: 1, sequenceNumber: 1, rtpTimestamp: 1, marker: true };
    expect(createDetector().receive({ ...packet, payload: Buffer.alloc(length, 1) }, 0)).toEqual(
      [],
    );
  });

  test.each([17, 32, 40, 70, 255])('event %i', (code) => {
    const outputs = feed(createDetector(), {
      atMs: 0,
      timestamp: 0,
      code,
      durationTicks: 400,
      sequenceNumber: 0,
    });
    expect(outputs).toEqual([]);
  });

  test('duration 0', () => {
    expect(describeOutputs(play(0, [[0, 0, '5', 'M', 0]]))).toBe('');
  });
});

test('event 16 is R', () => {
  const outputs = feed(createDetector(), {
    atMs: 3,
    timestamp: 7,
    code: 16,
    isEnd: true,
    durationTicks: 800,
    sequenceNumber: 0,
    ssrc: 9,
  });
  const fields = { digit: 'R', eventCode: 16, ssrc: 9, rtpTimestamp: 7, atMs: 3 };
  expect(outputs).toEqual([
    { type: 'pressed', ...fields },
    { type: 'released', ...fields, durationMs: 100 },
  ]);
});

test('several reports in one packet are several presses, each behind the one before', () => {
  const payload = Buffer.from('010a032002 0a0320 030a0190'.replaceAll(' ', ''), 'hex');
  const packet = { ssrc: 1, sequenceNumber: 1, rtpTimestamp: 1000, marker: true, payload };
  const detector = createDetector();
  const outputs = detector.receive(packet, 0);
  expect(describeOutputs(outputs)).toBe('1 1/100 2 2/100 3');
  expect(outputs.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual([1000, 1000, 1800, 1800, 2600]);
  expect(detector.receive({ ...packet, sequenceNumber: 2 }, 20)).toEqual([]);
});

describe('a new SSRC', () => {
  const press = { timestamp: 5, code: 4, isEnd: true, durationTicks: 800, sequenceNumber: 1 };

  test('starts its timestamps anew', () => {
    const detector = createDetector();
    const outputs = [1, 2].flatMap((ssrc) => feed(detector, { ...press, atMs: 0, ssrc }));
    expect(describeOutputs(outputs)).toBe('4 4/100 4 4/100');
  });

  test('does not make late repeats of the old one new presses', () => {
    const detector = createDetector();
    const outputs = [1, 2, 1, 2, 1].flatMap((ssrc) => feed(detector, { ...press, atMs: 0, ssrc }));
    expect(describeOutputs(outputs)).toBe('4 4/100 4 4/100');
  });
});

describe('the timeout', () => {
  test('comes 150 ms behind the last update, not before', () => {
    const detector = createDetector();
    const update = { timestamp: 0, code: 1, durationTicks: 400, sequenceNumber: 0 };
    feed(detector, { ...update, atMs: 1000 });
    feed(detector, { ...update, atMs: 1050, durationTicks: 800, sequenceNumber: 1 });
    expect(detector.expiresAtMs).toBe(1200);
    expect(detector.expire(1199.9)).toEqual([]);
    expect(describeOutputs(detector.expire(1200))).toBe('1/100');
    expect(detector.expiresAtMs).toBeUndefined();
    expect(detector.expire(9999)).toEqual([]);
  });
});

function pressed(): DigitDetector {
  const detector = createDetector();
  feed(detector, { atMs: 0, timestamp: 1000, code: 1, durationTicks: 400, sequenceNumber: 0 });
  feed(detector, { atMs: 50, timestamp: 1000, code: 1, durationTicks: 800, sequenceNumber: 1 });
  return detector;
}

describe('audio', () => {
  test.each([
    ['behind the event and one interval more ends it', 1, 1000 + 1200, '1/100'],
    ['within that does not: it may run beside the event', 1, 1000 + 1199, ''],
    ['before the event does not', 1, 900, ''],
    ['of another SSRC does not', 2, 1000 + 1200, ''],
  ])('%s', (_name, ssrc, timestamp, expected) => {
    expect(describeOutputs(pressed().audio(ssrc, timestamp, 60))).toBe(expected);
  });

  test('without a press does nothing', () => {
    expect(createDetector().audio(1, 5, 0)).toEqual([]);
  });
});

describe('a stated duration', () => {
  test('is not believed beyond the time packets have been coming', () => {
    const detector = createDetector();
    const press = { timestamp: 0, code: 1, sequenceNumber: 0 };
    feed(detector, { ...press, atMs: 0, durationTicks: 400 });
    const outputs = feed(detector, { ...press, atMs: 50, isEnd: true, durationTicks: 49_155 });
    expect(describeOutputs(outputs)).toBe('1/300');
  });

  test('counts in its own clock', () => {
    const detector = createDetector({ clockRate: 48_000 });
    const press = {
      atMs: 0,
      timestamp: 0,
      code: 1,
      isEnd: true,
      durationTicks: 4800,
      sequenceNumber: 0,
    };
    expect(describeOutputs(feed(detector, press))).toBe('1 1/100');
  });
});

test('finish ends a press at once', () => {
  const detector = createDetector();
  feed(detector, { atMs: 0, timestamp: 0, code: 1, durationTicks: 400, sequenceNumber: 0 });
  expect(describeOutputs(detector.finish(10))).toBe('1/50');
  expect(detector.finish(20)).toEqual([]);
});
