/** What moves the packets of a relay thread paces its digits as well; and a thread with its own sockets makes no noise. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RtpPeer } from '../support/rtp-peer.ts';
import { waitFor } from '../support/wait-for.ts';
import { type BedCall, endsOf, IOS, MediaBed } from '../unit/media/media-bed.ts';

const CALLS = 8;
const DIGIT_MS = 400;
const INTERVAL_MS = 20;
/** How far from that half of the gaps may be … */
const SLACK_MS = 8;
/** … on a machine that is busy with something else now and then. */
const ATTEMPTS = 20;

/** Half of the gaps between packets are shorter. */
function medianGapMs({ received }: RtpPeer): number {
  const times = received.map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
  return gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? Infinity;
}

describe.each(IOS)('io: %s', (io) => {
  let bed: MediaBed;

  beforeEach(() => {
    bed = new MediaBed(io);
  });

  afterEach(() => bed.close());

  test('digits of several calls leave 20 ms apart while audio goes the other way', async () => {
    const calls: BedCall[] = [];
    while (calls.length < CALLS) calls.push(await bed.openCall());
    for (const { callee } of calls) callee.startAudio();
    let worstMs = Infinity;
    for (let attempt = 1; attempt <= ATTEMPTS && worstMs >= SLACK_MS; attempt++) {
      for (const { callee } of calls) callee.received.length = 0;
      for (const [index, { stream }] of calls.entries()) {
        const digit = { digitId: `${attempt} ${index}`, eventCode: index, durationMs: DIGIT_MS };
        stream.playDigit('callee', digit);
      }
      await waitFor('all digits', () => calls.every(({ callee }) => endsOf(callee) === 3));
      worstMs = Math.max(...calls.map(({ callee }) => Math.abs(medianGapMs(callee) - INTERVAL_MS)));
    }
    expect(worstMs).toBeLessThan(SLACK_MS);
  });
});

const PROGRAM = fileURLToPath(new URL('../support/quiet-pool.ts', import.meta.url));

test('a thread with its own sockets warns of nothing and ends when it is told', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [PROGRAM]);
  expect({ stdout, stderr }).toEqual({ stdout: 'stream\n', stderr: '' });
});
