/**
 * The relay with real sockets and a real thread:
 *
 *   caller peer <--> [port pair | relay thread | port pair] <--> callee peer
 */
import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { streamProblems, eventProblems, receivedEvents } from '../../support/rtp-analysis.ts';
import { buildRtp } from '../../support/rtp-packet.ts';
import { waitFor } from '../../support/wait-for.ts';
import { HOST, MediaBed, waitForCounters, IOS } from './media-bed.ts';
import { audioPacket, sampleLeg } from './media-samples.ts';

let bed = new MediaBed();

describe.each(IOS)('io: %s', (io) => {
  beforeEach(() => {
    bed = new MediaBed(io);
  });

  afterEach(() => bed.close());

  describe('forwarding', () => {
    test('audio passes both ways byte for byte, from the port the SDP names', async () => {
      const { stream, caller, callee } = await bed.openCall();
      caller.startAudio();
      callee.startAudio();
      await waitFor('audio', () => callee.received.length >= 8 && caller.received.length >= 8);
      caller.stopAudio();
      callee.stopAudio();
      const sent = caller.sent.map((fields) => buildRtp(fields));
      const received = callee.received.map((fields) => buildRtp(fields));
      expect(received).toEqual(sent.slice(0, received.length));
      expect(callee.received[0]?.port).toBe(stream.local.callee.rtpPort);
      expect(caller.received[0]?.port).toBe(stream.local.caller.rtpPort);
    });

    test('RTCP passes on the odd ports', async () => {
      const { caller, callee } = await bed.openCall();
      const report = Buffer.from('80c900010000aaaa', 'hex');
      caller.sendRtcp(report);
      await waitFor('the report', () => callee.receivedRtcp.length > 0);
      expect(callee.receivedRtcp).toEqual([report]);
    });

    test('what comes from another port is dropped and counted', async () => {
      const { stream, callee } = await bed.openCall();
      const stranger = createSocket('udp4');
      stranger.send(audioPacket(), stream.local.caller.rtpPort, HOST);
      const counters = await waitForCounters(
        stream,
        (all) => all.caller.dropped['unknown-source'] > 0,
      );
      expect(counters.caller.receivedPackets).toBe(0);
      expect(counters.caller.lastStranger).toBe(`${HOST}:${stranger.address().port}`);
      expect(callee.received).toHaveLength(0);
      stranger.close();
    });

    test('a peer behind NAT is learnt from its fifth packet and gets its media back', async () => {
      const { stream, caller, callee } = await bed.openCall({}, (update) => ({
        ...update,
        legs: {
          ...update.legs,
          caller: sampleLeg(9, { mediaSource: 'learn-once' }),
        },
      }));
      callee.startAudio();
      caller.startAudio();
      await waitFor('audio towards the NAT', () => caller.received.length >= 3);
      const counters = await stream.counters();
      expect(counters.caller.source).toBe(`${HOST}:${caller.rtpPort}`);
      expect(counters.caller.isSourceLearnt).toBe(true);
    });

    test('payload types are mapped', async () => {
      const { caller, callee } = await bed.openCall({}, ({ legs, events }) => ({
        events,
        legs: { ...legs, caller: { ...legs.caller, payloadTypeMap: [[0, 96]] } },
      }));
      caller.startAudio();
      await waitFor('audio', () => callee.received.length >= 2);
      expect(new Set(callee.received.map((packet) => packet.payloadType))).toEqual(new Set([96]));
    });

    test('garbage of any length passes nothing and stops nothing', async () => {
      const { stream, caller, callee } = await bed.openCall();
      for (let length = 0; length < 40; length++) {
        caller.sendRaw(Buffer.alloc(length, 0xff));
        caller.sendRtcp(Buffer.alloc(length, 0xff));
      }
      caller.startAudio();
      await waitFor('audio', () => callee.received.length >= 2);
      expect(callee.garbage).toHaveLength(0);
      const { dropped } = (await stream.counters()).caller;
      expect(dropped['not-rtp'] + dropped['not-rtcp']).toBe(80);
    });
  });

  describe('digits of a peer', () => {
    test('are relayed with the number of the other leg and reported once', async () => {
      const { caller, callee } = await bed.openCall({}, ({ legs, events }) => ({
        events,
        legs: {
          ...legs,
          callee: {
            ...legs.callee,
            event: {
              sendPayloadType: 97,
              receivePayloadTypes: [97],
              clockRate: 8000,
              events: [1, 2],
            },
          },
        },
      }));
      caller.startAudio();
      await caller.press('12');
      await waitFor(
        'all reports',
        () => callee.received.filter(({ payloadType }) => payloadType === 97).length === 14,
      );
      await waitFor('the second digit', () => bed.listener.released.length === 2);
      const events = receivedEvents(callee.received, 97);
      expect(events.map(({ digit }) => digit).join('')).toBe('12');
      expect(events.flatMap((event) => eventProblems(event))).toEqual([]);
      expect(bed.listener.digits).toBe('12');
      expect(bed.listener.released.map(({ durationMs }) => durationMs)).toEqual([100, 100]);
      expect(Math.abs((bed.listener.pressed[0]?.atMs ?? 0) - Date.now())).toBeLessThan(10_000);
    });

    test('are absorbed without a hole in the numbers', async () => {
      const { caller, callee, stream } = await bed.openCall({}, ({ legs, events }) => ({
        legs,
        events: { ...events, caller: { mode: 'absorb', detect: true } },
      }));
      caller.startAudio();
      await caller.press('7');
      const before = callee.received.length;
      await waitFor('audio behind the digit', () => callee.received.length > before + 3);
      expect(bed.listener.digits).toBe('7');
      expect(streamProblems(callee.received)).toEqual([]);
      expect((await stream.counters()).caller.dropped['event-absorbed']).toBe(7);
    });
  });
});
