import { describe, expect, test } from 'vitest';
import { eventsOf, REGULAR, stepsOf } from './arrived-events.ts';
import { audioPacket, eventPacket, KEYPAD } from './media-samples.ts';
import { VirtualCall } from './virtual-call.ts';

function press(call: VirtualCall, code: number, ms = 100): void {
  const timestamp = call.nowMs * 8;
  const total = ms / 20;
  for (let index = 1; index <= total + 2; index++) {
    call.send((sequenceNumber) =>
      eventPacket({
        code,
        sequenceNumber,
        timestamp,
        marker: index === 1,
        isEnd: index >= total,
        durationTicks: Math.min(index, total) * 160,
      }),
    );
    call.run(20);
  }
}

describe('an event of the peer', () => {
  test('passes with the number of the other leg, marker, end and timestamp kept', () => {
    const event = {
      sendPayloadType: 110,
      receivePayloadTypes: [110],
      clockRate: 8000,
      events: KEYPAD,
    };
    const call = new VirtualCall({ callee: { event } });
    call.isTalking = false;
    press(call, 5);
    expect(eventsOf(call, 110)).toEqual([REGULAR]);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });

  test('has its duration in the clock of the other leg', () => {
    const event = {
      sendPayloadType: 101,
      receivePayloadTypes: [101],
      clockRate: 48_000,
      events: KEYPAD,
    };
    const call = new VirtualCall({ callee: { event } });
    call.isTalking = false;
    press(call, 5, 40);
    expect(eventsOf(call)).toEqual(['5: 960M 1920E 1920E 1920E']);
  });

  test('the other leg does not accept is taken out without a hole', () => {
    const event = {
      sendPayloadType: 101,
      receivePayloadTypes: [101],
      clockRate: 8000,
      events: [1],
    };
    const call = new VirtualCall({ callee: { event } });
    call.run(60);
    press(call, 5);
    call.run(60);
    expect(call.ofType(101)).toHaveLength(0);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(call.relay.counters(0).caller.dropped['event-not-accepted']).toBe(7);
  });

  test('is not forwarded to a leg without telephone-event', () => {
    const call = new VirtualCall({ callee: { event: undefined } });
    press(call, 5);
    expect(call.ofType(101)).toHaveLength(0);
  });

  test('is reported only when wanted', () => {
    const call = new VirtualCall({ events: { caller: { mode: 'relay', detect: false } } });
    press(call, 5);
    expect(call.outputs).toEqual([]);
    expect(call.ofType(101)).toHaveLength(7);
  });

  test('whose ends are lost is released by silence, without audio', () => {
    const call = new VirtualCall();
    call.isTalking = false;
    call.send((sequenceNumber) => eventPacket({ sequenceNumber }));
    expect(call.relay.nextAtMs).toBe(150);
    call.run(150);
    expect(call.outputs.at(-1)).toMatchObject({ side: 'caller', output: { type: 'released' } });
  });

  test('whose ends are lost is released by audio behind it', () => {
    const call = new VirtualCall();
    call.isTalking = false;
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, timestamp: 0 }));
    call.run(50);
    call.send((sequenceNumber) => audioPacket({ sequenceNumber, timestamp: 320 }));
    expect(call.outputs.at(-1)).toMatchObject({ output: { type: 'released', atMs: 50 } });
  });

  test('holds a generated digit back until it is over', () => {
    const call = new VirtualCall();
    call.isTalking = false;
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, marker: true }));
    call.play(['a', 7, 40]);
    call.run(20);
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, isEnd: true, durationTicks: 320 }));
    call.run(500);
    expect(eventsOf(call)).toEqual(['5: 160M 320E', '7: 160M 320E 320E 320E']);
    expect(call.ofType(101)[2]?.atMs).toBe(80);
  });

  test('during a generated digit is generated again behind it, each once and in order', () => {
    const call = new VirtualCall();
    call.run(50);
    call.isTalking = false;
    call.play(['a', 7, 200]);
    call.run(10);
    press(call, 5);
    call.run(600);
    expect(eventsOf(call).map((event) => event.split(':')[0])).toEqual(['7', '5']);
    expect(eventsOf(call)[1]).toBe(REGULAR);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(call.finished).toEqual(['a', '']);
    // A late repeat of the press does not come through as another one.
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, timestamp: 480, isEnd: true }));
    expect(call.ofType(101)).toHaveLength(19);
  });

  test('that outlasts the generated digit is still generated again, once', () => {
    const call = new VirtualCall();
    call.run(50);
    call.isTalking = false;
    call.play(['a', 7, 40]);
    call.run(10);
    press(call, 5, 400);
    call.run(1000);
    press(call, 6);
    call.run(200);
    expect(eventsOf(call).map((event) => event.split(':')[0])).toEqual(['7', '5', '6']);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });

  test('generated again when nothing may be sent any more is counted', () => {
    const call = new VirtualCall();
    call.play(['a', 7, 1000]);
    call.send((sequenceNumber) => eventPacket({ sequenceNumber }));
    call.update({ callee: { maySend: false } });
    call.send((sequenceNumber) => eventPacket({ sequenceNumber, isEnd: true }));
    call.run(200);
    expect(call.relay.counters(0).caller.dropped['media-inactive']).toBeGreaterThan(0);
    expect(call.outputs.some(({ type }) => type === 'digitDropped')).toBe(false);
  });
});
