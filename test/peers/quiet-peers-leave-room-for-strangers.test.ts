/**
 * A leg that was settled with its peer is open again when the peer goes quiet: operators have to see who sends instead.
 *
 *   peer      --a packet-->  [leg settled]  2 to 3 s of silence  [leg open]
 *   stranger  ------------------- unseen -----------------------> counted, named
 */
import { afterAll, expect, test } from 'vitest';
import { holdPort, HOST, IOS, MediaBed, waitForCounters } from '../unit/media/media-bed.ts';
import { audioPacket, sampleLeg, sampleUpdate } from '../unit/media/media-samples.ts';

const closers: (() => unknown)[] = [];

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

test.concurrent.each(IOS)(
  'strangers are named behind a quiet peer, io: %s',
  async (io) => {
    const bed = new MediaBed(io);
    closers.push(() => bed.close());
    const { pool, leg } = await bed.openPool();
    const stream = await bed.openStream(pool, leg);
    const [caller, callee, stranger] = await Promise.all([holdPort(0), holdPort(0), holdPort(0)]);
    for (const socket of [caller, callee, stranger]) closers.push(() => socket.close());
    const legs = [sampleLeg(caller.address().port), sampleLeg(callee.address().port)] as const;
    stream.update(sampleUpdate(...legs));
    await stream.counters();
    const { rtpPort } = stream.local.caller;
    caller.send(audioPacket(), rtpPort, HOST);
    await waitForCounters(stream, (counters) => counters.caller.receivedPackets === 1);

    const name = `${HOST}:${stranger.address().port}`;
    const sendStranger = (): void => stranger.send(audioPacket({ ssrc: 7 }), rtpPort, HOST);
    await expect
      .poll(
        async () => {
          sendStranger();
          return (await stream.counters()).caller.lastStranger;
        },
        { interval: 50, timeout: 30_000 },
      )
      .toBe(name);
    const { caller: counted } = await stream.counters();
    expect(counted.receivedPackets).toBe(1);
    expect(counted.source).toBe(`${HOST}:${caller.address().port}`);
  },
  60_000,
);
