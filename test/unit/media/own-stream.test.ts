import { describe, expect, test } from 'vitest';
import {
  rtpMarker,
  rtpPayloadType,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
} from '../../../src/wire/rtp.ts';
import { sequenceDistance32 } from '../../../src/wire/sequence.ts';
import { eventsOf, REGULAR, stepsOf } from './arrived-events.ts';
import { audioPacket, eventPacket } from './media-samples.ts';
import { VirtualCall, type Arrived, type VirtualCallOptions } from './virtual-call.ts';

/** A call in which a digit of 100 ms was played before the caller said anything; 300 ms have passed. */
function digitFirst(options: VirtualCallOptions = {}): VirtualCall {
  const call = new VirtualCall(options);
  call.isTalking = false;
  call.run(100);
  call.play(['a', 5, 100]);
  call.run(200);
  return call;
}

function ssrcsOf(arrived: readonly Arrived[]): number[] {
  return [...new Set(arrived.map(({ bytes }) => rtpSsrc(bytes)))];
}

/** Ticks from each packet that arrived to the next. */
function ticksOf(arrived: readonly Arrived[]): number[] {
  const timestamps = arrived.map(({ bytes }) => rtpTimestamp(bytes));
  return timestamps
    .slice(1)
    .map((timestamp, index) => sequenceDistance32(timestamps[index] ?? 0, timestamp));
}

/** The bytes behind sequence number, timestamp and SSRC, and those before. */
function contentsOf(packet: Buffer): string {
  return Buffer.concat([packet.subarray(0, 2), packet.subarray(12)]).toString('hex');
}

