/**
 *   caller            SBC            callee
 *     | INVITE         | INVITE         |
 *     |--------------->|--------------->|
 *     |      200 offer |      200 offer |
 *     |<---------------|<---------------|
 *     | ACK answer     | ACK answer     |
 *     |--------------->|--------------->|
 */
import { expect, test } from 'vitest';
import {
  audioBothWays,
  callRecords,
  finish,
  openCallStage,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { TrunkCall } from '../support/rfc2833-trunk.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test.each([
  ['passed on without offer', 'disabled', false],
  ['given an offer (add-sdp-invite)', 'invite', true],
])('audio flows both ways, the INVITE %s', async (_name, insertion, hasOffer) => {
  const stage = await openCallStage(
    hasOffer ? { access: { 'kpml-interworking': 'disabled', 'add-sdp-invite': insertion } } : {},
  );
  const { alice, bob, running } = stage;
  const rtp = closeAfterTest(await RtpPeer.open({ address: '127.0.0.2' }));
  const answer = buildSdp({ address: rtp.address, rtpPort: rtp.rtpPort });

  const outgoing = alice.sip.invite({ to: '1', via: running.access, ackBody: () => answer });
  const bobCall = await bob.answer();
  const dialog = await outgoing.answered();
  const remoteMessage = outgoing.final ?? outgoing.invite;
  const remote = readSdp(remoteMessage.body);
  const parts = { dialog, rtp, remote, remoteMessage, localEventPayloadType: undefined };
  const call = { alice: new TrunkCall(parts), bob: bobCall };
  await audioBothWays(call);
  await finish(call);

  expect(bobCall.remoteMessage.body !== '').toBe(hasOffer);
  const ackBody = bobCall.dialog.acks[0]?.body ?? '';
  // Only one of INVITE and ACK tells bob where to send.
  expect(ackBody !== '').toBe(!hasOffer);
  expect(readSdp(hasOffer ? bobCall.remoteMessage.body : ackBody).address).toBe('127.0.0.4');
});

test.each([
  ['no SDP', undefined],
  ['garbage', 'garbage'],
])('an ACK with %s ends the call on both legs', async (_name, ackBody) => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({ to: '1', via: running.access, ackBody: () => ackBody });
  const incoming = await bob.sip.nextCall();
  const answered = incoming.answer({ body: buildSdp({ address: '127.0.0.3', rtpPort: 40_000 }) });
  const dialog = await outgoing.answered();
  await dialog.waitForEnd();
  await answered;
  await incoming.dialog.waitForEnd();

  const [record] = await callRecords(running, 1);
  expect(record?.release.internalCode).toBe('bad-sdp');
});
