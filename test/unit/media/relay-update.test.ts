import { describe, expect, test } from 'vitest';
import type { LegMedia } from '../../../src/media/media-engine.ts';
import { eventsOf, REGULAR, stepsOf } from './arrived-events.ts';
import { audioPacket, eventPacket, KEYPAD, sampleLeg, sampleUpdate } from './media-samples.ts';
import { CALLEE, CALLER, VirtualCall } from './virtual-call.ts';

describe('an update', () => {
  test('that changes nothing leaves a playing digit alone', () => {
    const call = new VirtualCall();
    call.run(50);
    call.play(['a', 5, 100], ['b', 5, 100]);
    call.run(50);
    call.update();
    call.run(500);
    expect(eventsOf(call)).toEqual([REGULAR, REGULAR]);
  });

  test.each<[string, Partial<LegMedia>, string]>([
    ['hold', { maySend: false }, 'media-inactive'],
    ['no address', { remote: undefined }, 'media-inactive'],
    ['no telephone-event', { event: undefined }, 'event-not-negotiated'],
  ])(
    'to %s ends the playing digit by three ends and drops the waiting',
    (_name, callee, reason) => {
      const call = new VirtualCall();
      call.run(50);
      call.play(['a', 5, 1000], ['b', 6, 100]);
      call.run(45);
      call.update({ callee });
      expect(eventsOf(call)).toEqual(['5: 160M 320 480 520E 520E 520E']);
      expect(call.finished).toEqual(['a']);
      expect(call.outputs).toEqual([{ type: 'digitDropped', to: 'callee', digitId: 'b', reason }]);
      call.run(500);
      expect(call.ofType(101)).toHaveLength(6);
    },
  );

  test('to another number ends the playing digit on the old one; the waiting use the new', () => {
    const call = new VirtualCall();
    call.run(50);
    call.play(['a', 5, 1000], ['b', 6, 100]);
    call.run(45);
    const event = {
      sendPayloadType: 97,
      receivePayloadTypes: [97],
      clockRate: 8000,
      events: KEYPAD,
    };
    call.update({ callee: { event } });
    call.run(500);
    expect(eventsOf(call)).toEqual(['5: 160M 320 480 520E 520E 520E']);
    expect(eventsOf(call, 97)).toEqual(['6: 160M 320 480 640 800E 800E 800E']);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });

  test('sends the ends to where the digit began', () => {
    const call = new VirtualCall();
    call.play(['a', 5, 1000]);
    const remote = { address: '127.0.0.9', rtpPort: 9000, rtcpPort: 9001 };
    call.relay.update(
      sampleUpdate(sampleLeg(CALLER.port), sampleLeg(CALLEE.port, { remote })),
      call.nowMs,
    );
    const outputs = call.relay.takeOutputs();
    expect(outputs.map((output) => output.type === 'packet' && output.destination)).toEqual(
      Array(3).fill(CALLEE),
    );
    expect(call.relay.rtpDestination('callee')).toEqual({ address: '127.0.0.9', port: 9000 });
  });

  test('releases a press the detector would forget', () => {
    const call = new VirtualCall();
    call.send((sequenceNumber) => eventPacket({ sequenceNumber }));
    call.update({ caller: { repairMovedEnd: false } });
    expect(call.outputs.map((output) => output.type === 'digit' && output.output.type)).toEqual([
      'pressed',
      'released',
    ]);
  });
});

function receiverReport(): Buffer {
  return Buffer.from('80c9000100000000', 'hex');
}

