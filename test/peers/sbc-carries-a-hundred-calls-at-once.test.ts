/**
 *   alice             SBC             bob
 *     | INVITE × 100   | INVITE × 100   |
 *     |--------------->|--------------->|
 *     |      200 × 100 |      200 × 100 |
 *     |<---------------|<---------------|
 *     | BYE × 100      | BYE × 100      |
 *     |--------------->|--------------->|     no port, call, dialog or timer is left
 */
import { expect, test } from 'vitest';
import {
  callRecords,
  expectNothingLeft,
  openCallStage,
  plainOffer,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

const CALLS = 100;

test('and lets all of them go again', async () => {
  const stage = await openCallStage({ mediaPorts: CALLS * 2 });
  const { alice, bob, running } = stage;

  const answering = Promise.all(
    Array.from({ length: CALLS }, async () => {
      const incoming = await bob.sip.nextCall();
      return incoming.answer({ body: plainOffer(bob.sip) });
    }),
  );
  const dialogs = await Promise.all(
    Array.from({ length: CALLS }, (_, index) =>
      alice.sip
        .invite({ to: String(index), via: running.access, body: plainOffer(alice.sip) })
        .answered(),
    ),
  );
  const answered = await answering;
  await waitFor('200 dialogs', () => running.sbc.stack.dialogCount === 2 * CALLS);
  const callsAtPeak = running.sbc.calls.size;
  const freeAtPeak = running.sbc.media.portsFree;
  await Promise.all(dialogs.map((dialog) => dialog.bye()));
  await Promise.all(answered.map((dialog) => dialog.waitForEnd()));
  await expectNothingLeft(running);

  expect(freeAtPeak).toEqual({ access: 0, core: 0 });
  expect(callsAtPeak).toBe(CALLS);
  const records = await callRecords(running, CALLS);
  expect(new Set(records.map(({ callId }) => callId)).size).toBe(CALLS);
  expect(new Set(records.map(({ release }) => release.internalCode))).toEqual(new Set(['hang-up']));
});
