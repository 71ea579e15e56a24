/**
 * Row F07: a forwarding end that is a mere proxy sends the SBC's INVITE back to it, with the same Call-ID and From tag,
 * so that two dialogs of the SBC on one path differ by nothing but the order of their tags. The call passes the SBC
 * three times.
 *
 *   caller        SBC call 1      proxy      SBC call 2      proxy      SBC call 3        callee
 *     |-- INVITE ---->|-- INVITE a -->|-- a -->|-- INVITE b -->|-- b -->|---- INVITE ------->|
 *     |<---- 200 -----|<--- 200 a ----|<-- a --|<--- 200 b ----|<-- b --|<----- 200 ---------|
 *     |               |<- re-INVITE a |<-- a --|<- re-INVITE b |<-- b --|<---- re-INVITE ----|
 */

import { expect, test } from 'vitest';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { LegParameters } from '../support/loopback-config.ts';
import { SpiralProxy } from '../support/spiral-proxy.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import type { SipTarget } from '../support/sip-peer.ts';
import { methodOf, requiredHeader, statusOf } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import type { RunningSbc } from '../support/start-sbc.ts';
import { waitFor } from '../support/wait-for.ts';

const KPML: LegParameters = { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' };
const EVENTS: LegParameters = { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' };

checkLeaksAfterEach();

/** An SBC whose calls to 7001 pass it three times; `between` holds for both sides of the proxy. */
async function openSpiral(
  callee: SipTarget,
  legs: { caller: LegParameters; between: LegParameters; callee: LegParameters },
): Promise<{ running: RunningSbc; proxy: SpiralProxy }> {
  const proxy = closeAfterTest(await SpiralProxy.open());
  const policies = [
    '  - { from-realm: access, to: "7001", next-hop: carrier }',
    '  - { from-realm: core, to: "7002", next-hop: phone }',
    '  - { from-realm: access, to: "7003", next-hop: callee }',
  ];
  const agent = [
    '  - name: callee',
    '    realm: core',
    `    address: "${callee.address}:${callee.port}"`,
    '    transport: udp',
    ...Object.entries(legs.callee).map(([key, value]) => `    ${key}: ${value}`),
  ];
  const running = closeAfterTest(
    await startLoopbackSbc({
      carrier: proxy,
      phone: proxy,
      access: legs.caller,
      carrierLeg: legs.between,
      phoneLeg: legs.between,
      edit: (yaml) =>
        yaml.replace('local-policies:', [...agent, 'local-policies:', ...policies].join('\n')),
    }),
  );
  proxy.routes.set('7001', { to: '7002', via: running.core });
  proxy.routes.set('7002', { to: '7003', via: running.access });
  return { running, proxy };
}

async function allEnded({ sbc }: RunningSbc): Promise<void> {
  await waitFor('end of all calls', () => sbc.calls.size === 0 && sbc.stack.dialogCount === 0);
}

test.each(['caller', 'callee'] as const)(
  'keys between KPML phones cross once as events; the %s holds, resumes and hangs up',
  async (side) => {
    const caller = closeAfterTest(await KpmlPhone.open({ user: 'caller' }));
    const callee = closeAfterTest(await KpmlPhone.open({ user: 'callee' }));
    const legs = { caller: KPML, between: EVENTS, callee: KPML };
    const { running, proxy } = await openSpiral(callee.sip, legs);

    const [one, two] = await Promise.all([
      caller.call({ to: '7001', via: running.access }),
      callee.answer(),
    ]);
    expect(running.sbc.calls.size).toBe(3);
    await Promise.all([one.listen(), two.listen()]);
    await Promise.all([one.press('12'), two.press('9#')]);
    await Promise.all([two.listener.waitForDigits(2), one.listener.waitForDigits(2)]);
    const [near, far] = side === 'caller' ? [one, two] : [two, one];
    const held = await near.reinvite('sendonly');
    const direction = far.remote.direction;
    const resumed = await near.reinvite('sendrecv');
    await Promise.all([one.press('3'), two.press('0')]);
    await Promise.all([two.listener.waitForDigits(3), one.listener.waitForDigits(3)]);
    await near.hangUp();
    await far.waitForEnd();
    await allEnded(running);

    expect([statusOf(held), direction, statusOf(resumed)]).toEqual([200, 'sendonly', 200]);
    expect([two.listener.digits, one.listener.digits]).toEqual(['123', '9#0']);
    expect([one.keypad.subscribes.length, two.keypad.subscribes.length]).toEqual([1, 1]);
    expect([...one.problems(), ...two.problems()]).toEqual([]);
    const dialogs = proxy.inDialog.map((request) => requiredHeader(request, 'Call-ID'));
    expect(new Set(dialogs).size).toBe(2);
  },
);

test('subscriptions of both directions pass the same dialogs and never mix', async () => {
  const caller = closeAfterTest(await Rfc2833Trunk.open({ user: 'caller' }));
  const callee = closeAfterTest(await KpmlPhone.open({ user: 'callee' }));
  const legs = { caller: EVENTS, between: KPML, callee: KPML };
  const { running, proxy } = await openSpiral(callee.sip, legs);

  const [one, two] = await Promise.all([
    caller.call({ to: '7001', via: running.access }),
    callee.answer(),
  ]);
  await two.listen();
  await Promise.all([one.press('12'), two.press('9#')]);
  await Promise.all([two.listener.waitForDigits(2), one.waitForDigits(2)]);
  // The one that is ended says nothing any more, the other one goes on.
  await two.listener.subscribe({ expiresSeconds: 0 });
  await waitFor('end of the subscription', () => two.listener.state.startsWith('terminated'));
  await Promise.all([one.press('3'), two.press('0')]);
  await one.waitForDigits(3);
  await two.hangUp();
  await one.waitForEnd();
  await allEnded(running);

  expect([two.listener.digits, one.digits]).toEqual(['12', '9#0']);
  expect(two.keypad.subscribes).toHaveLength(1);
  expect(two.problems()).toEqual([]);
  expect(proxy.inDialog.filter((request) => methodOf(request) === 'SUBSCRIBE')).toHaveLength(6);
});
