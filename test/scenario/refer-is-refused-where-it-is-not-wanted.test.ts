import { expect, test } from 'vitest';
import { aliceCallsBob, audioBothWays, finish, openCallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

test('refer: reject of an agent counts before the interface, and only for its own side', async () => {
  const stage = await openCallStage({ phoneLeg: { refer: 'reject' }, access: { refer: 'relay' } });
  const call = await aliceCallsBob(stage);
  const headers = [['Refer-To', '<sip:5559@sbc.example>']] as const;
  call.alice.dialog.handle('REFER', () => ({ status: 202 }));

  const ofAlice = await call.alice.dialog.request('REFER', { headers });
  const ofBob = await call.bob.dialog.request('REFER', { headers });
  await audioBothWays(call);
  await finish(call);

  expect([ofAlice, ofBob].map(statusOf)).toEqual([603, 202]);
});
