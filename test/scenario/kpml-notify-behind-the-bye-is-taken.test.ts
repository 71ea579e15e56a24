/**
 * Row C48: a subscription inside a call ends with it, and the phone says so behind its BYE (RFC 6665 §4.5.2).
 *
 *   phone (KPML)                  SBC
 *     | BYE                        |
 *     |--------------------------->|
 *     | 200                        |
 *     |<---------------------------|
 *     | NOTIFY terminated          |
 *     |--------------------------->|
 *     | 200, for 32 s              |
 *     |<---------------------------|
 */
import { expect, test } from 'vitest';
import { phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';
import type { Header } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc();

checkLeaksAfterEach();

const LAST: readonly Header[] = [
  ['Event', 'kpml'],
  ['Subscription-State', 'terminated;reason=noresource'],
];

test.each(['phone', 'trunk'] as const)('whoever hangs up, here the %s', async (side) => {
  const stage = await open();
  const call = await phoneCallsTrunk(stage);
  await call.phone.keypad.waitForSubscription();

  const near = side === 'phone' ? call.phone : call.trunk;
  await near.hangUp();
  await Promise.all([call.phone.waitForEnd(), call.trunk.waitForEnd()]);
  await waitFor('end of the call', () => stage.running.sbc.calls.size === 0);
  const { dialog } = call.phone;
  const last = await dialog.request('NOTIFY', { headers: LAST });
  const other = await dialog.request('NOTIFY', {
    headers: [
      ['Event', 'presence'],
      ['Subscription-State', 'terminated'],
    ],
  });
  dialog.remoteTag = 'somebody-else';
  const stray = await dialog.request('NOTIFY', { headers: LAST });

  expect([last, other, stray].map((answer) => statusOf(answer))).toEqual([200, 481, 481]);
});

test('but not where nothing was subscribed to', async () => {
  const stage = await open({ phoneOptions: { keypad: { refuseWith: 489 } } });
  const call = await phoneCallsTrunk(stage);
  await waitFor('SUBSCRIBE', () => call.phone.keypad.subscribes.length > 0);

  await call.phone.hangUp();
  await call.trunk.waitForEnd();
  const last = await call.phone.dialog.request('NOTIFY', { headers: LAST });

  expect(statusOf(last)).toBe(481);
});
