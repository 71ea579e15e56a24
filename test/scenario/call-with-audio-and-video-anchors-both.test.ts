/**
 *   alice             SBC             bob
 *     | m=audio m=video| m=audio m=video|
 *     |--------------->|--------------->|     one port pair per m-line and leg
 *     |==== audio ====>|==== audio ====>|
 *     |==== video ====>|==== video ====>|
 */
import { expect, test } from 'vitest';
import { openCallStage, shareSbcInFile } from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('each stream reaches its own port at the other end', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;
  const [aliceAudio, aliceVideo] = [await openRtp('127.0.0.2', 0), await openRtp('127.0.0.2', 99)];
  const [bobAudio, bobVideo] = [await openRtp('127.0.0.3', 0), await openRtp('127.0.0.3', 99)];

  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    body: sdpOf(aliceAudio, aliceVideo),
  });
  const incoming = await bob.sip.nextCall();
  const answered = incoming.answer({ body: sdpOf(bobAudio, bobVideo) });
  const dialog = await outgoing.answered();
  await answered;
  const [toAudio = 0, toVideo = 0] = portsIn(outgoing.final?.body ?? '');
  aliceAudio.setRemote({ address: '127.0.0.1', rtpPort: toAudio });
  aliceVideo.setRemote({ address: '127.0.0.1', rtpPort: toVideo });
  aliceAudio.startAudio();
  aliceVideo.startAudio();
  await waitFor('audio', () => bobAudio.received.length > 3 && bobVideo.received.length > 3);
  await dialog.bye();
  await incoming.dialog.waitForEnd();

  expect(new Set(bobAudio.received.map(({ payloadType }) => payloadType))).toEqual(new Set([0]));
  expect(new Set(bobVideo.received.map(({ payloadType }) => payloadType))).toEqual(new Set([99]));
  expect(toAudio).not.toBe(toVideo);
});

function sdpOf(audio: RtpPeer, video: RtpPeer): string {
  return [
    'v=0',
    `o=- 77 1 IN IP4 ${audio.address}`,
    's=-',
    `c=IN IP4 ${audio.address}`,
    't=0 0',
    `m=audio ${audio.rtpPort} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    `m=video ${video.rtpPort} RTP/AVP 99`,
    'a=rtpmap:99 H264/90000',
    '',
  ].join('\r\n');
}

function portsIn(body: string): number[] {
  return [...body.matchAll(/^m=\S+ (\d+)/gm)].map((match) => Number(match[1]));
}

async function openRtp(address: string, audioPayloadType: number): Promise<RtpPeer> {
  return closeAfterTest(await RtpPeer.open({ address, audioPayloadType }));
}
