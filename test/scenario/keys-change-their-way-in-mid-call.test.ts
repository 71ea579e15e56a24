/**
 * Rows B12 and B13: a KPML phone that takes up telephone-event in mid-call and drops it again.
 *
 *   phone                           SBC                        trunk
 *     | re-INVITE with 101           |                              |
 *     |----------------------------->|----------------------------->|
 *     | SUBSCRIBE Expires: 0         |                              |
 *     |<-----------------------------|                              |
 *     | NOTIFY terminated            |   to the phone's own subscription
 *     |<-----------------------------|                              |
 *     |== telephone-event ==========>|== telephone-event ==========>|
 *     | re-INVITE without 101        |                              |
 *     |----------------------------->|----------------------------->|
 *     | SUBSCRIBE Expires: 7200      |                              |
 *     |<-----------------------------|                              |
 */

import { expect, test } from 'vitest';
import { moreAudio, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc();

checkLeaksAfterEach();

/** The lifetimes that the phone was asked for. */
function lifetimes(call: DigitCall): (string | undefined)[] {
  return call.phone.keypad.subscribes.map((request) => headerValue(request, 'Expires'));
}

test('telephone-event taken up and dropped again: each key crosses once, by one way at a time', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk } = call;
  const { address, rtpPort } = phone.rtp;
  await phone.listen();
  await phone.press('1');
  await trunk.waitForDigits(1);

  const withEvents = buildSdp({ address, rtpPort, version: 7, eventPayloadType: 101 });
  const taken = await phone.dialog.request('INVITE', { body: withEvents });
  await waitFor('both subscriptions over', () => {
    return lifetimes(call).length === 2 && phone.listener.state.startsWith('terminated');
  });
  await phone.rtp.press('2', { payloadType: 101 });
  await trunk.press('8');
  await trunk.waitForDigits(2);
  await waitFor('the fate of 8', () => call.ledger.length === 3);

  const withoutEvents = buildSdp({ address, rtpPort, version: 8 });
  const dropped = await phone.dialog.request('INVITE', { body: withoutEvents });
  await waitFor('a new subscription', () => lifetimes(call).length === 3);
  await phone.listener.listen();
  await Promise.all([phone.press('3'), trunk.press('9')]);
  await Promise.all([trunk.waitForDigits(3), phone.listener.waitForDigits(1)]);
  await moreAudio(trunk);
  await phone.hangUp();
  await trunk.waitForEnd();
  await waitFor('end of the call', () => call.stage.running.sbc.calls.size === 0);

  expect([statusOf(taken), statusOf(dropped)]).toEqual([200, 200]);
  expect(lifetimes(call)).toEqual(['7200', '0', '7200']);
  expect([trunk.digits, phone.listener.digits]).toEqual(['123', '9']);
  expect(call.ledger.toSorted()).toEqual([
    'callee-to-caller 8 rtp -> relay',
    'callee-to-caller 9 rtp -> notify 200',
    'caller-to-callee 1 notify -> rtp',
    'caller-to-callee 2 rtp -> relay',
    'caller-to-callee 3 notify -> rtp',
  ]);
});
