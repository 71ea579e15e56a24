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
import { headerValue, type SipText, statusOf } from '../support/sip-text.ts';
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
  core: { 'rfc2833-mode': 'preferred', 'dtmf-drain-on-bye-ms': '2000' },
});
checkLeaksAfterEach();

function stateOf(notify: SipText): string | undefined {
  return headerValue(notify, 'Subscription-State')?.split(';')[0];
}

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
  await carol.press('56');
  await waitFor('the keys of carol', () => alice.listener.digits.endsWith('56'));
  const states = alice.listener.notifies.map((notify) => stateOf(notify));
  await alice.hangUp();
  await carol.waitForEnd();
  await expectNothingLeft(running);

  expect(atCarol).toBe('34');
  expect(alice.listener.digits).toBe('256');
  expect(new Set(states)).toEqual(new Set(['active']));
  expect(alice.problems()).toEqual([]);
});

test.each(['stays', 'hangs up'] as const)(
  'keys that are on their way to the party are heard before it moves when the referrer %s',
  async (referrer) => {
    const running = runningSbc();
    const phone = await openKpmlPhone('alice');
    const [trunk, target] = [await openTransferEnd('bob'), await openTransferEnd('carol')];
    const [alice, bob] = await Promise.all([
      phone.call({ to: '5551000', via: running.access }),
      trunk.answer(),
    ]);
    await alice.press('123', 0);

    const referral = await refer(alice.dialog, '<sip:7701@sbc.example>');
    if (referrer === 'hangs up') await alice.hangUp();
    const carol = await target.answer();
    const atBob = await bob.waitForDigits(3);
    await alice.waitForEnd();
    await Promise.all([audioAt(bob), audioAt(carol)]);
    await bob.hangUp();
    await carol.waitForEnd();
    await expectNothingLeft(running);

    expect(statusOf(referral.answer)).toBe(202);
    expect(atBob).toBe('123');
  },
);

test('a key that is held while its party moves counts once, where it was pressed', async () => {
  const running = runningSbc();
  const phone = await openKpmlPhone('alice');
  const [trunk, target] = [await openTransferEnd('bob'), await openTransferEnd('carol')];
  const [alice, bob] = await Promise.all([
    phone.call({ to: '5551000', via: running.access }),
    trunk.answer(),
  ]);
  await alice.listen();
  // The referral takes the place of the listener as who hears NOTIFYs.
  const { listener } = alice;
  const held = bob.press('2', { durationMs: 1500 });
  await listener.waitForDigits(1);

  await refer(alice.dialog, '<sip:7701@sbc.example>');
  const carol = await target.answer();
  await alice.waitForEnd();
  await held;
  await bob.press('3');
  await carol.waitForDigits(1);
  await bob.hangUp();
  await carol.waitForEnd();
  await expectNothingLeft(running);

  expect(listener.digits).toBe('2');
  expect(carol.digits).toBe('3');
});

test.each(['accepts', 'refuses'] as const)(
  'a subscription waits for the target when the referrer has hung up, and the target %s',
  async (target) => {
    const running = runningSbc();
    const phone = await openKpmlPhone('alice');
    const [trunk, third] = [await openTransferEnd('bob'), await openTransferEnd('carol')];
    const [alice, bob] = await Promise.all([
      phone.call({ to: '5551000', via: running.access }),
      trunk.answer(),
    ]);
    await alice.listen();

    await refer(bob.dialog, '<sip:7701@sbc.example>');
    await bob.hangUp();
    const incoming = await third.sip.nextCall();
    if (target === 'refuses') incoming.reject(486);
    else {
      const carol = await third.accept(incoming);
      await Promise.all([audioAt(alice), audioAt(carol)]);
      await carol.press('7');
      await alice.listener.waitForDigits(1);
      await carol.hangUp();
    }
    await alice.waitForEnd();
    await expectNothingLeft(running);

    expect(alice.listener.digits).toBe(target === 'accepts' ? '7' : '');
    expect(alice.problems()).toEqual([]);
  },
);
