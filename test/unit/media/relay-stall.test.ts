/** A machine that stalls while a digit plays: audio comes in a burst, timers late. */
import { describe, expect, test } from 'vitest';
import { reportOf, stepsOf } from './arrived-events.ts';
import { audioPacket } from './media-samples.ts';
import { VirtualCall } from './virtual-call.ts';

const FRAME_MS = 20;

/** Frames that the caller sent in the last `frames` * 20 ms, all arriving now. */
function burst(call: VirtualCall, frames: number): void {
  for (let index = frames - 1; index >= 0; index--) {
    const timestamp = (call.nowMs - index * FRAME_MS) * 8;
    call.send((sequenceNumber) => audioPacket({ sequenceNumber, timestamp }));
  }
}

function talk(call: VirtualCall, frames: number): void {
  for (let index = 0; index < frames; index++) {
    call.run(FRAME_MS);
    burst(call, 1);
  }
}

function playing(): VirtualCall {
  const call = new VirtualCall();
  call.isTalking = false;
  talk(call, 5);
  call.play(['a', 5, 100]);
  return call;
}

describe.each([60, 100, 200, 500])('a stall of %d ms', (stallMs) => {
  test.each([0, 1, 2, 3])('behind %d frames of a digit leaves it three end packets', (frames) => {
    const call = playing();
    talk(call, frames);
    call.nowMs += stallMs;
    burst(call, stallMs / FRAME_MS);
    talk(call, 12);
    const reports = call.ofType(101).map((packet) => reportOf(packet));
    const durations = reports.map(({ durationTicks }) => durationTicks);
    expect(reports.filter(({ isEnd }) => isEnd)).toHaveLength(3);
    expect(durations.slice(-3)).toEqual([800, 800, 800]);
    const rising = [...new Set(durations.slice(0, -2))];
    expect(durations.slice(0, -2)).toEqual(rising.toSorted((a, b) => a - b));
    expect(new Set(reports.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });

  test.each([4, 5, 6])('in the end packets (frame %d) only repeats them', (frames) => {
    const call = playing();
    talk(call, frames);
    call.nowMs += stallMs;
    burst(call, stallMs / FRAME_MS);
    talk(call, 12);
    const reports = call.ofType(101).map((packet) => reportOf(packet));
    const ends = reports.filter(({ isEnd }) => isEnd);
    expect(ends.length).toBeGreaterThanOrEqual(3);
    expect(reports.slice(-ends.length)).toEqual(ends);
    expect(new Set(ends.map(({ durationTicks }) => durationTicks))).toEqual(new Set([800]));
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });
});

test('ending a digit at once behind a burst leaves it three end packets', () => {
  const call = playing();
  talk(call, 2);
  call.nowMs += 100;
  burst(call, 5);
  call.relay.finish(call.nowMs);
  call.settle();
  const reports = call.ofType(101).map((packet) => reportOf(packet));
  expect(reports.filter(({ isEnd }) => isEnd)).toHaveLength(3);
  expect(stepsOf(call.arrived)).toEqual(new Set([1]));
});
