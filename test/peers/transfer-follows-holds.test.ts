/**
 *   alice             SBC              bob              carol
 *     | INVITE sendonly |                |                |
 *     |---------------->|--------------->|                |
 *     | REFER to 77     |                |                |
 *     |---------------->| INVITE sendrecv|                |
 *     |                 |-------------------------------->|
 *     |                 | INVITE sendrecv|            200 |
 *     |                 |--------------->|                |
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, audioAt, isSilentAt } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { statusOf } from '../support/sip-text.ts';
import { openTransferStage, refer, shareTransferSbc } from '../support/transfer-stage.ts';

shareTransferSbc();
checkLeaksAfterEach();

const TARGET = '<sip:7701@sbc.example>';

test('a party on hold is off hold with its new partner', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);
  await alice.reinvite('sendonly');

  const referral = await refer(alice.dialog, TARGET);
  const carol = await stage.carol.answer();
  await referral.outcome();
  await alice.waitForEnd();
  await Promise.all([audioAt(bob), audioAt(carol)]);
  await bob.press('1');
  const keys = await carol.waitForDigits(1);
  await bob.hangUp();
  await carol.waitForEnd();

  expect(keys).toBe('1');
  expect([bob.remote.direction, carol.remote.direction]).toEqual(['sendrecv', 'sendrecv']);
});

test('a target hears that its new partner only listens', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);
  let version = 10;
  bob.dialog.handle('INVITE', () => {
    version += 1;
    const { address, rtpPort } = bob.rtp;
    const offer = { address, rtpPort, eventPayloadType: 101, version };
    return { status: 200, body: buildSdp({ ...offer, direction: 'recvonly' }) };
  });

  const referral = await refer(alice.dialog, TARGET);
  const carol = await stage.carol.answer();
  await referral.outcome();
  await alice.waitForEnd();
  const news = await carol.dialog.waitForRequest('INVITE');
  const isQuiet = await isSilentAt(carol);
  await audioAt(bob);
  await carol.hangUp();
  await bob.waitForEnd();

  expect(readSdp(news.body).direction).toBe('recvonly');
  expect(isQuiet).toBe(true);
});

test('a party that is just about to offer something itself is asked again', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);
  const { address, rtpPort } = alice.rtp;
  const body = buildSdp({ address, rtpPort, eventPayloadType: 101, version: 9 });
  let count = 0;
  alice.dialog.handle('INVITE', () => {
    count += 1;
    return count === 1 ? { status: 491 } : { status: 200, body };
  });

  const referral = await refer(bob.dialog, TARGET);
  const carol = await stage.carol.answer();
  const told = await referral.outcome();
  await audioAt(alice);
  await carol.hangUp();
  await alice.waitForEnd();

  expect(told.at(-1)).toBe('SIP/2.0 200 OK');
  expect(count).toBe(2);
});

test('a party that does not want its new partner stays where it is', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);
  bob.dialog.handle('INVITE', () => ({ status: 488 }));

  const referral = await refer(alice.dialog, TARGET);
  const carol = await stage.carol.answer();
  const told = await referral.outcome();
  await carol.waitForEnd();
  await Promise.all([audioAt(alice), audioAt(bob)]);
  const info = await alice.dialog.request('OPTIONS');
  await alice.hangUp();
  await bob.waitForEnd();

  expect(told.at(-1)).toBe('SIP/2.0 488 Not Acceptable Here');
  expect(statusOf(info)).toBe(200);
});
