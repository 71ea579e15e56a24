/**
 *   phone             SBC (add-sdp-invite)   callee
 *     | INVITE         | INVITE sendrecv       |
 *     |--------------->|---------------------->|
 *     |   200 sendrecv |          200 sendrecv |
 *     |<---------------|<----------------------|
 *     | ACK sendonly   | ACK                   |
 *     |--------------->|---------------------->|
 *     |                | INVITE sendonly       |
 *     |                |---------------------->|
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioAt,
  audioBothWays,
  finish,
  isSilentAt,
  openCallStage,
  plainOffer,
  shareSbcInFile,
} from '../support/call-stage.ts';
import type { PlainCall } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, type Direction, readSdp } from '../support/sdp-text.ts';
import { type SipText, statusOf } from '../support/sip-text.ts';

shareSbcInFile({ access: { 'kpml-interworking': 'disabled', 'add-sdp-invite': 'both' } });
checkLeaksAfterEach();

/** A re-INVITE of alice without offer; her ACK answers with `direction`. */
function reinviteWithoutOffer({ alice }: PlainCall, direction: Direction): Promise<SipText> {
  const { address, rtpPort } = alice.rtp;
  const body = buildSdp({ address, rtpPort, direction, version: 20 });
  return alice.dialog.request('INVITE', { ackBody: () => body });
}

test.each(['sendonly', 'inactive'] as const)(
  'a hold by %s is over after a re-INVITE without offer',
  async (direction) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    await call.alice.reinvite(direction);
    const resumed = await reinviteWithoutOffer(call, 'sendrecv');
    const offered = await call.bob.dialog.waitForRequest('INVITE', 2);
    await audioAt(call.alice);
    await call.alice.reinvite('sendrecv');
    await audioBothWays(call);
    await finish(call);

    expect(readSdp(offered.body).direction).toBe('sendrecv');
    expect(readSdp(resumed.body).direction).toBe('sendrecv');
  },
);

test.each(['sendonly', 'inactive'] as const)(
  'a hold by %s in the ACK is told to the other end',
  async (direction) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const answer = await reinviteWithoutOffer(call, direction);
    const told = await call.bob.dialog.waitForRequest('INVITE', 2);
    await call.bob.dialog.waitForAck(2);
    if (direction === 'sendonly') await audioAt(call.bob);
    const isSilent = await isSilentAt(call.alice);
    await call.alice.reinvite('sendrecv');
    await audioBothWays(call);
    await finish(call);

    expect(statusOf(answer)).toBe(200);
    expect([readSdp(told.body).direction, isSilent]).toEqual([direction, true]);
  },
);

test('a hold in the ACK of the first INVITE is told to the callee', async () => {
  const { alice, bob, running } = await openCallStage();
  const held = plainOffer(alice.sip).replace('a=sendrecv', 'a=inactive');
  const outgoing = alice.sip.invite({ to: '1', via: running.access, ackBody: () => held });
  const incoming = await bob.sip.nextCall();
  incoming.dialog.handle('INVITE', () => ({ status: 200, body: plainOffer(bob.sip) }));
  await incoming.answer({ body: plainOffer(bob.sip) });
  const dialog = await outgoing.answered();
  const told = await incoming.dialog.waitForRequest('INVITE');
  await incoming.dialog.waitForAck(2);
  await dialog.bye();
  await incoming.dialog.waitForEnd();

  expect(readSdp(told.body).direction).toBe('inactive');
});
