/** Our own endpoints called by SIPp and calling SIPp, with nothing between: neither side may be wrong in the same way. */

import { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { KpmlPhone } from '../support/kpml-phone.ts';
import { KpmlKeypad, KpmlListener } from '../support/kpml-sides.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { statusOf } from '../support/sip-text.ts';
import { hasSipp, SippRun } from '../support/sipp.ts';
import type { SippOptions } from '../support/sipp.ts';

const isMissing = !hasSipp() && env['CI'] === undefined;
const ADDRESS = '127.0.0.1';
const KEYS = { rtp_port: 9, event_pt: 101, pattern: '[x*#ABCD]' };

checkLeaksAfterEach();

async function startSipp(options: Omit<SippOptions, 'address'>): Promise<SippRun> {
  const base = { address: ADDRESS, keys: KEYS, template: { hold: 100 } };
  return closeAfterTest(await SippRun.start({ ...base, ...options }));
}

describe.skipIf(isMissing)('SIPp', () => {
  test.each(['udp', 'tcp'] as const)('calls the trunk over %s', async (transport) => {
    const trunk = closeAfterTest(await Rfc2833Trunk.open({ transport }));
    const sipp = await startSipp({ scenario: 'uac-events', remote: trunk.sip, transport });
    const call = await trunk.answer();
    await call.waitForEnd();
    expect(await sipp.finished()).toMatchObject({ exitCode: 0, errors: '' });
  });

  test('is called by the trunk', async () => {
    const sipp = await startSipp({ scenario: 'uas-events' });
    await sipp.listening();
    const trunk = closeAfterTest(await Rfc2833Trunk.open());
    const call = await trunk.call({ to: 'callee', via: sipp });
    expect(statusOf(await call.hangUp())).toBe(200);
    expect(await sipp.finished()).toMatchObject({ exitCode: 0, errors: '' });
  });

  test('reports its keys to the phone that subscribed', async () => {
    const phone = closeAfterTest(await KpmlPhone.open());
    const sipp = await startSipp({ scenario: 'uac-kpml', remote: phone.sip });
    const call = await phone.answer();
    await call.listen();
    expect(await call.listener.waitForDigits(3)).toBe('4#D');
    await call.waitForEnd();
    expect(call.problems()).toEqual([]);
    expect(await sipp.finished()).toMatchObject({ exitCode: 0, errors: '' });
  });

  test('subscribes to the phone and is subscribed to in the same dialog', async () => {
    const sipp = await startSipp({ scenario: 'uas-kpml' });
    await sipp.listening();
    const peer = closeAfterTest(await SipPeer.open());
    const outgoing = peer.invite({
      to: 'callee',
      via: sipp,
      headers: [['Allow-Events', 'kpml']],
      body: buildSdp({ address: ADDRESS, rtpPort: 9, eventPayloadType: 101 }),
    });
    const keypad = new KpmlKeypad(outgoing.dialog);
    const listener = new KpmlListener(outgoing.dialog);
    await outgoing.answered();
    await listener.listen();
    await keypad.waitForSubscription();
    await keypad.press('5*A');
    await outgoing.dialog.bye();
    expect([...keypad.problems, ...listener.problems, ...outgoing.dialog.problems]).toEqual([]);
    expect(await sipp.finished()).toMatchObject({ exitCode: 0 });
  });
});
