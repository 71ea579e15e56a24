/** An event of the peer that is on its way when the stream ends or the receiver is put on hold. */
import { describe, expect, test } from 'vitest';
import type { LegMedia } from '../../../src/media/media-engine.ts';
import { eventsOf, stepsOf } from './arrived-events.ts';
import { eventPacket, KEYPAD } from './media-samples.ts';
import { VirtualCall, type VirtualCallOptions } from './virtual-call.ts';

/** A key of the caller is down for `updates` packets. */
function pressing(updates: number, options: VirtualCallOptions = {}): VirtualCall {
  const call = new VirtualCall(options);
  call.run(60);
  call.isTalking = false;
  for (let index = 1; index <= updates; index++) hold(call, index);
  return call;
}

function hold(call: VirtualCall, index: number, isEnd = false): void {
  const fields = { timestamp: 5000, durationTicks: index * 160, marker: index === 1, isEnd };
  call.send((sequenceNumber) => eventPacket({ sequenceNumber, ...fields }));
  call.run(20);
}

test('is ended by three end packets when the stream ends', () => {
  const call = pressing(3);
  call.relay.finish(call.nowMs);
  call.settle();
  expect(eventsOf(call)).toEqual(['5: 160M 320 480 640E 640E 640E']);
  expect(stepsOf(call.arrived)).toEqual(new Set([1]));
});

test.each<[string, Partial<LegMedia>]>([
  ['hold', { maySend: false }],
  ['another address', { remote: { address: '127.0.0.9', rtpPort: 9000, rtcpPort: 9001 } }],
  ['no telephone-event', { event: undefined }],
])('is ended before %s; what still comes of it does not pass', (_name, callee) => {
  const call = pressing(2);
  call.update({ callee });
  expect(eventsOf(call)).toEqual(['5: 160M 320 480E 480E 480E']);
  for (const index of [3, 4, 5]) hold(call, index, index > 3);
  call.isTalking = true;
  call.run(200);
  expect(call.ofType(101)).toHaveLength(5);
  expect(stepsOf(call.arrived)).toEqual(new Set([1]));
});

test('is ended with number and clock of the leg it goes to', () => {
  const event = {
    sendPayloadType: 110,
    receivePayloadTypes: [110],
    clockRate: 16_000,
    events: KEYPAD,
  };
  const call = pressing(2, { callee: { event } });
  call.relay.finish(call.nowMs);
  call.settle();
  expect(eventsOf(call, 110)).toEqual(['5: 320M 640 960E 960E 960E']);
});

test('is ended in a stream of our own', () => {
  const call = new VirtualCall();
  call.isTalking = false;
  call.play(['a', 7, 40]);
  call.run(400);
  hold(call, 1);
  call.relay.finish(call.nowMs);
  call.settle();
  expect(eventsOf(call)[1]).toBe('5: 160M 320E 320E 320E');
  expect(stepsOf(call.arrived)).toEqual(new Set([1]));
});

test('with several reports in one packet has the last one ended', () => {
  const call = pressing(0);
  const first = eventPacket({ sequenceNumber: 65_533, timestamp: 5000, durationTicks: 800 });
  const second = Buffer.from([6, 10, 0, 160]);
  call.deliver(Buffer.concat([first, second]));
  call.relay.finish(call.nowMs);
  call.settle();
  expect(eventsOf(call)).toEqual(['5: 800', '6: 161E 161E 161E']);
});

test('of the greatest length one packet can state is ended with that', () => {
  const call = pressing(0);
  const fields = { sequenceNumber: 65_533, timestamp: 5000, durationTicks: 0xffff };
  call.deliver(eventPacket(fields));
  call.run(40);
  call.relay.finish(call.nowMs);
  call.settle();
  expect(eventsOf(call)).toEqual(['5: 65535 65535E 65535E 65535E']);
});

describe('nothing is sent', () => {
  test('for an event that has ended', () => {
    const call = pressing(2);
    hold(call, 3, true);
    call.relay.finish(call.nowMs);
    call.settle();
    expect(eventsOf(call)).toEqual(['5: 160M 320 480E']);
  });

  test('for one that its sender has left, ends and all', () => {
    const call = pressing(2);
    call.run(150);
    call.relay.finish(call.nowMs);
    call.settle();
    expect(eventsOf(call)).toEqual(['5: 160M 320']);
  });

  test('for one that was absorbed', () => {
    const call = pressing(2, { events: { caller: { mode: 'absorb', detect: true } } });
    call.relay.finish(call.nowMs);
    call.settle();
    expect(eventsOf(call)).toEqual([]);
  });

  test('twice', () => {
    const call = pressing(2);
    call.relay.finish(call.nowMs);
    call.relay.finish(call.nowMs);
    call.settle();
    expect(call.ofType(101)).toHaveLength(5);
  });
});
