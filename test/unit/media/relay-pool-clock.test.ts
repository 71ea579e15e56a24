/** The relay thread and the main thread tell the same time. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventPacket } from './media-samples.ts';
import { at, MediaBed, IOS } from './media-bed.ts';
import { nowMs } from '../../../src/observe/clock.ts';
import { waitFor } from '../../support/wait-for.ts';

const HOUR_MS = 3_600_000;

let bed = new MediaBed();

describe.each(IOS)('io: %s', (io) => {
  beforeEach(() => {
    bed = new MediaBed(io);
  });

  afterEach(() => bed.close());

  test.each([
    ['as the clock was at the start', 0],
    ['after the clock was set an hour forward', -HOUR_MS],
    ['after the clock was set an hour back', HOUR_MS],
  ])('times of digits lie between those of the main thread %s', async (_name, originShiftMs) => {
    const clockOriginMs = performance.timeOrigin + originShiftMs;
    const { caller, stream } = await bed.openCall({ clockOriginMs });
    const beganMs = nowMs() + originShiftMs;
    stream.playDigit('callee', { digitId: 'a', eventCode: 5, durationMs: 100 });
    caller.sendRaw(eventPacket({ ssrc: 0xaaaa, isEnd: true }));
    await waitFor('the press', () => bed.listener.pressed.length === 1);
    await waitFor('the digit', () => bed.listener.sent.length === 1);
    const endedMs = nowMs() + originShiftMs;

    const { firstPacketAtMs, endPacketAtMs } = at(bed.listener.sent, 0);
    const pressedMs = at(bed.listener.pressed, 0).atMs;
    for (const atMs of [firstPacketAtMs, endPacketAtMs, pressedMs]) {
      expect(atMs).toBeGreaterThanOrEqual(beganMs);
      expect(atMs).toBeLessThanOrEqual(endedMs);
    }
  });
});
