import { describe, expect, test } from 'vitest';
import { rtpMarker, rtpSsrc, rtpTimestamp } from '../../../src/wire/rtp.ts';
import { addSequence32, sequenceDistance32 } from '../../../src/wire/sequence.ts';
import { eventsOf, REGULAR, reportOf, stepsOf } from './arrived-events.ts';
import { audioPacket, KEYPAD } from './media-samples.ts';
import { VirtualCall } from './virtual-call.ts';

describe('a generated digit', () => {
  test.each([1, 5, 7, 10, 13, 19, 19.9])(
    'replaces audio that comes %d ms into the frame',
    (audioPhaseMs) => {
      const call = new VirtualCall({ audioPhaseMs });
      call.run(100);
      call.play(['a', 5, 100]);
      call.run(400);
      expect(eventsOf(call)).toEqual([REGULAR]);
      expect(stepsOf(call.arrived)).toEqual(new Set([1]));
      expect(new Set(call.arrived.map(({ bytes }) => rtpSsrc(bytes)))).toEqual(new Set([0x1111]));
      expect(call.finished).toEqual(['a']);
      // No more than three audio packets behind the last end packet all is as it was sent.
      const times = call.ofType(101).map(({ atMs }) => atMs);
      const behind = call.ofType(0).filter(({ atMs }) => atMs > (times.at(-1) ?? 0) + 60);
      const sent = new Set(call.sent.map((bytes) => bytes.toString('hex')));
      expect(behind.length).toBeGreaterThan(8);
      expect(behind.every(({ bytes }) => sent.has(bytes.toString('hex')))).toBe(true);
      expect(call.relay.counters(call.nowMs).callee.injectedPackets).toBe(7);
    },
  );

  test('begins at stream time, whose audio goes on behind it', () => {
    const call = new VirtualCall({ audioPhaseMs: 0 });
    call.run(105);
    const audio = call.ofType(0).at(-1);
    call.play(['a', 5, 100]);
    const first = call.ofType(101)[0];
    if (audio === undefined || first === undefined) throw new Error('nothing arrived');
    const ticks = sequenceDistance32(rtpTimestamp(audio.bytes), rtpTimestamp(first.bytes));
    expect(ticks).toBe((105 - audio.atMs) * 8);
    call.run(200);
    const next = call.ofType(0).at(-1);
    expect(
      sequenceDistance32(rtpTimestamp(first.bytes), rtpTimestamp(next?.bytes ?? first.bytes)),
    ).toBe(((next?.atMs ?? 0) - 105) * 8);
  });

  test('ten in a row keep their order, gap and ten timestamps', () => {
    const call = new VirtualCall();
    call.run(50);
    for (const code of KEYPAD.slice(0, 10)) call.play([String(code), 5, 100]);
    call.run(2500);
    expect(eventsOf(call)).toEqual(Array(10).fill(REGULAR));
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    const starts = call.ofType(101).filter(({ bytes }) => rtpMarker(bytes));
    expect(starts.map(({ atMs }) => atMs - 50)).toEqual(KEYPAD.slice(0, 10).map((n) => n * 160));
    expect(call.finished).toEqual(KEYPAD.slice(0, 10).map(String));
  });

  test('the queue takes 128 behind the playing one, the next is dropped', () => {
    const call = new VirtualCall();
    for (let index = 0; index < 130; index++) call.play([String(index), 5, 100]);
    expect(call.outputs).toEqual([
      { type: 'digitDropped', to: 'callee', digitId: '129', reason: 'queue-full' },
    ]);
  });

  test('goes on at its own pace when audio stops, and with a larger surplus audio catches up', () => {
    const call = new VirtualCall();
    call.run(100);
    call.isTalking = false;
    call.run(1000);
    const before = call.ofType(0).at(-1);
    call.play(['a', 5, 100]);
    call.run(500);
    const [first] = call.ofType(101);
    if (before === undefined || first === undefined) throw new Error('nothing arrived');
    // The timestamp follows the clock through the silence.
    expect(sequenceDistance32(rtpTimestamp(before.bytes), rtpTimestamp(first.bytes))).toBe(
      Math.round((first.atMs - before.atMs) * 8),
    );
    call.isTalking = true;
    call.run(3000);
    expect(eventsOf(call)).toEqual([REGULAR]);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(call.arrived.at(-1)?.bytes).toEqual(call.sent.at(-1));
  });

  test('at 50 ms in 20 ms audio: the deficit is repaid with repeated ends', () => {
    const call = new VirtualCall({ callee: { digitPacketIntervalMs: 50 } });
    call.run(100);
    call.play(['a', 5, 160]);
    call.run(500);
    const [event = ''] = eventsOf(call);
    expect(event).toMatch(/^5: 400M 800 1200 (\d+ )*1280E( 1280E){2,}$/);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(call.arrived.at(-1)?.bytes).toEqual(call.sent.at(-1));
  });

  test('at 50 ms in 20 ms audio: a long one repays while it plays', () => {
    const call = new VirtualCall({ callee: { digitPacketIntervalMs: 50 } });
    call.run(100);
    call.play(['a', 5, 3000]);
    call.run(4000);
    const reports = call.ofType(101).map((packet) => reportOf(packet));
    const ends = reports.filter(({ isEnd }) => isEnd);
    expect(ends.length).toBeLessThanOrEqual(3 + 7);
    const durations = reports.slice(0, -ends.length).map(({ durationTicks }) => durationTicks);
    expect(durations.every((ticks, index) => ticks > (durations[index - 1] ?? 0))).toBe(true);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    expect(call.arrived.at(-1)?.bytes).toEqual(call.sent.at(-1));
  });

  test.each([
    ['the leg', { callee: { digitPacketIntervalMs: 40, digitGapMs: 100 } }],
    ['the engine', { relay: { digitPacketIntervalMs: 40, digitGapMs: 100 } }],
  ])('takes interval and gap from %s', (_name, options) => {
    const call = new VirtualCall(options);
    call.play(['a', 5, 100], ['b', 6, 100]);
    call.isTalking = false;
    call.run(1000);
    expect(eventsOf(call)).toEqual(['5: 320M 640 800E 800E 800E', '6: 320M 640 800E 800E 800E']);
    const starts = call.ofType(101).filter(({ bytes }) => rtpMarker(bytes));
    expect(starts.map(({ atMs }) => atMs)).toEqual([0, 200]);
  });

  test.each([
    [20, 20],
    [30, 30],
    [60, 50],
    [0, 20],
    [5, 10],
  ])('uses the packet time %d ms of the leg: every %d ms', (packetTimeMs, intervalMs) => {
    const audio = { payloadTypes: [0], clockRate: 8000, packetTimeMs };
    const call = new VirtualCall({ callee: { audio } });
    call.isTalking = false;
    call.play(['a', 5, 200]);
    call.run(600);
    expect(call.ofType(101)[1]?.atMs).toBe(intervalMs);
  });

  test('a longer tone than one segment holds has no second marker', () => {
    const wideband = { clockRate: 48_000, packetTimeMs: 20, payloadTypes: [96] };
    const event = {
      sendPayloadType: 102,
      receivePayloadTypes: [102],
      clockRate: 48_000,
      events: [5],
    };
    const call = new VirtualCall({
      callee: { audio: wideband, event },
      caller: { audio: wideband },
    });
    call.isTalking = false;
    call.play(['a', 5, 2000]);
    call.run(3000);
    const reports = call.ofType(102).map((packet) => reportOf(packet));
    expect(reports.filter(({ marker }) => marker)).toHaveLength(1);
    expect(new Set(reports.map(({ timestamp }) => timestamp)).size).toBe(2);
    expect(reports.at(-1)).toMatchObject({ isEnd: true, durationTicks: 96_000 - 0xffff });
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
  });

  test('before any media begins a stream of our own', () => {
    const call = new VirtualCall();
    call.isTalking = false;
    call.play(['a', 5, 100], ['b', 5, 100]);
    call.run(500);
    expect(eventsOf(call)).toEqual([REGULAR, REGULAR]);
    expect(stepsOf(call.arrived)).toEqual(new Set([1]));
    const starts = call.ofType(101).filter(({ bytes }) => rtpMarker(bytes));
    const [first, second] = starts.map(({ bytes }) => rtpTimestamp(bytes));
    expect(sequenceDistance32(first ?? 0, second ?? 0)).toBe(160 * 8);
    expect(rtpSsrc(call.arrived[0]?.bytes ?? Buffer.alloc(12))).not.toBe(0x1111);
  });

  test.each([
    ['a little late', 480, (800 + 480) / 8],
    ['half a second late', 480 - 4000, (800 + 480) / 8],
    ['of a restarted clock', 480 - 80_000, 0],
  ])('states the whole pause behind the one before: audio %s', (_name, offset, expectedMs) => {
    const call = new VirtualCall({ audioPhaseMs: 0 });
    call.run(50);
    call.isTalking = false;
    call.play(['a', 5, 100]);
    call.run(155);
    const timestamp = addSequence32(0xffff_f000, offset);
    call.deliver(audioPacket({ sequenceNumber: 65_533, timestamp }));
    call.play(['b', 5, 100]);
    call.run(300);
    const [first, second] = call
      .ofType(101)
      .filter(({ bytes }) => rtpMarker(bytes))
      .map(({ bytes }) => rtpTimestamp(bytes));
    const ticks = sequenceDistance32(first ?? 0, second ?? 0);
    // A restarted clock is followed, backwards.
    expect(Math.max(ticks / 8, 0)).toBe(expectedMs);
  });
});