describe('an old-style hold of the callee', () => {
  const HELD = { maySend: false, maySendRtcp: false };
  const CALLEE_RTCP = { ...CALLEE, port: 5001 };
  const CALLER_RTCP = { ...CALLER, port: 4001 };

  test.each(['sdp', 'learn-once'] as const)('lets its music through (%s)', (mediaSource) => {
    const call = new VirtualCall({ callee: { mediaSource } });
    const { relay } = call;
    relay.receiveRtp('callee', audioPacket(), CALLEE, 0);
    call.update({ callee: HELD });
    const music = audioPacket({ sequenceNumber: 1 });
    expect(relay.receiveRtp('callee', music, CALLEE, 20)).toBe('forward');
    expect(music).toEqual(audioPacket({ sequenceNumber: 1 }));
    expect(relay.receiveRtp('callee', music, { ...CALLEE, port: 5002 }, 20)).toBe('drop');
    expect(relay.receiveRtcp('callee', receiverReport(), CALLEE_RTCP)).toBe('forward');
    expect(relay.counters(20).callee.dropped['unknown-source']).toBe(1);
  });

  test('sends it neither RTP nor RTCP nor digits', () => {
    const call = new VirtualCall();
    call.update({ callee: HELD });
    call.run(100);
    call.play(['a', 5, 100]);
    call.run(200);
    expect(call.relay.receiveRtcp('caller', receiverReport(), CALLER_RTCP)).toBe('drop');
    expect(call.arrived).toEqual([]);
    expect(call.outputs).toEqual([
      { type: 'digitDropped', to: 'callee', digitId: 'a', reason: 'media-inactive' },
    ]);
    const { caller, callee } = call.relay.counters(300);
    expect([callee.sentPackets, callee.sentRtcpPackets]).toEqual([0, 0]);
    expect(caller.dropped['media-inactive']).toBe(call.sent.length + 1);
    call.update();
    call.run(100);
    expect(call.arrived.length).toBeGreaterThan(3);
  });
});

describe('silence', () => {
  test('is reported once per spell', () => {
    const call = new VirtualCall();
    call.run(100);
    call.isTalking = false;
    expect(call.relay.checkInactivity(60_000)).toBeUndefined();
    expect(call.relay.checkInactivity(60_200)).toBe(60_200 - 87);
    expect(call.relay.checkInactivity(90_000)).toBeUndefined();
    call.nowMs = 100_000;
    call.send((sequenceNumber) => audioPacket({ sequenceNumber }));
    expect(call.relay.checkInactivity(150_000)).toBeUndefined();
    expect(call.relay.checkInactivity(160_000)).toBe(60_000);
  });

  test('is allowed for the hold time on hold, counted anew from its end', () => {
    const call = new VirtualCall();
    call.update({ callee: { maySend: false } });
    expect(call.relay.checkInactivity(3_599_999)).toBeUndefined();
    call.nowMs = 3_599_999;
    call.update();
    expect(call.relay.checkInactivity(3_600_100)).toBeUndefined();
    expect(call.relay.checkInactivity(3_659_999)).toBe(60_000);
  });
});

test('a new SSRC during a digit leaves behind it as it came', () => {
  const call = new VirtualCall();
  call.run(50);
  call.isTalking = false;
  call.play(['a', 5, 40]);
  call.run(30);
  const packet = audioPacket({ ssrc: 0x2222, sequenceNumber: 7, timestamp: 70 });
  call.deliver(Buffer.from(packet));
  call.run(100);
  expect(call.deliver(packet)).toBe('forward');
  expect(call.arrived.at(-1)?.bytes).toEqual(
    audioPacket({ ssrc: 0x2222, sequenceNumber: 7, timestamp: 70 }),
  );
});

test('finish ends a running event and press and drops the waiting digits', () => {
  const call = new VirtualCall();
  call.send((sequenceNumber) => eventPacket({ sequenceNumber, timestamp: 3 }));
  call.run(300);
  call.play(['a', 5, 1000], ['b', 6, 100]);
  call.send((sequenceNumber) => eventPacket({ code: 8, sequenceNumber, timestamp: 4000 }));
  call.relay.finish(call.nowMs);
  call.settle();
  expect(call.finished).toEqual(['a']);
  expect(call.outputs.at(-1)).toEqual({
    type: 'digitDropped',
    to: 'callee',
    digitId: 'b',
    reason: 'stream-closed',
  });
  expect(call.relay.nextAtMs).toBeUndefined();
});
