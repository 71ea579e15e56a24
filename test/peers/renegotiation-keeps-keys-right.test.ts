/** Hold, resume, delayed offers and changes of the key method in mid-call (interop matrix B, hairpin F). */

import { describe, expect, test } from 'vitest';
import { openStage, phoneCallsTrunk } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { KpmlKeypad, KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { RELAYED_EVENTS } from '../support/rtp-analysis.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { headerTokens, headerValue, statusOf } from '../support/sip-text.ts';
import { sleep } from '../support/wait-for.ts';

const SETTLE_MS = 400;
/** The KPML end is the callee in realm core. */
const KPML_CORE = {
  access: { 'kpml-interworking': 'disabled', 'rfc2833-mode': 'preferred' },
  core: { 'kpml-interworking': 'enabled', 'rfc2833-mode': 'transparent' },
};

checkLeaksAfterEach();

describe('hold', () => {
  test('keys toward a holding trunk are dropped; after resume they cross under the same subscription', async () => {
    const call = await connect();
    await call.phone.press('1');
    await call.trunk.waitForDigits(1);
    expect(statusOf(await call.trunk.reinvite('sendonly'))).toBe(200);
    expect(call.phone.remote.direction).toBe('sendonly');
    await call.phone.press('2');
    await sleep(SETTLE_MS);
    expect(statusOf(await call.trunk.reinvite('sendrecv'))).toBe(200);
    await call.phone.press('3');
    await call.trunk.waitForDigits(2);
    expect(call.trunk.digits).toBe('13');
    expect(call.phone.keypad.subscribes).toHaveLength(1);
    expect(call.ledger).toEqual([
      'caller-to-callee 1 notify -> rtp',
      'caller-to-callee 2 notify -> !media-inactive',
      'caller-to-callee 3 notify -> rtp',
    ]);
    await call.finish();
  });

  test('an inactive phone that comes back hears and sends keys as before', async () => {
    const call = await connect();
    await call.phone.listen();
    expect(statusOf(await call.phone.reinvite('inactive'))).toBe(200);
    expect(call.trunk.remote.direction).toBe('inactive');
    expect(statusOf(await call.phone.reinvite('sendrecv'))).toBe(200);
    await Promise.all([call.phone.press('3'), call.trunk.press('8')]);
    expect(await call.trunk.waitForDigits(1)).toBe('3');
    expect(await call.phone.listener.waitForDigits(1)).toBe('8');
    await call.finish();
  });
});

test('a trunk that drops telephone-event ends our subscription, taking it up again starts a new one', async () => {
  const call = await connect();
  await call.phone.press('1');
  await call.trunk.waitForDigits(1);
  const { address, rtpPort } = call.trunk.rtp;
  const without = buildSdp({ address, rtpPort, version: 7 });
  expect(statusOf(await call.trunk.dialog.request('INVITE', { body: without }))).toBe(200);
  await call.phone.dialog.waitForRequest('SUBSCRIBE', 2);
  const again = buildSdp({ address, rtpPort, version: 8, eventPayloadType: 101 });
  expect(statusOf(await call.trunk.dialog.request('INVITE', { body: again }))).toBe(200);
  await call.phone.dialog.waitForRequest('SUBSCRIBE', 3);
  await call.phone.press('2');
  await call.trunk.waitForDigits(2);
  expect(call.trunk.digits).toBe('12');
  const lifetimes = call.phone.keypad.subscribes.map((request) => headerValue(request, 'Expires'));
  expect(lifetimes).toEqual(['7200', '0', '7200']);
  expect(await call.finish()).toEqual([]);
});

describe('delayed offer', () => {
  test('a KPML caller whose answer comes in the ACK is subscribed to (B04)', async () => {
    const { phone, trunk, running } = await openStage();
    const rtp = closeAfterTest(await RtpPeer.open());
    const { address, rtpPort } = rtp;
    const outgoing = phone.sip.invite({
      to: '5551000',
      via: running.access,
      headers: [['Allow-Events', 'kpml']],
      ackBody: () => buildSdp({ address, rtpPort }),
    });
    const keypad = new KpmlKeypad(outgoing.dialog);
    const trunkCall = await trunk.answer();
    await outgoing.answered();
    rtp.setRemote(readSdp(outgoing.final?.body ?? ''));
    rtp.startAudio();
    expect(trunkCall.remote.eventPayloadType).toBe(101);
    await keypad.waitForSubscription();
    await keypad.press('12', 170);
    expect(await trunkCall.waitForDigits(2)).toBe('12');
    expect(trunkCall.eventProblems(RELAYED_EVENTS)).toEqual([]);
    await outgoing.dialog.bye();
    await trunkCall.waitForEnd();
  });

  test('a trunk that calls a KPML phone without SDP finds telephone-event in the offer (Q13)', async () => {
    const { phone, trunk, running } = await openStage();
    const rtp = closeAfterTest(await RtpPeer.open());
    const { address, rtpPort } = rtp;
    const outgoing = trunk.sip.invite({
      to: 'phone',
      via: running.core,
      ackBody: (response) => {
        const { eventPayloadType } = readSdp(response.body);
        return buildSdp({ address, rtpPort, eventPayloadType });
      },
    });
    const phoneCall = await phone.answer();
    await outgoing.answered();
    const offer = readSdp(outgoing.final?.body ?? '');
    expect(offer.eventPayloadType).toBe(101);
    rtp.setRemote(offer);
    await phoneCall.listen();
    await rtp.press('34');
    expect(await phoneCall.listener.waitForDigits(2)).toBe('34');
    await outgoing.dialog.bye();
    await phoneCall.waitForEnd();
  });
});

describe('a callee with telephone-event that subscribes as well', () => {
  test.each([
    ['is refused by default and hears keys in RTP only', 'disabled', 489, ''],
    ['with the hairpin flag hears each key in RTP and by NOTIFY', 'enabled', 200, '12#'],
  ])('%s', async (_name, flag, status, notified) => {
    const core = { ...KPML_CORE.core, 'kpmlRFC2833-iwf-on-hairpin': flag };
    const { trunk, running } = await openStage({ ...KPML_CORE, core });
    const caller = closeAfterTest(await Rfc2833Trunk.open({ user: 'caller' }));
    const calling = caller.call({ to: '5551000', via: running.access });
    const incoming = await trunk.sip.nextCall();
    expect(headerTokens(incoming.invite, 'Allow-Events')).toEqual(['kpml']);
    const listener = new KpmlListener(incoming.dialog);
    const [callerCall, calleeCall] = await Promise.all([calling, trunk.accept(incoming)]);
    expect(statusOf(await listener.subscribe())).toBe(status);
    await callerCall.press('12#');
    expect(await calleeCall.waitForDigits(3)).toBe('12#');
    await sleep(SETTLE_MS);
    expect(calleeCall.digits).toBe('12#');
    expect(listener.digits).toBe(notified);
    await callerCall.hangUp();
    await calleeCall.waitForEnd();
  });
});

/** The phone calls the trunk; audio runs both ways before any key. */
async function connect(): Promise<DigitCall> {
  const call = await phoneCallsTrunk(await openStage());
  await Promise.all([call.phone.waitForAudio(), call.trunk.waitForAudio()]);
  return call;
}
