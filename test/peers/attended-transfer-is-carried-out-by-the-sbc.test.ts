/**
 *   alice             SBC              bob              carol
 *     |<== first call ==|===============>|                |
 *     |<== second call =|================================>|
 *     | REFER to carol, Replaces: the second call         |
 *     |---------------->| re-INVITE      |      re-INVITE |
 *     | 202, NOTIFYs    |--------------->|--------------->|
 *     |<----------------|                |                |
 *     | BYE, BYE        |<============ media ============>|
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, audioAt, callRecords } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { statusOf } from '../support/sip-text.ts';
import {
  openTransferStage,
  refer,
  shareTransferSbc,
  type TransferStage,
} from '../support/transfer-stage.ts';

shareTransferSbc();
checkLeaksAfterEach();

interface Calls {
  readonly alice: TrunkCall;
  readonly bob: TrunkCall;
  readonly consult: TrunkCall;
  readonly carol: TrunkCall;
}

/** Alice talks to bob, and in a second call to carol. */
async function consult(stage: TransferStage): Promise<Calls> {
  const first = await aliceCallsBob(stage);
  const [second, carol] = await Promise.all([
    stage.alice.call({ to: '7701', via: stage.running.access }),
    stage.carol.answer(),
  ]);
  await Promise.all([audioAt(second), audioAt(carol)]);
  return { ...first, consult: second, carol };
}

/** Refer-To that names `dialog`, as its owner knows it. */
function replacing({ callId, localTag, remoteTag = '' }: SipDialog): string {
  const dialog = `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
  return `<sip:7701@sbc.example?Replaces=${encodeURIComponent(dialog)}>`;
}

test.each(['first', 'second'] as const)(
  'alice joins bob and carol by a REFER in the %s call, and leaves both',
  async (where) => {
    const stage = await openTransferStage();
    const { alice, bob, consult: second, carol } = await consult(stage);
    const [used, named] = where === 'first' ? [alice, second] : [second, alice];

    const referral = await refer(used.dialog, replacing(named.dialog));
    const told = await referral.outcome();
    await Promise.all([alice.waitForEnd(), second.waitForEnd()]);
    await Promise.all([audioAt(bob), audioAt(carol)]);
    await Promise.all([bob.press('12'), carol.press('34')]);
    const keys = [await carol.waitForDigits(2), await bob.waitForDigits(2)];
    await bob.hangUp();
    await carol.waitForEnd();
    const records = await callRecords(stage.running, 3);

    expect(statusOf(referral.answer)).toBe(202);
    expect(told.at(-1)).toBe('SIP/2.0 200 OK');
    expect(keys).toEqual(['12', '34']);
    expect(records.map(({ release }) => release.internalCode).toSorted()).toEqual([
      'hang-up',
      'transferred',
      'transferred',
    ]);
  },
);

test('alice may hang up both calls as soon as the REFER is accepted', async () => {
  const stage = await openTransferStage();
  const { alice, bob, consult: second, carol } = await consult(stage);

  await refer(alice.dialog, replacing(second.dialog));
  await Promise.all([
    alice.dialog.isEnded ? undefined : alice.hangUp(),
    second.dialog.isEnded ? undefined : second.hangUp(),
  ]);
  await Promise.all([audioAt(bob), audioAt(carol)]);
  await bob.press('7');
  const keys = await carol.waitForDigits(1);
  await carol.hangUp();
  await bob.waitForEnd();

  expect(keys).toBe('7');
});

test('both calls go on when the far end of the second one does not want to', async () => {
  const stage = await openTransferStage();
  const { alice, bob, consult: second, carol } = await consult(stage);
  carol.dialog.handle('INVITE', () => ({ status: 488 }));

  const referral = await refer(alice.dialog, replacing(second.dialog));
  const told = await referral.outcome();
  await Promise.all([audioAt(alice), audioAt(bob), audioAt(second), audioAt(carol)]);
  await alice.press('5');
  await second.press('6');
  const keys = [await bob.waitForDigits(1), await carol.waitForDigits(1)];
  await Promise.all([alice.hangUp(), second.hangUp()]);
  await Promise.all([bob.waitForEnd(), carol.waitForEnd()]);

  expect(told.at(-1)).toBe('SIP/2.0 488 Not Acceptable Here');
  expect(keys).toEqual(['5', '6']);
});

test('a dialog that is not one of alice herself cannot be named', async () => {
  const stage = await openTransferStage();
  const { alice, bob, consult: second, carol } = await consult(stage);
  const { callId, localTag, remoteTag = '' } = second.dialog;
  const swapped = `${callId};to-tag=${localTag};from-tag=${remoteTag}`;

  const answers = [
    await refer(alice.dialog, replacing(carol.dialog)),
    await refer(alice.dialog, replacing(alice.dialog)),
    await refer(alice.dialog, `<sip:7701@h?Replaces=${encodeURIComponent(swapped)}>`),
  ].map(({ answer }) => statusOf(answer));
  await Promise.all([alice.hangUp(), second.hangUp()]);
  await Promise.all([bob.waitForEnd(), carol.waitForEnd()]);

  expect(answers).toEqual([603, 603, 603]);
});

test('a far end that accepts when bob has gone goes on with alice', async () => {
  const stage = await openTransferStage();
  const { alice, bob, consult: second, carol } = await consult(stage);
  const { address, rtpPort } = carol.rtp;
  const body = buildSdp({ address, rtpPort, eventPayloadType: 101, version: 9 });
  const gate = Promise.withResolvers<void>();
  carol.dialog.handle('INVITE', async () => {
    await gate.promise;
    return { status: 200, body };
  });

  const referral = await refer(alice.dialog, replacing(second.dialog));
  await carol.dialog.waitForRequest('INVITE');
  await bob.hangUp();
  await alice.waitForEnd();
  gate.resolve();
  const again = await carol.dialog.waitForRequest('INVITE', 2);
  await carol.dialog.waitForAck(2);
  await Promise.all([audioAt(second), audioAt(carol)]);
  await second.press('8');
  const keys = await carol.waitForDigits(1);
  await second.hangUp();
  await carol.waitForEnd();

  expect(referral.told().at(-1)).toBe('SIP/2.0 487 Request Terminated');
  expect(readSdp(again.body).rtpPort).toBe(carol.remote.rtpPort);
  expect(keys).toBe('8');
});
