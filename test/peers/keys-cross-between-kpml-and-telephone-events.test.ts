/**
 * A KPML phone and a telephone-event trunk in one call through the SBC; each hears the other's keys once, in order.
 *
 *   phone                   SBC                    trunk
 *     |-- INVITE (kpml) ----->|-- INVITE (te) ------->|
 *     |<-- 200 (kpml) --------|<------- 200 (te) -----|
 *     |<-- SUBSCRIBE ---------|                       |
 *     |-- NOTIFY "5" -------->|== event 5 ===========>|
 *     |-- SUBSCRIBE --------->|                       |
 *     |<-- NOTIFY "7" --------|<== event 7 ===========|
 */

import { describe, expect, test } from 'vitest';
import { openStage, phoneCallsTrunk, trunkCallsPhone } from '../support/digit-call.ts';
import type { DigitCall, StageOptions } from '../support/digit-call.ts';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { headerTokens, headerValue } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

const ALL_KEYS = '0123456789*#ABCD';
/** Longer than a double key would take to arrive. */
const SETTLE_MS = 400;

checkLeaksAfterEach();

describe.each([
  ['the phone calls the trunk', phoneCallsTrunk],
  ['the trunk calls the phone', trunkCallsPhone],
] as const)('%s', (_name, connect) => {
  test.each<[string, StageOptions]>([
    ['UDP and IPv4', {}],
    [
      'UDP and IPv6',
      { phoneOptions: { address: '::1' }, trunkOptions: { address: '::1' }, host: '::1' },
    ],
    [
      'TCP',
      { phoneOptions: { transport: 'tcp' }, trunkOptions: { transport: 'tcp' }, transport: 'tcp' },
    ],
    ['a trunk with telephone-event 96', { trunkOptions: { eventPayloadType: 96 } }],
    ['a phone that writes no namespace', { phoneOptions: { keypad: { hasNamespace: false } } }],
  ])('all keys both ways at once over %s', async (_transport, options) => {
    const call = await withAudio(connect(await openStage(options)));
    await call.phone.listen();
    await Promise.all([call.phone.press(ALL_KEYS, 170), call.trunk.press(ALL_KEYS)]);
    await Promise.all([call.trunk.waitForDigits(16), call.phone.listener.waitForDigits(16)]);
    await sleep(SETTLE_MS);
    expect(call.trunk.digits).toBe(ALL_KEYS);
    expect(call.phone.listener.digits).toBe(ALL_KEYS);
    expect(await call.finish()).toEqual([]);
    expect(call.ledger).toHaveLength(32);
    expect(call.ledger.filter((line) => line.includes('!'))).toEqual([]);
  });
});

test('the trunk sees telephone-event and no kpml, the phone kpml and no telephone-event', async () => {
  const call = await phoneCallsTrunk(await openStage());
  // A first NOTIFY under way would cross the BYE.
  await call.phone.keypad.waitForSubscription();
  expect(headerTokens(call.trunk.remoteMessage, 'Allow-Events')).not.toContain('kpml');
  expect(call.trunk.remote.eventPayloadType).toBe(101);
  expect(call.trunk.remote.events).toBe('0-15');
  expect(headerTokens(call.phone.remoteMessage, 'Allow-Events')).toContain('kpml');
  expect(call.phone.remote.eventPayloadType).toBeUndefined();
  expect(await call.finish()).toEqual([]);
});

test('two KPML ends subscribe to each other through the SBC, which passes their reports on', async () => {
  const core = { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' };
  const { phone, trunk, running } = await openStage({ core });
  const { port } = trunk.sip;
  await trunk.close();
  const other = closeAfterTest(await KpmlPhone.open({ user: 'other', port }));
  const [one, two] = await Promise.all([
    phone.call({ to: '5551000', via: running.access }),
    other.answer(),
  ]);
  await Promise.all([one.listen(), two.listen()]);
  await Promise.all([one.press('12*'), two.press('#0')]);
  expect(await two.listener.waitForDigits(3)).toBe('12*');
  expect(await one.listener.waitForDigits(2)).toBe('#0');
  expect([...one.problems(), ...two.problems()]).toEqual([]);
  await one.hangUp();
  await two.waitForEnd();
});

test('keys before the subscription are dropped and never handed over later', async () => {
  const call = await withAudio(phoneCallsTrunk(await openStage()));
  await call.trunk.press('123');
  await waitFor('their fate', () => call.ledger.length === 3);
  await call.phone.listen();
  await call.trunk.press('4');
  await call.phone.listener.waitForDigits(1);
  await sleep(SETTLE_MS);
  expect(call.phone.listener.digits).toBe('4');
  expect(await call.finish()).toEqual([]);
});

test('after Expires: 0 no key comes, after a new SUBSCRIBE keys come again', async () => {
  const call = await withAudio(phoneCallsTrunk(await openStage()));
  await call.phone.listen();
  await call.trunk.press('1');
  await call.phone.listener.waitForDigits(1);
  await call.phone.listener.subscribe({ expiresSeconds: 0 });
  await call.trunk.press('2');
  const isEnded = (): boolean => call.phone.listener.state.startsWith('terminated');
  await waitFor('end of the subscription', isEnded);
  expect(call.phone.listener.state).toBe('terminated;reason=timeout');
  await waitFor('the fate of the key', () => call.ledger.length === 2);
  await call.phone.listen();
  await call.trunk.press('3');
  await call.phone.listener.waitForDigits(2);
  await sleep(SETTLE_MS);
  expect(call.phone.listener.digits).toBe('13');
  expect(await call.finish()).toEqual([]);
});

test('our SUBSCRIBE is in the dialog, asks for every key and persists', async () => {
  const call = await withAudio(phoneCallsTrunk(await openStage()));
  await call.phone.keypad.waitForSubscription();
  const [subscribe] = call.phone.keypad.subscribes;
  expect(subscribe && headerValue(subscribe, 'Event')).toBe('kpml');
  expect(subscribe && headerValue(subscribe, 'Expires')).toBe('7200');
  expect(subscribe?.body).toMatch(/persist="persist"[^>]*interdigittimer="7260000"/);
  expect(subscribe?.body).toContain('[x*#ABCD]');
  expect(await call.finish()).toEqual([]);
});

async function withAudio(connecting: Promise<DigitCall>): Promise<DigitCall> {
  const call = await connecting;
  await Promise.all([call.phone.waitForAudio(), call.trunk.waitForAudio()]);
  return call;
}
