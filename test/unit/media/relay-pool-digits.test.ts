/** Generated digits through real sockets, paced by the relay thread's own timer. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  eventProblems,
  isStall,
  RELAYED_EVENTS,
  receivedEvents,
  streamProblems,
} from '../../support/rtp-analysis.ts';
import { buildRtp } from '../../support/rtp-packet.ts';
import { waitFor } from '../../support/wait-for.ts';
import { at, endsOf, HOST, MediaBed, IOS } from './media-bed.ts';

let bed = new MediaBed();

describe.each(IOS)('io: %s', (io) => {
  beforeEach(() => {
    bed = new MediaBed(io);
  });

  afterEach(() => bed.close());

  describe('generated digits', () => {
    test('replace audio as one clean event each and leave the stream as it was', async () => {
      const { caller, callee, stream } = await bed.openCall();
      caller.startAudio();
      await waitFor('audio', () => callee.received.length >= 5);
      stream.playDigit('callee', { digitId: 'a', eventCode: 5, durationMs: 100 });
      stream.playDigit('callee', { digitId: 'b', eventCode: 5, durationMs: 60 });
      await waitFor('both digits', () => bed.listener.sent.length === 2);
      const length = callee.received.length;
      await waitFor('audio behind them', () => callee.received.length >= length + 12);
      caller.stopAudio();

      const events = receivedEvents(callee.received, 101);
      expect(events.map(({ digit }) => digit).join('')).toBe('55');
      for (const [index, durationMs] of [100, 60].entries()) {
        const problems = eventProblems(at(events, index), { ...RELAYED_EVENTS, durationMs });
        // A machine that stalls has audio come in a burst: updates in its place repeat themselves.
        expect(problems.filter((problem) => !/does not rise in packet/.test(problem))).toEqual([]);
      }
      const faults = streamProblems(callee.received, { eventPayloadType: 101 });
      expect(faults.filter((problem) => !isStall(problem))).toEqual([]);
      const sent = new Set(caller.sent.map((fields) => buildRtp(fields).toString('hex')));
      const last = callee.received.slice(-8).map((fields) => buildRtp(fields).toString('hex'));
      expect(last.filter((bytes) => !sent.has(bytes))).toEqual([]);
      expect(bed.listener.sent.map(({ digitId }) => digitId)).toEqual(['a', 'b']);
      expect(bed.listener.sent.map(({ rtpTimestamp }) => rtpTimestamp)).toEqual(
        events.map(({ timestamp }) => timestamp),
      );
    });

    test('leave in real time, not in one burst', async () => {
      const { callee, stream } = await bed.openCall();
      stream.playDigit('callee', { digitId: 'a', eventCode: 1, durationMs: 100 });
      await waitFor('three end packets', () => endsOf(callee) === 3);
      // By the relay's clock: on a busy machine the test reads packets of some time at once.
      const { firstPacketAtMs, endPacketAtMs } = at(bed.listener.sent, 0);
      expect(endPacketAtMs - firstPacketAtMs).toBeGreaterThan(70);
    });

    test('need no audio: the relay begins a stream, which carries the audio on', async () => {
      const { caller, callee, stream } = await bed.openCall();
      stream.playDigit('callee', { digitId: 'a', eventCode: 11, durationMs: 100 });
      stream.playDigit('callee', { digitId: 'b', eventCode: 11, durationMs: 100 });
      await waitFor('both digits', () => endsOf(callee) === 6);
      const digits = callee.received.length;
      caller.startAudio();
      await waitFor('audio', () => callee.received.length >= digits + 4);
      const { received } = callee;
      expect(receivedEvents(received, 101).flatMap((event) => eventProblems(event))).toEqual([]);
      expect(streamProblems(received, { eventPayloadType: 101 })).toEqual([]);
      const audio = received.slice(digits).map(({ payload }) => payload);
      expect(audio).toEqual(caller.sent.slice(0, audio.length).map(({ payload }) => payload));
    });

    test.each([
      ['event-not-negotiated', { event: undefined }, 5],
      ['event-not-negotiated', {}, 16],
      ['media-inactive', { maySend: false }, 5],
      ['media-inactive', { remote: undefined }, 5],
      ['media-inactive', { remote: { address: '0.0.0.0', rtpPort: 9, rtcpPort: 10 } }, 5],
      ['media-inactive', { remote: { address: 'media.example', rtpPort: 9, rtcpPort: 10 } }, 5],
      ['media-inactive', { remote: { address: '::1', rtpPort: 9, rtcpPort: 10 } }, 5],
      ['media-inactive', { remote: { address: HOST, rtpPort: 0, rtcpPort: 1 } }, 5],
    ])('are dropped with the reason %s (%j, event %i)', async (reason, leg, eventCode) => {
      const { stream } = await bed.openCall({}, ({ legs, events }) => ({
        events,
        legs: { ...legs, callee: { ...legs.callee, ...leg } },
      }));
      stream.playDigit('callee', { digitId: 'a', eventCode, durationMs: 100 });
      await waitFor('the drop', () => bed.listener.dropped.length > 0);
      expect(bed.listener.dropped).toEqual([{ to: 'callee', digitId: 'a', reason }]);
    });

    test('are closed by three end packets when the stream closes; waiting ones are dropped', async () => {
      const { callee, stream } = await bed.openCall();
      stream.playDigit('callee', { digitId: 'a', eventCode: 1, durationMs: 5000 });
      stream.playDigit('callee', { digitId: 'b', eventCode: 2, durationMs: 100 });
      await waitFor('the first packets', () => callee.received.length >= 3);
      await stream.close();
      await waitFor('the end', () => endsOf(callee) === 3);
      expect(receivedEvents(callee.received, 101).flatMap((event) => eventProblems(event))).toEqual(
        [],
      );
      expect(bed.listener.sent.map(({ digitId }) => digitId)).toEqual(['a']);
      expect(bed.listener.dropped).toEqual([
        { to: 'callee', digitId: 'b', reason: 'stream-closed' },
      ]);
      stream.playDigit('callee', { digitId: 'c', eventCode: 2, durationMs: 100 });
      expect(bed.listener.dropped.at(-1)).toEqual({
        to: 'callee',
        digitId: 'c',
        reason: 'stream-closed',
      });
    });
  });
});
