/** What a call does whose ends name the SBC's own media ports. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RtpPeer } from '../../support/rtp-peer.ts';
import { waitFor } from '../../support/wait-for.ts';
import { IOS, MediaBed } from './media-bed.ts';
import { audioPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

let bed = new MediaBed();
let opened: RtpPeer[] = [];

async function openPeer(): Promise<RtpPeer> {
  const peer = await RtpPeer.open({ ssrc: 0xcccc });
  opened.push(peer);
  return peer;
}

describe.each(IOS)('io: %s', (io) => {
  beforeEach(() => {
    bed = new MediaBed(io);
    opened = [];
  });

  afterEach(async () => {
    await Promise.all(opened.map((peer) => peer.close()));
    await bed.close();
  });

  test.each(['sdp', 'learn-once'] as const)(
    'a packet does not go round when both ends of a call name the other port of the SBC (%s)',
    async (mediaSource) => {
      const { stream, caller } = await bed.openCall();
      const { caller: near, callee: far } = stream.local;
      caller.sendRaw(audioPacket());
      stream.update(
        sampleUpdate(
          sampleLeg(far.rtpPort, { mediaSource }),
          sampleLeg(near.rtpPort, { mediaSource }),
        ),
      );
      for (let index = 1; index < 5; index++) {
        caller.sendRaw(audioPacket({ sequenceNumber: index }));
      }
      await waitFor('the packets', async () => {
        const { dropped } = (await stream.counters()).caller;
        return dropped['no-remote'] >= 4;
      });
      const { sentPackets } = (await stream.counters()).callee;
      expect(sentPackets).toBeLessThanOrEqual(1);
    },
  );

  test('two calls that are joined by one leg each carry audio both ways', async () => {
    const { pool, leg } = await bed.openPool();
    const [one, other] = [await bed.openStream(pool, leg), await bed.openStream(pool, leg)];
    const [caller, callee] = [await openPeer(), await openPeer()];
    one.update(sampleUpdate(sampleLeg(caller.rtpPort), sampleLeg(other.local.caller.rtpPort)));
    other.update(sampleUpdate(sampleLeg(one.local.callee.rtpPort), sampleLeg(callee.rtpPort)));
    await Promise.all([one.counters(), other.counters()]);
    caller.setRemote(one.local.caller);
    callee.setRemote(other.local.callee);
    caller.sendRaw(audioPacket());
    callee.sendRaw(audioPacket());
    await waitFor('both packets', () => caller.received.length + callee.received.length === 2);
    expect(caller.received).toHaveLength(1);
  });
});
