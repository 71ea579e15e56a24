/**
 * Rows B08, C47, C50, C51, F06 and G03: what happens to the dialog happens to the subscriptions in it, and what happens
 * to one subscription touches neither the other one nor the call.
 *
 *   phone (KPML)         proxy          SBC                        trunk (2833)
 *     |<-- SUBSCRIBE ----|<-- SUBSCRIBE --|   along the route set        |
 *     | NOTIFY, Contact: another port     |                              |
 *     |---------------------------------->|                              |
 *                                         |<------------- BYE -----------|
 *   another port                          |                              |
 *     |<---------------- BYE -------------|                              |
 */

import { expect, test } from 'vitest';
import {
  DigitCall,
  ledgerLines,
  messagesLike,
  openStage,
  phoneCallsTrunk,
  resend,
  settle,
  shareSbc,
} from '../support/digit-call.ts';
import { KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import type { Reply } from '../support/sip-dialog.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { cseqOf, headerValue, methodOf, statusOf, tagIn, withHeader } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { SpiralProxy } from '../support/spiral-proxy.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc();

checkLeaksAfterEach();

test('a SUBSCRIBE that is faster than the ACK with the answer is pending until that comes (B08)', async () => {
  let isAckLost = true;
  const { phone, trunk, running } = await openStage({
    access: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
    trunkOptions: {
      t1Ms: 100,
      rewriteSent: (message) => (methodOf(message) === 'ACK' && isAckLost ? undefined : message),
    },
  });
  const { address } = trunk.sip;
  const outgoing = trunk.sip.invite({
    to: 'phone',
    via: running.core,
    ackBody: () => buildSdp({ address, rtpPort: 40_020, eventPayloadType: 101 }),
  });
  const incoming = await phone.sip.nextCall();
  const listener = new KpmlListener(incoming.dialog);
  const body = buildSdp({ address: phone.sip.address, rtpPort: 40_030 });
  const answered = incoming.answer({ headers: [['Allow-Events', 'kpml']], body });
  await outgoing.answered();

  const answer = await listener.subscribe();
  await waitFor('pending', () => listener.state.startsWith('pending'));
  const acksBefore = incoming.dialog.acks.length;
  isAckLost = false;
  await answered;
  await waitFor('active', () => listener.state.startsWith('active'));
  await outgoing.dialog.bye();
  await incoming.dialog.waitForEnd();

  expect([statusOf(answer), acksBefore]).toEqual([200, 0]);
  expect(readSdp(incoming.dialog.acks[0]?.body ?? '').eventPayloadType).toBeUndefined();
  expect([...listener.problems, ...incoming.dialog.problems]).toEqual([]);
});

test('a call that ends while our SUBSCRIBE is unanswered leaves nothing behind (C47)', async () => {
  const { phone, trunk, running } = await open();
  const { address } = phone.sip;
  const outgoing = phone.sip.invite({
    to: '5551000',
    via: running.access,
    body: buildSdp({ address, rtpPort: 40_040 }),
  });
  const late = Promise.withResolvers<Reply>();
  outgoing.dialog.handle('SUBSCRIBE', () => late.promise);
  const trunkCall = await trunk.answer();
  const subscribe = await outgoing.dialog.waitForRequest('SUBSCRIBE');
  await trunkCall.hangUp();
  await outgoing.dialog.waitForEnd();
  await waitFor('end of the call', () => running.sbc.calls.size === 0);

  late.resolve({ status: 200, headers: [['Expires', '7200']] });
  const headers = [
    ['Event', 'kpml'],
    ['Subscription-State', 'active;expires=7200'],
  ] as const;
  const notify = await outgoing.dialog.request('NOTIFY', { headers });

  expect(headerValue(subscribe, 'Expires')).toBe('7200');
  expect(statusOf(notify)).toBe(481);
  expect(running.sbc.stack.dialogCount).toBe(0);
});

test('a NOTIFY that names another Contact moves the whole dialog: our BYE goes there (C50)', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk } = call;
  const { sip } = call.stage.phone;
  const moved = closeAfterTest(await SipPeer.open({ user: 'phone' }));
  moved.onStray = () => ({ status: 200 });
  await phone.press('1');
  const [first] = messagesLike(sip, '> NOTIFY').slice(-1);
  if (first === undefined) throw new Error('no NOTIFY was sent');
  const answer = await resend(sip, first, (notify) => {
    const fresh = withHeader(notify, 'CSeq', `${cseqOf(notify) + 1} NOTIFY`);
    const via = (headerValue(notify, 'Via') ?? '').replace(/branch=[^;]+/, 'branch=z9hG4bKmoved');
    return withHeader(withHeader(fresh, 'Via', via), 'Contact', moved.contact);
  });
  await trunk.waitForDigits(2);
  await trunk.hangUp();
  const bye = await waitFor('BYE', () => moved.strays.find((each) => methodOf(each) === 'BYE'));
  await waitFor('end of the call', () => call.stage.running.sbc.calls.size === 0);

  expect(statusOf(answer)).toBe(200);
  expect(headerValue(bye, 'Call-ID')).toBe(phone.dialog.callId);
  expect(phone.dialog.isEnded).toBe(false);
  expect(trunk.digits).toBe('11');
});

