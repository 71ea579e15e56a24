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
import { aliceCallsBob, finish, openCallStage, plainOffer } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

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
