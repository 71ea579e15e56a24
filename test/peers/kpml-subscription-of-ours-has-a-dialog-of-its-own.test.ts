/**
 * `kpml-subscription: separate`: the SBC subscribes outside the dialog of the call, which its Event header names.
 *
 *   trunk (2833)            SBC                                    phone (KPML)
 *     |                      | SUBSCRIBE, Call-ID b, kpml;call-id=a;tags  |
 *     |                      |------------------------------------------->|
 *     |                      | 200, NOTIFY active                         |
 *     |                      |<-------------------------------------------|
 *     |                      | NOTIFY digits="1"                          |
 *     |<= telephone-event 1 =|<-------------------------------------------|
 */
import { expect, test } from 'vitest';
import { subscriptionViews } from '../../src/api/call-view.ts';
import { phoneCallsTrunk, shareSbc, trunkCallsPhone } from '../support/digit-call.ts';
import type { Stage } from '../support/digit-call.ts';
import { KpmlKeypad } from '../support/kpml-sides.ts';
import type { KeypadOptions } from '../support/kpml-sides.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { headerValue } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc({
  access: {
    'kpml-interworking': 'enabled',
    'rfc2833-mode': 'transparent',
    'kpml-subscription': 'separate',
  },
});

checkLeaksAfterEach();

interface Keypads {
  readonly opened: KpmlKeypad[];
  readonly dialogs: SipDialog[];
}

/** A keypad for each dialog that a SUBSCRIBE of the SBC opens. */
function keypadsOf({ phone }: Stage, options: KeypadOptions = {}): Keypads {
  const keypads: Keypads = { opened: [], dialogs: [] };
  phone.sip.onSubscription = (dialog) => {
    keypads.opened.push(new KpmlKeypad(dialog, options));
    keypads.dialogs.push(dialog);
  };
  return keypads;
}

function nextKeypad({ opened }: Keypads, count = 1): Promise<KpmlKeypad> {
  return waitFor(`subscription ${count}`, () => opened[count - 1]);
}

async function noDialogLeft({ running }: Stage): Promise<void> {
  await waitFor('no dialog', () => running.sbc.stack.dialogCount === 0);
}

test.each([
  ['calls', phoneCallsTrunk],
  ['is called', trunkCallsPhone],
] as const)(
  'its keys cross where the phone %s, until it says that they end',
  async (_how, dial) => {
    const stage = await open();
    // The wait for a refresh is long: once is enough.
    const expiresSeconds = dial === phoneCallsTrunk ? 4 : 7200;
    const keypads = keypadsOf(stage, { expiresSeconds });
    const call = await dial(stage);
    const keypad = await nextKeypad(keypads);
    await keypad.waitForSubscription();
    await keypad.press('12');
    if (expiresSeconds === 4) await waitFor('refresh', () => keypad.subscribes.length === 2);
    await keypad.press('3');
    await call.trunk.waitForDigits(3);
    const [held] = stage.running.sbc.calls.list();
    const side = dial === phoneCallsTrunk ? 'caller' : 'callee';
    const views = held === undefined ? [] : subscriptionViews(held, side);
    const problems = await call.finish();
    await keypad.terminate('noresource');
    await noDialogLeft(stage);

    const { callId, localTag, remoteTag } = call.phone.dialog;
    const [first] = keypad.subscribes;
    expect(first && headerValue(first, 'Event')).toBe(
      `kpml;call-id="${callId}";local-tag=${localTag};remote-tag=${remoteTag}`,
    );
    expect(first?.startLine).toBe(`SUBSCRIBE sip:phone@127.0.0.1:${stage.phone.sip.port} SIP/2.0`);
    expect(new Set(keypad.subscribes.map((each) => headerValue(each, 'Event'))).size).toBe(1);
    expect(keypads.dialogs[0]?.callId).not.toBe(callId);
    expect(views.map(({ role, kind, state }) => `${role} ${kind} ${state}`)).toEqual([
      'subscriber separate active',
    ]);
    expect(call.trunk.digits).toBe('123');
    expect(call.phone.keypad.subscribes).toEqual([]);
    expect([...problems, ...keypad.problems, ...(keypads.dialogs[0]?.problems ?? [])]).toEqual([]);
  },
);

test('a phone that ends it is asked again in a new dialog, where it counts anew', async () => {
  const stage = await open();
  const keypads = keypadsOf(stage);
  const call = await phoneCallsTrunk(stage);
  const first = await nextKeypad(keypads);
  await first.waitForSubscription();
  await first.press('123');
  await first.terminate('deactivated');
  const second = await nextKeypad(keypads, 2);
  await second.waitForSubscription();
  await second.press('4');
  await call.trunk.waitForDigits(4);
  const problems = await call.finish();
  await second.terminate('noresource');
  await noDialogLeft(stage);

  expect(call.trunk.digits).toBe('1234');
  expect(new Set(keypads.dialogs.map(({ callId }) => callId)).size).toBe(2);
  expect([...problems, ...first.problems, ...second.problems]).toEqual([]);
});

test('it ends where the phone comes to have telephone-events, and is opened anew when it has them no more', async () => {
  const stage = await open();
  const keypads = keypadsOf(stage);
  const call = await phoneCallsTrunk(stage);
  const first = await nextKeypad(keypads);
  await first.waitForSubscription();
  const { address, rtpPort } = call.phone.rtp;
  const withEvents = buildSdp({ address, rtpPort, version: 7, eventPayloadType: 101 });
  await call.phone.dialog.request('INVITE', { body: withEvents });
  await waitFor('unsubscribe', () => !first.isSubscribed);
  const withoutEvents = buildSdp({ address, rtpPort, version: 8 });
  await call.phone.dialog.request('INVITE', { body: withoutEvents });
  const second = await nextKeypad(keypads, 2);
  await second.waitForSubscription();
  await second.press('8');
  await call.trunk.waitForDigits(1);
  const problems = await call.finish();
  await second.terminate('noresource');
  await noDialogLeft(stage);

  expect(call.trunk.digits).toBe('8');
  expect([...problems, ...first.problems, ...second.problems]).toEqual([]);
});

test.each([489, 481, 603])('a phone that answers %i keeps its call', async (refuseWith) => {
  const stage = await open();
  const keypads = keypadsOf(stage, { refuseWith });
  const call = await phoneCallsTrunk(stage);
  const keypad = await nextKeypad(keypads);
  const isFailed = (): boolean => {
    const [held] = stage.running.sbc.calls.list();
    return held?.session?.dtmf.subscriptions('caller').subscriber === 'failed';
  };
  await waitFor('failure', isFailed);
  const problems = await call.finish();
  await noDialogLeft(stage);

  expect(keypad.subscribes).toHaveLength(1);
  expect(problems).toEqual([]);
});
