/**
 *   alice (KPML)      SBC           bob (events)   carol (events)
 *     |<==============>|<=============>|                |
 *     |                | REFER to 77   |                |
 *     |                |<--------------|                |
 *     | re-INVITE      | INVITE                         |
 *     |<---------------|------------------------------->|
 *     | SUBSCRIBE kpml |                                |
 *     |<---------------|                                |
 *     | NOTIFY "1"     | RTP event 1                    |
 *     |--------------->|===============================>|
 */
import { expect, test } from 'vitest';
import { audioAt, expectNothingLeft } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  openKpmlPhone,
  openTransferEnd,
  refer,
  runningSbc,
  shareTransferSbc,
} from '../support/transfer-stage.ts';

shareTransferSbc({
  access: { 'kpml-interworking': 'enabled' },
  core: { 'rfc2833-mode': 'preferred' },
});
checkLeaksAfterEach();

test('a KPML phone that is transferred sends and gets keys in its new call', async () => {
  const running = runningSbc();
  const phone = await openKpmlPhone('alice');
  const [trunk, target] = [await openTransferEnd('bob'), await openTransferEnd('carol')];
  const [alice, bob] = await Promise.all([
    phone.call({ to: '5551000', via: running.access }),
    trunk.answer(),
  ]);
  await alice.listen();
  await alice.press('1');
  await bob.press('2');
  await waitFor('the key of bob', () => alice.listener.digits === '2');
  await bob.waitForDigits(1);

  const referral = await refer(bob.dialog, '<sip:7701@sbc.example>');
  const carol = await target.answer();
  await referral.outcome();
  await bob.waitForEnd();
  await Promise.all([audioAt(alice), audioAt(carol)]);
  await waitFor('the next subscription', () => alice.keypad.subscribes.length >= 2);
  await alice.press('34');
  const atCarol = await carol.waitForDigits(2);
  await alice.listen();
  await carol.press('56');
  await waitFor('the keys of carol', () => alice.listener.digits.endsWith('56'));
  await alice.hangUp();
  await carol.waitForEnd();
  await expectNothingLeft(running);

  expect(atCarol).toBe('34');
  expect(alice.listener.digits).toBe('256');
  expect(alice.problems()).toEqual([]);
});
