/**
 * Rows C46 to C48, D67 and D68: BYE while subscriptions live and digits wait.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | NOTIFY digits="1234567890"   |                              |
 *     |----------------------------->|== telephone-event 1 ... ====>|
 *     | BYE                          |                              |
 *     |----------------------------->| BYE                          |
 *     |                              |----------------------------->|
 *     |                              |== 1 E E E ==================>|   at once; 2 to 0 are dropped
 *     | NOTIFY terminated, KPML 481  |                              |
 *     |<-----------------------------|                              |
 */
import { describe, expect, test } from 'vitest';
import { messagesOf, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { RELAYED_EVENTS } from '../support/rtp-analysis.ts';
import { headerValue } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc({ core: { 'rfc2833-mode': 'preferred', 'dtmf-duration-ms': '5000' } });

checkLeaksAfterEach();

async function ended(call: DigitCall): Promise<void> {
  await waitFor('end of the call', () => call.stage.running.sbc.calls.size === 0);
}

describe('at the end of a call', () => {
  test('the running event is closed and waiting digits are discarded', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.keypad.waitForSubscription();
    await phone.keypad.reportRaw('1234567890');
    await waitFor('the first event', () => trunk.events.length === 1);
    await phone.dialog.bye();
    await trunk.dialog.waitForEnd();
    await trunk.waitForDigits(1);
    await ended(call);
    await waitFor('the fate of all', () => call.ledger.every((line) => !line.endsWith('-> ')));

    const [event] = trunk.events;
    expect(trunk.digits).toBe('1');
    expect(event?.reports.at(-1)?.isEnd).toBe(true);
    expect(event?.reports.at(-1)?.durationTicks).toBeLessThan(40_000);
    expect(trunk.eventProblems(RELAYED_EVENTS)).toEqual([]);
    expect(call.ledger).toEqual([
      'caller-to-callee 1 notify -> rtp',
      ...'234567890'.split('').map((digit) => `caller-to-callee ${digit} notify -> !call-ended`),
    ]);
    await Promise.all([phone.rtp.close(), trunk.rtp.close()]);
  });

  test('a subscriber is told when the other end hangs up, before its own BYE', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await trunk.hangUp();
    await phone.waitForEnd();
    await ended(call);

    const last = phone.listener.notifies.at(-1);
    expect(last && headerValue(last, 'Subscription-State')).toBe('terminated;reason=noresource');
    expect(last?.body).toContain('code="481"');
    expect(last?.body).not.toContain('digits=');
    expect(messagesOf(stage.phone.sip).slice(-4)).toEqual([
      '< NOTIFY',
      '> 200 NOTIFY',
      '< BYE',
      '> 200 BYE',
    ]);
    expect(phone.problems()).toEqual([]);
  });

  test('a subscriber that hangs up itself is told too, and may answer 481', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await phone.keypad.waitForSubscription();
    phone.dialog.handle('NOTIFY', (request) => {
      phone.listener.notifies.push(request);
      return { status: 481 };
    });
    await phone.hangUp();
    await trunk.waitForEnd();
    await waitFor('last NOTIFY', () => phone.listener.notifies.length === 2);
    await ended(call);

    const last = phone.listener.notifies.at(-1);
    expect(last && headerValue(last, 'Subscription-State')).toBe('terminated;reason=noresource');
    expect(trunk.dialog.problems).toEqual([]);
    expect(phone.keypad.subscribes).toHaveLength(1);
  });
});
