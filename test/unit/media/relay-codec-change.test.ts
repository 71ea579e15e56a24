/** Several telephone-event formats on one m-line: one per clock rate of its voice codecs. */
import { describe, expect, test } from 'vitest';
import { rtpTimestamp } from '../../../src/wire/rtp.ts';
import { sequenceDistance32 } from '../../../src/wire/sequence.ts';
import type { EventMedia, LegMedia } from '../../../src/media/media-engine.ts';
import { eventsOf, stepsOf } from './arrived-events.ts';
import { audioPacket, eventPacket, KEYPAD } from './media-samples.ts';
import { VirtualCall } from './virtual-call.ts';

const PCMU = 0;
const WIDE = 98;
const OPUS = 111;

function format(payloadType: number, clockRate: number, events = KEYPAD): EventMedia {
  return {
    sendPayloadType: payloadType,
    receivePayloadTypes: [payloadType],
    clockRate,
    events,
  };
}

/** A leg with PCMU, a 16 kHz codec and Opus, the first one expected. */
function leg(narrow: number, wide: number, opus: number): Partial<LegMedia> {
  return {
    audio: {
      payloadTypes: [PCMU, WIDE, OPUS],
      clockRate: 8000,
      packetTimeMs: 20,
      otherClockRates: [
        [PCMU, 8000],
        [WIDE, 16_000],
        [OPUS, 48_000],
      ],
    },
    event: format(narrow, 8000),
    otherEvents: [format(wide, 16_000), format(opus, 48_000)],
  };
}

function openCall(): VirtualCall {
  const call = new VirtualCall({ caller: leg(101, 102, 103), callee: leg(104, 105, 106) });
  call.isTalking = false;
  return call;
}

/** `count` frames of 20 ms of a codec. */
function talk(call: VirtualCall, payloadType: number, clockRate: number, count = 5): void {
  for (let index = 0; index < count; index++) {
    const timestamp = (call.nowMs * clockRate) / 1000;
    call.send((sequenceNumber) => audioPacket({ sequenceNumber, timestamp, payloadType }));
    call.run(20);
  }
}

describe('an event of the peer', () => {
  test.each([
    [101, 104],
    [102, 105],
    [103, 106],
  ])('with number %i leaves with number %i: that of its clock', (from, to) => {
    const call = openCall();
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, payloadType: from, isEnd: true }));
    expect(eventsOf(call, to)).toEqual(['5: 160E']);
    expect(call.outputs.map((output) => output.type)).toEqual(['digit', 'digit']);
  });

  test('has its duration read in the clock of its own number', () => {
    const call = openCall();
    for (const isEnd of [false, true]) {
      const durationTicks = isEnd ? 9600 : 960;
      const fields = { payloadType: 103, isEnd, durationTicks };
      call.send((sequenceNumber) => eventPacket({ sequenceNumber, ...fields }));
      call.run(100);
    }
    expect(call.outputs.at(-1)).toMatchObject({ output: { type: 'released', durationMs: 200 } });
  });

  test('of a clock the other leg has no number for is rescaled to the one it has', () => {
    const call = new VirtualCall({ caller: leg(101, 102, 103) });
    call.isTalking = false;
    const fields = { payloadType: 103, isEnd: true, durationTicks: 4800 };
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, ...fields }));
    expect(eventsOf(call)).toEqual(['5: 800E']);
  });

  test('is judged by the list of the number it would leave with', () => {
    const callee = { ...leg(104, 105, 106), otherEvents: [format(105, 16_000, [1])] };
    const call = new VirtualCall({ caller: leg(101, 102, 103), callee });
    call.isTalking = false;
    talk(call, PCMU, 8000);
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, payloadType: 102, isEnd: true }));
    talk(call, PCMU, 8000);
    expect(call.relay.counters(0).caller.dropped['event-not-accepted']).toBe(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });
});

describe('a generated digit', () => {
  test.each([
    { payloadType: PCMU, clockRate: 8000, number: 104, units: 160 },
    { payloadType: WIDE, clockRate: 16_000, number: 105, units: 320 },
    { payloadType: OPUS, clockRate: 48_000, number: 106, units: 960 },
  ])('beside codec $payloadType leaves as $number in its clock', (row) => {
    const { payloadType, clockRate, number, units } = row;
    const call = openCall();
    talk(call, payloadType, clockRate);
    const last = call.arrived.at(-1);
    call.play(['a', 5, 100]);
    const first = call.arrived.at(-1);
    call.run(200);
    const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((frames) => frames * units);
    expect(eventsOf(call, number)).toEqual([`5: ${a}M ${b} ${c} ${d} ${e}E ${e}E ${e}E`]);
    if (last === undefined || first === undefined) throw new Error('nothing arrived');
    expect(sequenceDistance32(rtpTimestamp(last.bytes), rtpTimestamp(first.bytes))).toBe(
      (20 * clockRate) / 1000,
    );
  });

  test('keeps its own when the codec changes under it; the next one follows', () => {
    const call = openCall();
    talk(call, PCMU, 8000);
    call.play(['a', 5, 100], ['b', 6, 100]);
    call.run(40);
    talk(call, OPUS, 48_000, 3);
    call.run(500);
    expect(eventsOf(call, 104)).toEqual(['5: 160M 320 480 640 800E 800E 800E']);
    expect(eventsOf(call, 106)).toEqual(['6: 960M 1920 2880 3840 4800E 4800E 4800E']);
  });

  test('before any audio has those of the codec that was agreed first', () => {
    const call = openCall();
    call.play(['a', 5, 100]);
    call.run(300);
    expect(eventsOf(call, 104)).toHaveLength(1);
  });

  test('of more than 1.3 s beside Opus goes on in segments of one event', () => {
    const call = openCall();
    talk(call, OPUS, 48_000);
    call.play(['a', 5, 2000]);
    call.run(2500);
    const reports = call.ofType(106);
    const starts = new Set(reports.map(({ bytes }) => rtpTimestamp(bytes)));
    const [first = 0, second = 0] = starts;
    expect([starts.size, sequenceDistance32(first, second)]).toEqual([2, 0xffff]);
  });
});

test('another number for one of the clocks ends a playing digit', () => {
  const call = openCall();
  talk(call, OPUS, 48_000);
  call.play(['a', 5, 1000]);
  call.run(45);
  call.update({ callee: leg(104, 105, 107) });
  call.run(500);
  expect(eventsOf(call, 106)).toEqual(['5: 960M 1920 2880 3120E 3120E 3120E']);
  expect(call.finished).toEqual(['a']);
});
