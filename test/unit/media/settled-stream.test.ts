/** What a relay thread tells the sockets of a stream about its peers, and what it counts of strangers meanwhile. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CALLEE, CALLER, HOST, HostedBed, STRANGER } from './hosted-bed.ts';
import { audioPacket } from './media-samples.ts';

let bed: HostedBed;

beforeEach(() => {
  vi.useFakeTimers();
  bed = new HostedBed();
});

afterEach(() => {
  bed.host.stop();
  vi.useRealTimers();
});

describe('a leg is settled', () => {
  test('by the first packet from where SDP says, before anything is forwarded to it', async () => {
    await bed.open();
    bed.receive('callee', CALLEE);
    bed.receive('caller', CALLER);
    bed.receive('callee', CALLEE);
    expect(bed.sockets.told).toEqual([
      'callee settled with 5000',
      'audio to caller at 4000',
      'caller settled with 4000',
      'audio to callee at 5000',
      'audio to caller at 4000',
    ]);
  });

  test('not by a stranger', async () => {
    await bed.open();
    bed.receive('caller', STRANGER);
    expect(bed.sockets.takeSettling()).toEqual([]);
    expect((await bed.counters()).caller.lastStranger).toBe(`${HOST}:${STRANGER.port}`);
  });

  test('not with a peer that was learnt, but with the SDP address that it yields to', async () => {
    await bed.open({ mediaSource: 'learn-once' });
    bed.talk('caller', STRANGER, 20);
    expect((await bed.counters()).caller.isSourceLearnt).toBe(true);
    expect(bed.sockets.takeSettling()).toEqual([]);
    bed.receive('caller', CALLER);
    expect(bed.sockets.takeSettling()).toEqual(['caller settled with 4000']);
    expect((await bed.counters()).caller).toMatchObject({
      source: `${HOST}:${CALLER.port}`,
      isSourceLearnt: false,
    });
  });

  test('not with a relearnt peer when the same SDP comes again', async () => {
    await bed.open({ mediaSource: 'learn-once' });
    bed.talk('caller', STRANGER, 20);
    await bed.update({ mediaSource: 'learn-once' });
    bed.talk('caller', STRANGER, 20);
    expect(bed.sockets.takeSettling()).toEqual([]);
  });
});

describe('a settled leg', () => {
  beforeEach(async () => {
    await bed.open();
    bed.receive('caller', CALLER);
    bed.receive('callee', CALLEE);
    bed.sockets.told.splice(0);
  });

  test('stays settled with its peer through an update that leaves its address, hold included', async () => {
    await bed.update({ maySend: false });
    bed.receive('caller', CALLER);
    await bed.update({});
    bed.receive('caller', CALLER);
    expect(bed.sockets.takeSettling()).toEqual([]);
  });

  test('is open when SDP names another port, and settled with it by its first packet', async () => {
    const moved = { remote: { address: HOST, rtpPort: 4002, rtcpPort: 4003 } };
    await bed.update(moved);
    bed.receive('caller', CALLER);
    bed.receive('caller', { address: HOST, port: 4002 });
    expect(bed.sockets.takeSettling()).toEqual(['caller open', 'caller settled with 4002']);
    expect((await bed.counters()).caller.dropped['unknown-source']).toBe(1);
  });

  test('gets the end of a digit that plays where it began, and is open only then', async () => {
    const digit = { digitId: 'one', eventCode: 5, durationMs: 400 };
    await bed.host.receive({ type: 'playDigit', streamKey: 1, to: 'callee', digit });
    bed.talk('caller', CALLER, 5);
    bed.sockets.told.splice(0);
    await bed.update({}, { remote: { address: HOST, rtpPort: 5002, rtcpPort: 5003 } });
    const { told } = bed.sockets;
    expect(told.at(-1)).toBe('callee open');
    expect(new Set(told.slice(0, -1))).toEqual(new Set(['event to callee at 5000']));
    expect(told.length).toBeGreaterThan(3);
  });

  test('is open once its peer has been quiet for two seconds: who sends instead is named', async () => {
    bed.talk('callee', CALLEE, 200);
    expect(bed.sockets.takeSettling()).toEqual(['caller open']);
    bed.receive('caller', STRANGER);
    const { caller } = await bed.counters();
    expect(caller.dropped['unknown-source']).toBe(1);
    expect(caller.lastStranger).toBe(`${HOST}:${STRANGER.port}`);
    bed.receive('caller', CALLER);
    expect(bed.sockets.takeSettling()).toEqual(['caller settled with 4000']);
  });

  test('counts a packet that the kernel did not take as dropped, not as sent', async () => {
    bed.receive('callee', CALLEE);
    const before = await bed.counters();
    bed.refuse('caller', audioPacket());
    const { caller, callee } = await bed.counters();
    expect(caller.sentPackets).toBe(before.caller.sentPackets - 1);
    expect(caller.sentBytes).toBe(before.caller.sentBytes - audioPacket().length);
    expect(callee.dropped['not-taken']).toBe(1);
  });

  test('takes nothing any more once its stream closes', async () => {
    await bed.host.receive({ type: 'closeStream', streamKey: 1 });
    bed.sockets.told.splice(0);
    bed.receive('caller', CALLER);
    bed.receive('callee', CALLEE);
    expect(bed.sockets.told).toEqual([]);
  });
});
