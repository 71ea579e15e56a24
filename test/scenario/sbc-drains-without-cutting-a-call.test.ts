/**
 *   alice             SBC             bob
 *     |==== running call ==============>|
 *     |             drain               |
 *     | INVITE, OPTIONS|                |
 *     |--------------->|                |
 *     |            503 |                |
 *     |<---------------|                |
 *     | re-INVITE, BYE | re-INVITE, BYE |
 *     |--------------->|--------------->|     the running call goes on until its own end
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioAt,
  finish,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { refer } from '../support/transfer-stage.ts';

checkLeaksAfterEach();

test('new calls and probes get 503, the running call ends by itself', async () => {
  const stage = await openCallStage();
  const { alice, running } = stage;
  const call = await aliceCallsBob(stage);

  const drained = running.sbc.drain();
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const refused = await outgoing.finished();
  const probe = await alice.sip.request('OPTIONS', { user: 'x', via: running.access });
  const readiness = await fetch(`http://127.0.0.1:${running.api.port}/readyz`);
  const reinvite = await call.alice.reinvite('sendrecv');
  const activeBefore = running.sbc.calls.size;
  await finish(call);
  await drained;

  expect(statusOf(refused)).toBe(503);
  expect(headerValue(refused, 'Retry-After')).toBe('60');
  expect(statusOf(probe)).toBe(503);
  expect(readiness.status).toBe(503);
  expect(statusOf(reinvite)).toBe(200);
  expect(activeBefore).toBe(1);
  expect(running.sbc.calls.size).toBe(0);
});

test('a running call can still be transferred, and taken over', async () => {
  const stage = await openCallStage({
    access: { refer: 'local' },
    core: { replaces: 'enabled' },
  });
  const { alice, running } = stage;
  const call = await aliceCallsBob(stage);

  const drained = running.sbc.drain();
  const referral = await refer(call.alice.dialog, '<sip:alice@sbc.example>');
  const again = await alice.answer();
  const told = await referral.outcome();
  await call.alice.waitForEnd();
  await Promise.all([audioAt(again), audioAt(call.bob)]);
  const { callId, localTag, remoteTag = '' } = call.bob.dialog;
  const other = await stage.bob.call({
    to: '5551000',
    via: running.core,
    headers: [['Replaces', `${callId};to-tag=${remoteTag};from-tag=${localTag}`]],
  });
  await call.bob.waitForEnd();
  await Promise.all([audioAt(again), audioAt(other)]);
  await other.hangUp();
  await again.waitForEnd();
  await drained;

  expect(told.at(-1)).toBe('SIP/2.0 200 OK');
});