describe('audio behind a digit that began the stream', () => {
  describe.each([0, 0.5, 0.999_99, 0.999_999_999])('our numbers from %d on', (value) => {
    test.each([0, 1, 32_768, 65_535])('the sender’s from %i on', (firstSequenceNumber) => {
      const relay = { random: () => value };
      const firstTimestamp = (firstSequenceNumber * 65_537) >>> 0;
      const call = digitFirst({ relay, firstSequenceNumber, firstTimestamp });
      call.isTalking = true;
      call.run(200);

      const audio = call.ofType(0);
      expect(eventsOf(call)).toEqual([REGULAR]);
      expect(ssrcsOf(call.arrived)).toEqual([Math.floor(value * 2 ** 32)]);
      expect(stepsOf(call.arrived)).toEqual(new Set([1]));
      expect(audio.map(({ bytes }) => contentsOf(bytes))).toEqual(call.sent.map(contentsOf));
      expect(new Set(ticksOf(audio))).toEqual(new Set([160]));
      const [first] = call.ofType(101);
      if (first === undefined || audio[0] === undefined) throw new Error('nothing arrived');
      expect(ticksOf([first, audio[0]])).toEqual([(audio[0].atMs - first.atMs) * 8]);
      expect(call.relay.counters(call.nowMs).caller.dropped.late).toBe(0);
    });
  });

  test('keeps the marker its sender set, and its mapped payload type', () => {
    const call = digitFirst({ caller: { payloadTypeMap: [[8, 98]] } });
    call.send((sequenceNumber) => audioPacket({ sequenceNumber, marker: true, payloadType: 8 }));
    call.send((sequenceNumber) => audioPacket({ sequenceNumber, payloadType: 8 }));
    const audio = call.ofType(98).map(({ bytes }) => rtpMarker(bytes));
    expect(audio).toEqual([true, false]);
  });

  test.each([10, 50, 90, 110, 130])('that comes %d ms into the digit', (startMs) => {
    const call = new VirtualCall({ audioPhaseMs: 3 });
    call.isTalking = false;
    call.play(['a', 5, 100]);
    call.run(startMs);
    call.isTalking = true;
    call.run(600);
    expect(eventsOf(call)).toEqual([REGULAR]);
    expect(ssrcsOf(call.arrived)).toHaveLength(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    const audio = call.ofType(0);
    expect(new Set(ticksOf(audio))).toEqual(new Set([160]));
    const last = audio.at(-1);
    const [first] = call.ofType(101);
    if (first === undefined || last === undefined) throw new Error('nothing arrived');
    expect(ticksOf([first, last])).toEqual([(last.atMs - first.atMs) * 8]);
  });

  test('from before its first packet is late: the digit has taken the number', () => {
    const call = digitFirst();
    call.deliver(audioPacket({ sequenceNumber: 1000, timestamp: 1600 }));
    call.deliver(audioPacket({ sequenceNumber: 999, timestamp: 1440 }));
    call.deliver(audioPacket({ sequenceNumber: 1001, timestamp: 1760 }));
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(call.relay.counters(0).caller.dropped.late).toBe(1);
  });

  test('keeps its holes and its order', () => {
    const call = digitFirst();
    for (const number of [10, 13, 12, 14]) {
      call.deliver(audioPacket({ sequenceNumber: number, timestamp: number * 160 }));
    }
    const audio = call.ofType(0);
    const numbers = audio.map(({ bytes }) => rtpSequenceNumber(bytes));
    expect(numbers.map((number) => (number - (numbers[0] ?? 0) + 65_536) % 65_536)).toEqual([
      0, 3, 2, 4,
    ]);
    expect(ticksOf(audio)).toEqual([480, -160, 320]);
  });

  test('shares its stream with the digits that follow', () => {
    const call = digitFirst();
    call.isTalking = true;
    call.run(500);
    call.play(['b', 5, 100], ['c', 5, 100]);
    call.run(1000);
    call.isTalking = false;
    call.run(1000);
    call.play(['d', 5, 100]);
    call.run(300);
    expect(eventsOf(call)).toEqual([REGULAR, REGULAR, REGULAR, REGULAR]);
    expect(call.finished).toEqual(['a', 'b', 'c', 'd']);
    expect(ssrcsOf(call.arrived)).toHaveLength(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    const starts = call.ofType(101).filter(({ bytes }) => rtpMarker(bytes));
    const [, b] = starts;
    if (b === undefined) throw new Error('no second digit');
    // Stream time is real time, so the timestamps tell when each packet left.
    for (const packet of [...starts, ...call.ofType(0)]) {
      expect(ticksOf([b, packet])[0]).toBe(Math.round((packet.atMs - b.atMs) * 8));
    }
  });
});

describe('events of the sender behind a digit of ours', () => {
  test('that come first of all are relayed in our stream', () => {
    const call = digitFirst();
    for (const [index, durationTicks] of [160, 320, 320, 320].entries()) {
      const fields = { timestamp: 77, durationTicks, isEnd: index > 0, marker: index === 0 };
      call.send((sequenceNumber) => eventPacket({ sequenceNumber, code: 6, ...fields }));
    }
    call.isTalking = true;
    call.run(100);
    expect(eventsOf(call)).toEqual([REGULAR, '6: 160M 320E 320E 320E']);
    expect(ssrcsOf(call.arrived)).toHaveLength(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    const output = call.outputs.find(({ type }) => type === 'digit');
    // Reported as it was sent to us.
    expect(output).toMatchObject({ output: { ssrc: 0x1111, rtpTimestamp: 77 } });
  });

  test('that are absorbed or unreadable leave no hole', () => {
    const call = digitFirst({ events: { caller: { mode: 'absorb', detect: true } } });
    call.send((sequenceNumber) => eventPacket({ sequenceNumber }));
    call.send((sequenceNumber) => eventPacket({ sequenceNumber }).subarray(0, 14));
    call.isTalking = true;
    call.run(100);
    expect(ssrcsOf(call.arrived)).toHaveLength(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });
});

describe('a sender that starts again in our stream', () => {
  test.each([
    ['with a new SSRC', { ssrc: 0x2222, sequenceNumber: 7, timestamp: 70 }],
    ['with numbers far ahead', { sequenceNumber: 20_000, timestamp: 70 }],
    ['with numbers far behind', { sequenceNumber: 64_000, timestamp: 70 }],
  ])('%s is carried on without a seam', (_name, start) => {
    const call = digitFirst({ firstSequenceNumber: 65_530 });
    call.isTalking = true;
    call.run(200);
    call.isTalking = false;
    call.run(500);
    const before = call.arrived.at(-1);
    for (let index = 0; index < 3; index++) {
      const sequenceNumber = start.sequenceNumber + index;
      call.deliver(
        audioPacket({ ...start, sequenceNumber, timestamp: start.timestamp + index * 160 }),
      );
      call.run(20);
    }
    const after = call.arrived.slice(-3);
    if (before === undefined || after[0] === undefined) throw new Error('nothing arrived');
    expect(ssrcsOf(call.arrived)).toHaveLength(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(ticksOf([before, after[0]])).toEqual([(after[0].atMs - before.atMs) * 8]);
    expect(ticksOf(after)).toEqual([160, 160]);
    call.play(['b', 5, 100]);
    call.run(300);
    expect(ssrcsOf(call.arrived)).toHaveLength(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(eventsOf(call)).toEqual([REGULAR, REGULAR]);
  });

  test('at the same moment as its last packet goes on a packet later', () => {
    const call = digitFirst();
    call.isTalking = true;
    call.run(100);
    call.deliver(audioPacket({ ssrc: 0x2222 }));
    const last = call.ofType(0).slice(-2);
    expect(ticksOf(last)[0]).toBeGreaterThanOrEqual(160);
  });

  test('during a digit is replaced by it like any audio', () => {
    const call = digitFirst();
    call.isTalking = true;
    call.run(100);
    call.isTalking = false;
    call.play(['b', 5, 100]);
    for (let index = 0; index < 20; index++) {
      call.deliver(audioPacket({ ssrc: 0x2222, sequenceNumber: index, timestamp: index * 160 }));
      call.run(20);
    }
    expect(eventsOf(call)).toEqual([REGULAR, REGULAR]);
    expect(ssrcsOf(call.arrived)).toHaveLength(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });
});

test('a stream the sender began stays its own, byte for byte', () => {
  const call = new VirtualCall();
  call.run(100);
  call.isTalking = false;
  call.play(['a', 5, 100]);
  call.run(200);
  call.deliver(audioPacket({ ssrc: 0x2222, sequenceNumber: 7, timestamp: 70 }));
  expect(call.arrived.at(-1)?.bytes).toEqual(
    audioPacket({ ssrc: 0x2222, sequenceNumber: 7, timestamp: 70 }),
  );
});

test('a digit behind nothing but events of the sender is in its stream and time', () => {
  const call = new VirtualCall();
  call.isTalking = false;
  call.send((sequenceNumber) => eventPacket({ sequenceNumber, timestamp: 4000, isEnd: true }));
  call.run(1000);
  call.play(['a', 5, 100]);
  const [first] = call.ofType(101).slice(1);
  if (first === undefined) throw new Error('nothing arrived');
  expect(rtpSsrc(first.bytes)).toBe(0x1111);
  expect(rtpTimestamp(first.bytes)).toBe(4000 + 8000);
  expect(rtpPayloadType(first.bytes)).toBe(101);
});
