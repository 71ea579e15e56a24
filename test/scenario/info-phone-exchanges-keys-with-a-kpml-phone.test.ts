/**
 * Rows I2 and I4: a phone whose keys travel by SIP INFO, and one that speaks KPML. Neither has telephone-event.
 *
 *   phone (INFO)                  SBC                     phone (KPML)
 *     | INVITE                     |                            |
 *     |--------------------------->| INVITE, Allow-Events: kpml |
 *     |                            |--------------------------->|
 *     |                   200, ACK |<------ 200, ACK ---------->|
 *     |<-------------------------->| SUBSCRIBE                  |
 *     |                            |--------------------------->|
 *     |              INFO Signal=7 |<------- NOTIFY digits="7" -|
 *     |<---------------------------|                            |
 *     | INFO Signal=5              |<--------------- SUBSCRIBE -|
 *     |--------------------------->| NOTIFY digits="5"          |
 *     |                        200 |--------------------------->|
 *     |<---------------------------|                            |
 */
import { expect, test } from 'vitest';
import { ledgerLines, messagesLike, settle } from '../support/digit-call.ts';
import { InfoKeys } from '../support/info-keys.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { headerValues } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

test.each(['info', 'kpml'] as const)(
  'called by the %s phone: every key crosses once and in order, in both directions',
  async (caller) => {
    const plain = closeAfterTest(await KpmlPhone.open({ user: 'plain', allowEvents: '' }));
    const kpml = closeAfterTest(await KpmlPhone.open({ user: 'kpml' }));
    const running = closeAfterTest(
      await startLoopbackSbc({
        phone: plain.sip,
        carrier: kpml.sip,
        access: { 'kpml-interworking': 'disabled', 'sip-info': 'send' },
        core: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
      }),
    );
    const { sbc } = running;
    const ledger = (): string[] => ledgerLines(sbc.ledger.list({}));

    const [near, far] = await Promise.all(
      caller === 'info'
        ? [plain.call({ to: '2', via: running.access }), kpml.answer()]
        : [plain.answer(), kpml.call({ to: 'plain', via: running.core })],
    );
    const keys = new InfoKeys(near.dialog);
    await settle(near.dialog, far.dialog);
    await far.listen();
    const statuses = await keys.press('15#');
    await far.listener.waitForDigits(3);
    await far.press('7*');
    await keys.waitForDigits(2);
    await waitFor('the answers to all', () => ledger().every((line) => line.endsWith(' 200')));
    await near.hangUp();
    await far.waitForEnd();

    expect(statuses).toEqual([200, 200, 200]);
    expect([far.listener.digits, keys.digits]).toEqual(['15#', '7*']);
    // KPML states no duration: the default of the leg.
    expect(keys.durations).toEqual([100, 100]);
    const [out, back] =
      caller === 'info'
        ? ['caller-to-callee', 'callee-to-caller']
        : ['callee-to-caller', 'caller-to-callee'];
    expect(ledger()).toEqual([
      ...['1', '5', '#'].map((key) => `${out} ${key} info -> notify 200`),
      ...['7', '*'].map((key) => `${back} ${key} notify -> info 200`),
    ]);
    expect([...near.problems(), ...far.problems()]).toEqual([]);
    // The KPML phone learns from us that it can subscribe.
    const [told] = messagesLike(kpml.sip, caller === 'info' ? '< INVITE' : '< 200 INVITE');
    expect(told === undefined ? [] : headerValues(told, 'Allow-Events')).toEqual(['kpml']);
  },
);

test('keys of the INFO phone before the KPML phone has subscribed are dropped, as all others', async () => {
  const plain = closeAfterTest(await KpmlPhone.open({ user: 'plain', allowEvents: '' }));
  const kpml = closeAfterTest(await KpmlPhone.open({ user: 'kpml' }));
  const running = closeAfterTest(
    await startLoopbackSbc({
      carrier: kpml.sip,
      access: { 'kpml-interworking': 'disabled', 'sip-info': 'receive' },
      core: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
    }),
  );

  const [near, far] = await Promise.all([
    plain.call({ to: '2', via: running.access }),
    kpml.answer(),
  ]);
  const statuses = await new InfoKeys(near.dialog).press('1');
  await near.hangUp();
  await far.waitForEnd();

  expect(statuses).toEqual([200]);
  expect(ledgerLines(running.sbc.ledger.list({}))).toEqual([
    'caller-to-callee 1 info -> !no-subscription',
  ]);
});
