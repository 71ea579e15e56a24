/**
 *   alice             SBC              bob              carol
 *     |<===== media ===>|<==== media ===>|                |
 *     | REFER to 77     |                |                |
 *     |---------------->| INVITE         |                |
 *     | 202, NOTIFYs    |-------------------------------->|
 *     |<----------------| re-INVITE      |            200 |
 *     |                 |--------------->|                |
 *     | BYE             |<============ media ============>|
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioAt,
  audioBothWays,
  bobCallsAlice,
  callRecords,
  finish,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { openTransferStage, refer, shareTransferSbc } from '../support/transfer-stage.ts';

shareTransferSbc();
checkLeaksAfterEach();

const TARGET = '<sip:7701@sbc.example>';

/** Audio both ways, then keys each way. */
async function talk(one: TrunkCall, other: TrunkCall): Promise<string[]> {
  await Promise.all([audioAt(one), audioAt(other)]);
  const before = [one.events.length, other.events.length] as const;
  await Promise.all([one.press('12'), other.press('34')]);
  const atOther = await other.waitForDigits(before[1] + 2);
  const atOne = await one.waitForDigits(before[0] + 2);
  return [atOther.slice(-2), atOne.slice(-2)];
}

test.each([
  ['alice', 'alice', 'bob', '5551000'],
  ['bob', 'alice', 'bob', 'bob'],
  ['alice', 'bob', 'alice', 'alice'],
] as const)(
  'in a call of %s, %s transfers %s to carol: audio and keys cross between the two',
  async (caller, referrer, party, shown) => {
    const stage = await openTransferStage();
    const ends = await (caller === 'alice' ? aliceCallsBob(stage) : bobCallsAlice(stage));

    const referral = await refer(ends[referrer].dialog, TARGET);
    const carol = await stage.carol.answer();
    const told = await referral.outcome();
    await ends[referrer].waitForEnd();
    const keys = await talk(ends[party], carol);
    await carol.hangUp();
    await ends[party].waitForEnd();
    const records = await callRecords(stage.running, 2);

    expect(statusOf(referral.answer)).toBe(202);
    expect(told[0]).toBe('SIP/2.0 100 Trying');
    expect(told.at(-1)).toBe('SIP/2.0 200 OK');
    expect(keys).toEqual(['12', '34']);
    expect(headerValue(carol.remoteMessage, 'From')).toContain(`sip:${shown}@`);
    expect(records.map(({ release }) => release.internalCode)).toEqual(['transferred', 'hang-up']);
  },
);

test('a target that refuses leaves the call as it was', async () => {
  const stage = await openTransferStage();
  const call = await aliceCallsBob(stage);

  const referral = await refer(call.alice.dialog, TARGET);
  const incoming = await stage.carol.sip.nextCall();
  incoming.ring();
  incoming.reject(486);
  const told = await referral.outcome();
  const keys = await talk(call.alice, call.bob);
  const again = await refer(call.alice.dialog, TARGET);
  (await stage.carol.sip.nextCall()).reject(603);
  await again.outcome();
  await audioBothWays(call);
  await finish(call);

  expect(told.at(-1)).toBe('SIP/2.0 486 Busy Here');
  expect(keys).toEqual(['12', '34']);
  expect(again.told().at(-1)).toBe('SIP/2.0 603 Decline');
});

test('a target without route is told, and the call goes on', async () => {
  const stage = await openTransferStage();
  const call = await bobCallsAlice(stage);

  const referral = await refer(call.alice.dialog, '<http://example.com>');
  const nobody = await refer(call.alice.dialog, '<sip:sbc.example>');
  const twice = await refer(call.alice.dialog, TARGET, [['Refer-To', TARGET]]);
  await finish(call);

  expect([referral, nobody, twice].map(({ answer }) => statusOf(answer))).toEqual([416, 404, 400]);
});

test('whoever has referred may hang up at once', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);

  await refer(alice.dialog, TARGET);
  await alice.hangUp();
  const carol = await stage.carol.answer();
  const keys = await talk(bob, carol);
  await bob.hangUp();
  await carol.waitForEnd();

  expect(keys).toEqual(['12', '34']);
});

test('whoever is left alone by a failed transfer is hung up', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);

  await refer(alice.dialog, TARGET);
  await alice.hangUp();
  const incoming = await stage.carol.sip.nextCall();
  incoming.reject(486);
  await bob.waitForEnd();

  expect(incoming.dialog.isEnded).toBe(true);
});

test('the target is cancelled when the party hangs up', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);

  await refer(alice.dialog, TARGET);
  const incoming = await stage.carol.sip.nextCall();
  incoming.ring();
  await bob.hangUp();
  await incoming.waitForCancel();
  await alice.waitForEnd();
  const records = await callRecords(stage.running, 2);

  expect(records.map(({ release }) => release.internalCode).toSorted()).toEqual([
    'caller-cancelled',
    'hang-up',
  ]);
});

test('a second REFER waits for the end of the first, and names its subscription', async () => {
  const stage = await openTransferStage();
  const call = await aliceCallsBob(stage);

  const first = await refer(call.alice.dialog, TARGET);
  const incoming = await stage.carol.sip.nextCall();
  const second = await refer(call.alice.dialog, TARGET);
  const fromBob = await refer(call.bob.dialog, TARGET);
  incoming.reject(480);
  await first.outcome();
  await audioBothWays(call);
  await finish(call);

  expect([first, second, fromBob].map(({ answer }) => statusOf(answer))).toEqual([202, 491, 491]);
});

test('nothing is told to who wants no subscription', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);

  const referral = await refer(alice.dialog, TARGET, [
    ['Refer-Sub', 'false'],
    ['Require', 'norefersub'],
  ]);
  const carol = await stage.carol.answer();
  await alice.waitForEnd();
  await audioAt(bob);
  await bob.hangUp();
  await carol.waitForEnd();

  expect(headerValue(referral.answer, 'Refer-Sub')).toBe('false');
  expect(referral.told()).toEqual([]);
});

test('a call that came of a transfer can be transferred again', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);
  const first = await refer(alice.dialog, TARGET);
  const carol = await stage.carol.answer();
  await first.outcome();
  await alice.waitForEnd();

  const second = await refer(carol.dialog, '<sip:alice@sbc.example>');
  const again = await stage.alice.answer();
  const told = await second.outcome();
  await carol.waitForEnd();
  const keys = await talk(bob, again);
  await bob.hangUp();
  await again.waitForEnd();
  const records = await callRecords(stage.running, 3);

  expect(told.at(-1)).toBe('SIP/2.0 200 OK');
  expect(keys).toEqual(['12', '34']);
  expect(records.map(({ transfer }) => transfer?.from)).toEqual([
    undefined,
    [records[0]?.callId],
    [records[1]?.callId],
  ]);
});
