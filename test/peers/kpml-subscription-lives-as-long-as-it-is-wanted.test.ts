/**
 * Rows C03, D01, D06 to D09, D14 to D16: refresh, end and number of subscriptions in one dialog.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | SUBSCRIBE                    |                              |
 *     |<-----------------------------|                              |
 *     | 200, Expires: 4              |                              |
 *     |----------------------------->|                              |
 *     | SUBSCRIBE (after 3 to 3.6 s) |                              |
 *     |<-----------------------------|                              |
 *     | SUBSCRIBE, Expires: 0        |                              |
 *     |----------------------------->|                              |
 *     | NOTIFY terminated, KPML 487  |                              |
 *     |<-----------------------------|                              |
 *     |                              |<== telephone-event: dropped =|
 */
import { describe, expect, test } from 'vitest';
import { messagesLike, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import type { Header, SipText } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const SHORT = { durationMs: 40, gapMs: 40 };

const open = shareSbc();

checkLeaksAfterEach();

function subscribe(
  call: DigitCall,
  options: { event?: string; expires: number; pattern?: string },
): Promise<SipText> {
  const { event = 'kpml', expires, pattern } = options;
  const headers: Header[] = [
    ['Event', event],
    ['Expires', String(expires)],
  ];
  if (pattern === undefined) return call.phone.dialog.request('SUBSCRIBE', { headers });
  const body =
    '<kpml-request version="1.0"><pattern persist="persist">' +
    `<regex>${pattern}</regex></pattern></kpml-request>`;
  const contentType = 'application/kpml-request+xml';
  return call.phone.dialog.request('SUBSCRIBE', { headers, body, contentType });
}

function lastNotify(call: DigitCall): { event: string; state: string; body: string } {
  const notify = call.phone.listener.notifies.at(-1);
  return {
    event: (notify && headerValue(notify, 'Event')) ?? '',
    state: (notify && headerValue(notify, 'Subscription-State')) ?? '',
    body: notify?.body ?? '',
  };
}

describe('a subscription', () => {
  test('of ours is refreshed before the time that the phone granted runs out', async () => {
    const stage = await open({ phoneOptions: { keypad: { expiresSeconds: 4 } } });

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.keypad.waitForSubscription();
    await waitFor('refresh', () => phone.keypad.subscribes.length === 2);
    await phone.press('6');
    await trunk.waitForDigits(1);
    const problems = await call.finish();

    const [first, second] = stage.phone.sip.log
      .filter(({ text, direction }) => direction === 'received' && text.startsWith('SUBSCRIBE'))
      .map((entry) => entry.atMs);
    expect(problems).toEqual([]);
    expect(phone.keypad.subscribes[1]?.body).toBe(phone.keypad.subscribes[0]?.body);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(2990);
    expect((second ?? 0) - (first ?? 0)).toBeLessThan(4000);
    expect(trunk.digits).toBe('6');
  });

  test('of the phone ends with Expires: 0, and later keys are dropped', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await trunk.press('1', SHORT);
    await phone.listener.waitForDigits(1);
    const ended = await subscribe(call, { expires: 0 });
    await waitFor('last NOTIFY', () => phone.listener.state.startsWith('terminated'));
    const last = lastNotify(call);
    await trunk.press('2', SHORT);
    await waitFor('the fate of 2', () => call.ledger.length === 2);
    await phone.listen();
    await trunk.press('3', SHORT);
    await phone.listener.waitForDigits(2);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect([statusOf(ended), headerValue(ended, 'Expires')]).toEqual([200, '0']);
    expect(last.state).toBe('terminated;reason=timeout');
    expect(last.body).toContain('code="487" text="Subscription Expired" digits=""');
    expect(phone.listener.digits).toBe('13');
    expect(call.ledger).toEqual([
      'callee-to-caller 1 rtp -> notify 200',
      'callee-to-caller 2 rtp -> !no-subscription',
      'callee-to-caller 3 rtp -> notify 200',
    ]);
  });

  test('with Expires: 0 at once is a look at the state', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const answer = await subscribe(call, { expires: 0 });
    await waitFor('NOTIFY', () => call.phone.listener.notifies.length > 0);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(statusOf(answer)).toBe(200);
    expect(call.phone.listener.notifies).toHaveLength(1);
    expect(lastNotify(call)).toEqual({
      event: 'kpml',
      state: 'terminated;reason=timeout',
      body: '',
    });
  });

  test('is told from others by its id; a refresh without body keeps the document', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    const answers = [
      await subscribe(call, { event: 'kpml;id=5', expires: 600, pattern: 'x' }),
      await subscribe(call, { event: 'kpml;id=7', expires: 600, pattern: '[#*]' }),
      await subscribe(call, { event: 'kpml;id=5', expires: 90 }),
    ];
    await trunk.press('4#', SHORT);
    await waitFor('both keys', () => phone.listener.reports.length === 2);
    const events = messagesLike(stage.phone.sip, '< NOTIFY')
      .filter((notify) => notify.body !== '')
      .map((notify) => [
        headerValue(notify, 'Event'),
        /digits="([^"]*)"/.exec(notify.body)?.[1],
        headerValue(notify, 'Subscription-State')?.replace(/\d+$/, 'N'),
      ]);
    await call.finish();

    expect(answers.map((answer) => [statusOf(answer), headerValue(answer, 'Expires')])).toEqual([
      [200, '600'],
      [200, '600'],
      [200, '90'],
    ]);
    expect(events).toEqual([
      ['kpml;id=5', '4', 'active;expires=N'],
      ['kpml;id=7', '#', 'active;expires=N'],
    ]);
  });
});
