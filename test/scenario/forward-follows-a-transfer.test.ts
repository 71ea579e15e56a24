/** A transfer to an account is a call to it: bob is transferred to 3001, which forwards to carol. */
import { expect, test } from 'vitest';
import { aliceCallsBob, audioBothWays, callRecords } from '../support/call-stage.ts';
import { forwardingSbc, setFeature } from '../support/forward-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValues, statusOf } from '../support/sip-text.ts';
import { openTransferStage, refer, shareTransferSbc } from '../support/transfer-stage.ts';
import { waitFor } from '../support/wait-for.ts';

const FORWARDED = 'SIP/2.0 181 Call Is Being Forwarded';

shareTransferSbc(forwardingSbc());
checkLeaksAfterEach();

test('the target of a transfer forwards always', async () => {
  const stage = await openTransferStage();
  await setFeature(stage, '3001', 'CallForwardingAlways', { status: true, forwardTo: '7701' });
  const ends = await aliceCallsBob(stage);

  const referral = await refer(ends.alice.dialog, '<sip:3001@pbx.example>');
  // Of what happens while a NOTIFY is under way only the last is told: carol rings behind it.
  await waitFor('the news of the forward', () => referral.told().includes(FORWARDED));
  const carol = await stage.carol.answer();
  const told = await referral.outcome();
  await ends.alice.waitForEnd();
  await audioBothWays({ alice: carol, bob: ends.bob });
  await carol.hangUp();
  await ends.bob.waitForEnd();

  expect(statusOf(referral.answer)).toBe(202);
  expect(told.at(-1)).toBe('SIP/2.0 200 OK');
  expect(headerValues(carol.remoteMessage, 'Diversion')).toEqual([
    '<sip:3001@pbx.example>;reason=unconditional;counter=1;privacy=off',
  ]);
  const [, record] = await callRecords(stage.running, 2);
  expect(record?.forwarding?.chain).toEqual(['sip:3001@pbx.example', 'sip:7701@pbx.example']);
});

test('a target that is not to be disturbed leaves the call as it was', async () => {
  const stage = await openTransferStage();
  await setFeature(stage, '3002', 'DoNotDisturb');
  const ends = await aliceCallsBob(stage);

  const referral = await refer(ends.alice.dialog, '<sip:3002@pbx.example>');
  const told = await referral.outcome();
  await audioBothWays(ends);
  await ends.alice.hangUp();
  await ends.bob.waitForEnd();

  expect(told.at(-1)).toBe('SIP/2.0 486 Busy Here');
  expect(stage.carol.sip.incoming).toEqual([]);
});
