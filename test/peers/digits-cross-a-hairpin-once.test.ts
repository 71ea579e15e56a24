/**
 * Rows F01 to F04, F07, F10 and F13: a call that a forwarding end F sends back through the same SBC. F keeps the session
 * descriptions, so that ports of the SBC point at each other.
 *
 *   caller           SBC            F            SBC           callee
 *     |--- INVITE ---->|-- INVITE -->|             |              |
 *     |                |             |-- INVITE -->|--- INVITE -->|
 *     |<---- 200 ------|<--- 200 ----|<--- 200 ----|<---- 200 ----|
 *     |== events =====>|== events ================>|== events ===>|   once
 *     |                |-- NOTIFY -->|  only with the hairpin flag, once
 */

import { describe, expect, test } from 'vitest';
import { KpmlListener } from '../support/kpml-sides.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { SipPeer } from '../support/sip-peer.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { statusOf } from '../support/sip-text.ts';
import type { Header } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

interface Forwarding {
  readonly to: string;
  readonly via: SipTarget;
  /** What the forwarding end announces both ways; empty: nothing. */
  readonly allowEvents: string;
  /** Keeps the Call-ID of the call it got. */
  readonly keepsCallId?: boolean;
}

/** Sends the next call back through the SBC, with the session descriptions of both sides. */
async function forward(
  peer: SipPeer,
  { to, via, allowEvents, keepsCallId = false }: Forwarding,
): Promise<{ inbound: SipDialog; outbound: SipDialog }> {
  const incoming = await peer.nextCall();
  const headers: Header[] = allowEvents === '' ? [] : [['Allow-Events', allowEvents]];
  const callId = keepsCallId ? { callId: incoming.dialog.callId } : {};
  const { body } = incoming.invite;
  const outgoing = peer.invite({ to, via, headers, body, ...callId });
  await outgoing.answered();
  await incoming.answer({ headers, body: outgoing.final?.body ?? '' });
  return { inbound: incoming.dialog, outbound: outgoing.dialog };
}

describe('a 2833 caller forwarded to a 2833 callee', () => {
  test.each([
    { name: 'without the flag keys cross in RTP alone', flag: 'disabled', status: 489 },
    { name: 'with the flag the forwarding end hears each key too', flag: 'enabled', status: 200 },
    {
      name: 'the same where it keeps the Call-ID',
      flag: 'enabled',
      status: 200,
      keepsCallId: true,
    },
  ])('$name', async ({ flag, status, keepsCallId = false }) => {
    const notified = status === 200 ? '42#' : '';
    const forwarder = closeAfterTest(await SipPeer.open({ user: 'forwarder' }));
    const caller = closeAfterTest(await Rfc2833Trunk.open({ user: 'caller' }));
    const callee = closeAfterTest(await Rfc2833Trunk.open({ user: 'callee' }));
    const running = closeAfterTest(
      await startLoopbackSbc({
        carrier: callee.sip,
        phone: forwarder,
        access: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'preferred' },
        phoneLeg: { 'kpmlRFC2833-iwf-on-hairpin': flag },
      }),
    );

    const [one, two, { inbound, outbound }] = await Promise.all([
      caller.call({ to: 'forwarder', via: running.core }),
      callee.answer(),
      forward(forwarder, { to: '5551000', via: running.access, allowEvents: 'kpml', keepsCallId }),
    ]);
    const listener = new KpmlListener(inbound);
    expect(statusOf(await listener.subscribe())).toBe(status);
    await Promise.all([one.press('42#'), two.press('9')]);
    await Promise.all([two.waitForDigits(3), one.waitForDigits(1)]);
    await waitFor('reports', () => listener.digits.length >= notified.length);
    await one.hangUp();
    await inbound.waitForEnd();
    await outbound.bye();
    await two.waitForEnd();
    await waitFor('end of both calls', () => running.sbc.calls.size === 0);

    expect([two.digits, one.digits, listener.digits]).toEqual(['42#', '9', notified]);
  });
});

describe('a KPML caller forwarded by a 2833 end to a callee that has both', () => {
  test.each([
    ['without the flag the callee hears keys in RTP alone', 'disabled', 489, ''],
    ['with the flag it hears each key by NOTIFY too', 'enabled', 200, '4#'],
  ])('%s', async (_name, flag, status, notified) => {
    const forwarder = closeAfterTest(await SipPeer.open({ user: 'forwarder' }));
    const caller = closeAfterTest(await KpmlPhone.open({ user: 'caller' }));
    const callee = closeAfterTest(await Rfc2833Trunk.open({ user: 'callee' }));
    const running = closeAfterTest(
      await startLoopbackSbc({
        carrier: forwarder,
        phone: callee.sip,
        phoneLeg: { 'kpmlRFC2833-iwf-on-hairpin': flag },
      }),
    );

    const [one, two, { inbound, outbound }] = await Promise.all([
      caller.call({ to: '5551000', via: running.access }),
      callee.answer(),
      forward(forwarder, { to: 'callee', via: running.core, allowEvents: '' }),
    ]);
    const listener = new KpmlListener(two.dialog);
    expect(statusOf(await listener.subscribe())).toBe(status);
    await one.press('4#');
    await two.waitForDigits(2);
    await waitFor('reports', () => listener.digits.length >= notified.length);
    await one.hangUp();
    await inbound.waitForEnd();
    await outbound.bye();
    await two.waitForEnd();
    await waitFor('end of both calls', () => running.sbc.calls.size === 0);

    expect([two.digits, listener.digits]).toEqual(['4#', notified]);
    expect(one.problems()).toEqual([]);
  });
});

test('between two KPML ends keys are events on the way, in both directions at once', async () => {
  const forwarder = closeAfterTest(await SipPeer.open({ user: 'forwarder' }));
  const caller = closeAfterTest(await KpmlPhone.open({ user: 'caller' }));
  const callee = closeAfterTest(await KpmlPhone.open({ user: 'callee' }));
  const running = closeAfterTest(await startLoopbackSbc({ carrier: forwarder, phone: callee.sip }));

  const [one, two, { inbound, outbound }] = await Promise.all([
    caller.call({ to: '5551000', via: running.access }),
    callee.answer(),
    forward(forwarder, { to: 'callee', via: running.core, allowEvents: '' }),
  ]);
  await Promise.all([one.listen(), two.listen()]);
  await Promise.all([one.press('12345'), two.press('#09')]);
  await Promise.all([two.listener.waitForDigits(5), one.listener.waitForDigits(3)]);
  await one.hangUp();
  await inbound.waitForEnd();
  await outbound.bye();
  await two.waitForEnd();
  await waitFor('end of both calls', () => running.sbc.calls.size === 0);

  expect([two.listener.digits, one.listener.digits]).toEqual(['12345', '#09']);
  expect([...one.problems(), ...two.problems()]).toEqual([]);
});
