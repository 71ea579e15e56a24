/**
 *   alice             SBC             bob
 *     | BYE            |            BYE |
 *     |--------------->|<---------------|     each is answered 200, nobody is hung up twice
 *
 *     |            200 |            BYE |
 *     |<---------------|<---------------|     the caller's ACK is still out:
 *     | ACK            |                |     our BYE waits for it (RFC 3261 §15)
 *     |--------------->|                |
 *     |            BYE |                |
 *     |<---------------|                |
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  callRecords,
  openCallStage,
  plainOffer,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { messagesLike, messagesOf } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, methodOf, statusOf } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('both hang up at the same moment', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  const answers = await Promise.all([call.alice.hangUp(), call.bob.hangUp()]);

  for (const answer of answers) expect([200, 481]).toContain(statusOf(answer));
  const records = await callRecords(stage.running, 1);
  expect(records).toHaveLength(1);
  expect(records[0]?.release.internalCode).toBe('hang-up');
});

test('the reason of the one who hangs up reaches the other', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  await call.bob.dialog.bye({ headers: [['Reason', 'Q.850;cause=31;text="enough"']] });
  await call.alice.waitForEnd();

  const bye = await call.alice.dialog.waitForRequest('BYE');
  expect(headerValue(bye, 'Reason')).toBe('Q.850;cause=31;text="enough"');
});

test('the callee hangs up before the caller’s ACK: the caller is hung up after it', async () => {
  let isAckHeld = true;
  const stage = await openCallStage({
    alice: {
      rewriteSent: (message) => {
        const isLost = methodOf(message) === 'ACK' && isAckHeld;
        return isLost ? undefined : message;
      },
    },
  });
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const incoming = await bob.sip.nextCall();
  const dialog = await incoming.answer({ body: plainOffer(bob.sip) });
  await outgoing.answered();
  await dialog.bye();
  const before = messagesLike(alice.sip, '< BYE');
  // The SBC repeats its 200 after T1, and this time the ACK arrives.
  isAckHeld = false;
  await outgoing.dialog.waitForEnd();

  expect(before).toEqual([]);
  expect(messagesOf(alice.sip).filter((line) => line === '< BYE')).toHaveLength(1);
});

test('the caller hangs up before its ACK: the callee is hung up, nothing stays', async () => {
  const stage = await openCallStage({
    alice: { rewriteSent: (message) => (methodOf(message) === 'ACK' ? undefined : message) },
  });
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const incoming = await bob.sip.nextCall();
  await incoming.answer({ body: plainOffer(bob.sip) });
  const dialog = await outgoing.answered();
  const answer = await dialog.bye();
  await incoming.dialog.waitForEnd();

  expect(statusOf(answer)).toBe(200);
});