test('a phone behind a proxy is subscribed to, notified and hung up along the route set (C51)', async () => {
  const stage = await open();
  const proxy = closeAfterTest(await SpiralProxy.open());
  proxy.routes.set('5551000', { to: '5551000', via: stage.running.access });
  const presses = stage.running.sbc.ledger.list({}).length;
  const [phone, trunk] = await Promise.all([
    stage.phone.call({ to: '5551000', via: proxy }),
    stage.trunk.answer(),
  ]);
  const call = new DigitCall(stage, { phone, trunk, presses });
  await phone.listen();
  await Promise.all([phone.press('12'), trunk.press('9')]);
  await Promise.all([trunk.waitForDigits(2), phone.listener.waitForDigits(1)]);
  await call.settle();
  await trunk.hangUp();
  await phone.waitForEnd();
  await waitFor('end of the call', () => stage.running.sbc.calls.size === 0);

  const toPhone = proxy.inDialog
    .filter((request) => isTo(request, phone.dialog.localTag))
    .map((request) => methodOf(request));
  expect(toPhone.filter((method) => method === 'SUBSCRIBE')).toHaveLength(1);
  expect(toPhone.filter((method) => method === 'NOTIFY').length).toBeGreaterThanOrEqual(2);
  expect(toPhone.at(-1)).toBe('BYE');
  expect([trunk.digits, phone.listener.digits, ...phone.problems()]).toEqual(['12', '9']);
});

function isTo(request: SipText, tag: string): boolean {
  return tagIn(headerValue(request, 'To') ?? '') === tag;
}

test('of two subscriptions in a dialog one is ended, the other goes on (F06)', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk } = call;
  await phone.listen();
  await Promise.all([phone.press('1'), trunk.press('8')]);
  await Promise.all([trunk.waitForDigits(1), phone.listener.waitForDigits(1)]);
  await phone.listener.subscribe({ expiresSeconds: 0 });
  await waitFor('its end', () => phone.listener.state.startsWith('terminated'));
  await Promise.all([phone.press('2'), trunk.press('9')]);
  await trunk.waitForDigits(2);
  await waitFor('the fate of 9', () => call.ledger.length === 4);
  const problems = await call.finish();

  expect(problems).toEqual([]);
  expect(call.ledger.toSorted()).toEqual([
    'callee-to-caller 8 rtp -> notify 200',
    'callee-to-caller 9 rtp -> !no-subscription',
    'caller-to-callee 1 notify -> rtp',
    'caller-to-callee 2 notify -> rtp',
  ]);
  expect([trunk.digits, phone.listener.digits]).toEqual(['12', '8']);
});

test('a phone that has forgotten its subscription loses that alone, and may subscribe anew (G03)', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk, stage } = call;
  await phone.listen();
  phone.dialog.handle('NOTIFY', () => ({ status: 481 }));
  await trunk.press('1');
  await waitFor('the fate of 1', () => call.ledger.some((line) => line.includes('481')));
  await trunk.press('2');
  await waitFor('the fate of 2', () => call.ledger.length === 2);
  await phone.press('5');
  await trunk.waitForDigits(1);
  const again = new KpmlListener(phone.dialog);
  await again.listen();
  await trunk.press('3');
  await again.waitForDigits(1);
  await settle(phone.dialog, trunk.dialog);
  const problems = await call.finish();

  expect(problems).toEqual([]);
  expect(again.digits).toBe('3');
  expect(ledgerLines(stage.running.sbc.ledger.list({})).slice(-4)).toEqual([
    'callee-to-caller 1 rtp -> notify 481, !notify-failed',
    'callee-to-caller 2 rtp -> !no-subscription',
    'caller-to-callee 5 notify -> rtp',
    'callee-to-caller 3 rtp -> notify 200',
  ]);
});
