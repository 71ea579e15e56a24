/**
 *   alice                     SBC                      bob
 *     | a=rtcp:<far port>      | no rtcp-mux            |
 *     | a=rtcp-mux             |                        |     offered on one port, agreed on two
 *     |--- RTCP, far port ---->|--- RTCP -------------->|
 *     |<-- RTCP, far port -----|<-- RTCP ---------------|
 */
import { expect, test } from 'vitest';
import { openCallStage, shareSbcInFile } from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

/** A receiver report about nobody: eight bytes. */
const RECEIVER_REPORT = Buffer.from('80c900010000aaaa', 'hex');

test('RTCP on a port of its own crosses both ways, and rtcp-mux is not agreed on', async () => {
  const { alice, bob, running } = await openCallStage();
  const media = closeAfterTest(await RtpPeer.open({ address: '127.0.0.2' }));
  const far = closeAfterTest(await RtpPeer.open({ address: '127.0.0.2' }));
  const other = closeAfterTest(await RtpPeer.open({ address: '127.0.0.3' }));
  const offered = buildSdp({ address: media.address, rtpPort: media.rtpPort });
  const body = `${offered}a=rtcp:${far.rtpPort} IN IP4 127.0.0.2\r\na=rtcp-mux\r\n`;
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body });
  const incoming = await bob.sip.nextCall();
  const { address, rtpPort } = other;
  const answered = incoming.answer({ body: buildSdp({ address, rtpPort }) });
  const dialog = await outgoing.answered();
  await answered;
  const [toAlice, toBob] = [outgoing.final?.body ?? '', incoming.invite.body];
  far.setRemote({ address: '127.0.0.1', rtpPort: portIn(toAlice) + 1 });
  other.setRemote({ address: '127.0.0.4', rtpPort: portIn(toBob) });
  far.sendRaw(RECEIVER_REPORT);
  other.sendRtcp(RECEIVER_REPORT);
  // To the far port it comes as RTCP does everywhere, only the peer of the test expects RTP there.
  await waitFor(
    'RTCP both ways',
    () => far.garbage.length + far.received.length === 1 && other.receivedRtcp.length === 1,
  );
  await dialog.bye();
  await incoming.dialog.waitForEnd();

  expect(toBob).not.toContain('rtcp-mux');
  expect(toAlice).not.toContain('rtcp-mux');
  expect(toBob).not.toContain(String(far.rtpPort));
  expect(other.receivedRtcp).toEqual([RECEIVER_REPORT]);
  expect(media.receivedRtcp).toEqual([]);
});

function portIn(sdp: string): number {
  return Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
}
