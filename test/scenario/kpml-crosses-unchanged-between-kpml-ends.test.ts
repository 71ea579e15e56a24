/**
 * Rows K8, A26 and Q6, F02: ends that speak KPML to each other through the SBC, and the hairpin flag.
 *
 *   phone (KPML)                    SBC                        phone (KPML)
 *     | INVITE, Allow-Events kpml    |                              |
 *     |----------------------------->|----------------------------->|
 *     |     200, Allow-Events kpml   |<-----------------------------|
 *     |<-----------------------------|                              |
 *     |                              |<-----------------------------| SUBSCRIBE kpml;id=4
 *     | SUBSCRIBE kpml;id=4          |                              |
 *     |<-----------------------------|                              |
 *     | NOTIFY digits="5"            |                              |
 *     |----------------------------->|----------------------------->| NOTIFY digits="5"
 */
import { describe, expect, test } from 'vitest';
import { ledgerLines, messagesLike, settle } from '../support/digit-call.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { headerValue, headerValues, statusOf } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';

checkLeaksAfterEach();

describe('KPML', () => {
  test('of two KPML phones crosses in both directions (K8)', async () => {
    const one = closeAfterTest(await KpmlPhone.open({ user: 'one' }));
    const two = closeAfterTest(await KpmlPhone.open({ user: 'two' }));
    const running = closeAfterTest(
      await startLoopbackSbc({
        carrier: two.sip,
        core: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
      }),
    );

    const [caller, callee] = await Promise.all([
      one.call({ to: '2', via: running.access }),
      two.answer(),
    ]);
    await settle(caller.dialog, callee.dialog);
    await Promise.all([caller.listen(), callee.listen()]);
    await Promise.all([caller.press('15'), callee.press('#')]);
    await Promise.all([callee.listener.waitForDigits(2), caller.listener.waitForDigits(1)]);
    await caller.hangUp();
    await callee.waitForEnd();

    const [invite] = messagesLike(two.sip, '< INVITE');
    const [answer] = messagesLike(one.sip, '< 200 INVITE');
    expect(invite === undefined ? [] : headerValues(invite, 'Allow-Events')).toEqual(['kpml']);
    expect(answer === undefined ? [] : headerValues(answer, 'Allow-Events')).toEqual(['kpml']);
    expect([callee.listener.digits, caller.listener.digits]).toEqual(['15', '#']);
    expect([...caller.problems(), ...callee.problems()]).toEqual([]);
    expect(caller.keypad.subscribes).toHaveLength(1);
    expect(callee.keypad.subscribes).toHaveLength(1);
    expect(ledgerLines(running.sbc.ledger.list({})).toSorted()).toEqual([
      'callee-to-caller # notify -> notify 200',
      'caller-to-callee 1 notify -> notify 200',
      'caller-to-callee 5 notify -> notify 200',
    ]);
  });

  test('is relayed under the name of the other dialog', async () => {
    const one = closeAfterTest(await KpmlPhone.open({ user: 'one' }));
    const two = closeAfterTest(await KpmlPhone.open({ user: 'two' }));
    const running = closeAfterTest(
      await startLoopbackSbc({
        carrier: two.sip,
        core: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
      }),
    );

    const [caller, callee] = await Promise.all([
      one.call({ to: '2', via: running.access }),
      two.answer(),
    ]);
    const { dialog } = callee;
    const event =
      `kpml;id=4;call-id="${dialog.callId}";local-tag=${dialog.remoteTag}` +
      `;remote-tag=${dialog.localTag}`;
    const headers: [string, string][] = [
      ['Event', event],
      ['Expires', '600'],
    ];
    // 500 with Retry-After as long as the ACK of the caller is on its way.
    const subscribed = async (): Promise<number | undefined> =>
      statusOf(await dialog.request('SUBSCRIBE', { headers }));
    await expect.poll(subscribed, { timeout: 20_000 }).toBe(200);
    await caller.hangUp();
    await callee.waitForEnd();

    const [subscribe] = caller.keypad.subscribes;
    expect(subscribe === undefined ? '' : headerValue(subscribe, 'Event')).toBe(
      `kpml;call-id="${caller.dialog.callId}";local-tag=${caller.dialog.localTag}` +
        `;remote-tag=${caller.dialog.remoteTag};id=4`,
    );
  });

  test('is sent beside telephone-events to an end with the hairpin flag (Q6)', async () => {
    const far = closeAfterTest(await Rfc2833Trunk.open({ user: 'far' }));
    const near = closeAfterTest(await Rfc2833Trunk.open({ user: 'near' }));
    const running = closeAfterTest(
      await startLoopbackSbc({
        carrier: far.sip,
        phone: near.sip,
        phoneLeg: { 'kpmlRFC2833-iwf-on-hairpin': 'enabled' },
      }),
    );

    const [caller, callee] = await Promise.all([
      far.call({ to: 'near', via: running.core }),
      near.answer(),
    ]);
    const listener = new KpmlListener(callee.dialog);
    await listener.listen();
    await caller.press('42');
    await Promise.all([callee.waitForDigits(2), listener.waitForDigits(2)]);
    await caller.hangUp();
    await callee.waitForEnd();

    expect([callee.digits, listener.digits]).toEqual(['42', '42']);
    expect([...callee.eventProblems(), ...listener.problems]).toEqual([]);
    expect(ledgerLines(running.sbc.ledger.list({}))).toEqual([
      'caller-to-callee 4 rtp -> relay, notify 200',
      'caller-to-callee 2 rtp -> relay, notify 200',
    ]);
  });
});
