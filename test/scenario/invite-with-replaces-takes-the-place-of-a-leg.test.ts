/**
 *   alice             SBC              bob              carol
 *     |<===============>|<==============>|                |
 *     | re-INVITE       |       INVITE, Replaces: bob     |
 *     |<----------------|<--------------------------------|
 *     | 200             | BYE            |            200 |
 *     |---------------->|--------------->|--------------->|
 *     |<====================== media ====================>|
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, audioAt, audioBothWays, callRecords } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { openTransferStage, shareTransferSbc } from '../support/transfer-stage.ts';
import { plainOffer } from '../support/call-stage.ts';

shareTransferSbc({ access: { refer: 'relay' }, core: { replaces: 'enabled' } });
checkLeaksAfterEach();

/** Names `dialog` as its owner knows it, for the SBC to read. */
function nameOf({ callId, localTag, remoteTag = '' }: SipDialog): string {
  return `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
}

test('carol takes over the call of bob with alice', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);

  const carol = await stage.carol.call({
    to: '5551000',
    via: stage.running.core,
    headers: [
      ['Replaces', nameOf(bob.dialog)],
      ['Require', 'replaces'],
    ],
  });
  await bob.waitForEnd();
  await Promise.all([audioAt(alice), audioAt(carol)]);
  await Promise.all([alice.press('12'), carol.press('34')]);
  const keys = [await carol.waitForDigits(2), await alice.waitForDigits(2)];
  await alice.hangUp();
  await carol.waitForEnd();
  const records = await callRecords(stage.running, 2);

  expect(keys).toEqual(['12', '34']);
  expect(records.map(({ release }) => release.internalCode)).toEqual(['transferred', 'hang-up']);
});

test('OPTIONS names replaces where it is enabled, and only there', async () => {
  const { alice, carol, running } = await openTransferStage();
  const answers = await Promise.all([
    alice.sip.request('OPTIONS', { user: 'x', via: running.access }),
    carol.sip.request('OPTIONS', { user: 'x', via: running.core }),
  ]);
  const lists = answers.map((answer) => headerValue(answer, 'Supported')?.split(', '));
  expect(lists.map((list) => list?.includes('replaces'))).toEqual([false, true]);
});

test('a party that does not want to be taken over stays where it is', async () => {
  const stage = await openTransferStage();
  const call = await aliceCallsBob(stage);
  call.alice.dialog.handle('INVITE', () => ({ status: 488 }));
  const take = async (value: string): Promise<number | undefined> => {
    const outgoing = stage.carol.sip.invite({
      to: '5551000',
      via: stage.running.core,
      headers: [['Replaces', value]],
      body: plainOffer(stage.carol.sip),
    });
    return statusOf(await outgoing.finished());
  };

  const refused = await take(nameOf(call.bob.dialog));
  const early = await take(`${nameOf(call.bob.dialog)};early-only`);
  const unknown = await take('nobody;to-tag=a;from-tag=b');
  await audioBothWays(call);
  await call.alice.press('9');
  await call.bob.waitForDigits(1);
  await call.alice.hangUp();
  await call.bob.waitForEnd();

  expect([refused, early, unknown]).toEqual([488, 486, 481]);
});

test('bob, who is referred to carol in her call with alice, finds her by what the SBC has told him', async () => {
  const stage = await openTransferStage();
  const { alice, bob } = await aliceCallsBob(stage);
  const [consult, carol] = await Promise.all([
    stage.alice.call({ to: '7701', via: stage.running.access }),
    stage.carol.answer(),
  ]);
  bob.dialog.handle('REFER', () => ({ status: 202 }));
  const referTo = `<sip:7701@sbc.example?Replaces=${encodeURIComponent(nameOf(consult.dialog))}>`;

  const answer = await alice.dialog.request('REFER', { headers: [['Refer-To', referTo]] });
  const arrived = await bob.dialog.waitForRequest('REFER');
  const target = headerValue(arrived, 'Refer-To') ?? '';
  const replaces = decodeURIComponent(/\?Replaces=([^>]+)>/.exec(target)?.[1] ?? '');
  const joined = await stage.bob.call({
    to: '7701',
    via: stage.running.core,
    headers: [['Replaces', replaces]],
  });
  await consult.waitForEnd();
  await Promise.all([audioAt(joined), audioAt(carol)]);
  await joined.press('5');
  const keys = await carol.waitForDigits(1);
  await Promise.all([joined.hangUp(), alice.hangUp()]);
  await Promise.all([carol.waitForEnd(), bob.waitForEnd()]);

  expect(statusOf(answer)).toBe(202);
  expect(replaces).not.toContain(consult.dialog.callId);
  expect(keys).toBe('5');
});
