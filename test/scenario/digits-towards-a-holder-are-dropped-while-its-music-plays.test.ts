/**
 * An old-style hold (RFC 2543) says where the holder wants no media, not that it sends none:
 *
 *   phone                           SBC                        trunk
 *     |  re-INVITE c=0.0.0.0         |  re-INVITE c=0.0.0.0         |
 *     |<-----------------------------|<-----------------------------|
 *     |<== music ====================|<== music ====================|   from the trunk's address as before
 *     | NOTIFY digits="5"            |                              |
 *     |----------------------------->|   (nothing)                  |
 *     |  re-INVITE, address again    |  re-INVITE, address again    |
 *     |<-----------------------------|<-----------------------------|
 *     |== audio, digits ============>|== audio, digits ============>|
 */
import { expect, test } from 'vitest';
import { explanationView } from '../../src/api/call-view.ts';
import { isSilentAt } from '../support/call-stage.ts';
import { moreAudio, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc();

checkLeaksAfterEach();

/** The trunk changes the address of its c= line; everything else stays. Gives the status of the answer. */
async function reinvite(call: DigitCall, connection: string, version: number): Promise<unknown> {
  const { dialog, rtp } = call.trunk;
  const { address, rtpPort } = rtp;
  const body = buildSdp({ address, rtpPort, eventPayloadType: 101, version })
    .replace(`c=IN IP4 ${address}`, `c=IN IP4 ${connection}`)
    .replace('a=sendrecv\r\n', '');
  return statusOf(await dialog.request('INVITE', { body }));
}

/** What the explanation of the call says about each direction. */
function holdsOf({ stage }: DigitCall) {
  const [call] = stage.running.sbc.calls.list();
  const plan = call && explanationView(call).plan;
  return {
    callerToCallee: plan?.callerToCallee.isOnHold,
    calleeToCaller: plan?.calleeToCaller.isOnHold,
  };
}

test('music of the holder passes, nothing goes to it, and all is well after it', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk } = call;
  await Promise.all([moreAudio(phone), moreAudio(trunk)]);

  const hold = await reinvite(call, '0.0.0.0', 8);
  const isSilent = await isSilentAt(trunk);
  await moreAudio(phone, 10);
  await phone.press('5');
  await waitFor('the fate of the key', () => call.ledger.length === 1);
  const isStillSilent = await isSilentAt(trunk);
  const whileHeld = holdsOf(call);
  const resume = await reinvite(call, trunk.rtp.address, 9);
  await Promise.all([moreAudio(phone), moreAudio(trunk)]);
  await phone.press('6');
  await trunk.waitForDigits(1);
  await moreAudio(phone);
  const afterwards = holdsOf(call);
  await phone.hangUp();
  await trunk.waitForEnd();

  expect([hold, resume]).toEqual([200, 200]);
  expect([isSilent, isStillSilent]).toEqual([true, true]);
  expect([whileHeld, afterwards]).toEqual([
    { callerToCallee: true, calleeToCaller: undefined },
    { callerToCallee: undefined, calleeToCaller: undefined },
  ]);
  expect(trunk.digits).toBe('6');
  expect(call.ledger).toEqual([
    'caller-to-callee 5 notify -> !media-inactive',
    'caller-to-callee 6 notify -> rtp',
  ]);
  // Not one packet of the trunk was lost on the way, before, during and after the hold.
  expect(phone.audioProblems().filter((problem) => !problem.includes('strays'))).toEqual([]);
  expect([...phone.problems(), ...trunk.dialog.problems]).toEqual([]);
});
