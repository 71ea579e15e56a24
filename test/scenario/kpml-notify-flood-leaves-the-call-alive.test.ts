/**
 * Row G04: a phone that reports a thousand keys a second.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | 400 NOTIFY digits="1"        |                              |
 *     |----------------------------->|== some telephone-events ====>|
 *     | 50 times 200, then 25 a second, else 500 with Retry-After: 1 |
 *     |<-----------------------------|                              |
 *     | NOTIFY digits="7" to the phone, as ever                     |
 *     |<-----------------------------|<== telephone-event 7 ========|
 */
import { describe, expect, test } from 'vitest';
import { openStage, phoneCallsTrunk } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { sleep } from '../support/wait-for.ts';

const FLOOD = 400;

checkLeaksAfterEach();

describe('a flood of NOTIFY', () => {
  test('is cut down, and the call is none the worse', async () => {
    const stage = await openStage({ phoneOptions: { transport: 'tcp' } });

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await phone.keypad.waitForSubscription();
    const startedAtMs = performance.now();
    const answers = await Promise.all(
      Array.from({ length: FLOOD }, async (_unused, index) => {
        await sleep(index);
        return phone.dialog.request('NOTIFY', {
          headers: [
            ['Event', 'kpml'],
            ['Subscription-State', 'active;expires=600'],
          ],
          contentType: 'application/kpml-response+xml',
          body: '<kpml-response version="1.0" code="200" text="OK" digits="1"/>',
        });
      }),
    );
    const seconds = (performance.now() - startedAtMs) / 1000;
    await trunk.press('7');
    await phone.listener.waitForDigits(1);
    const problems = await call.finish();

    const accepted = answers.filter((answer) => statusOf(answer) === 200);
    const refused = answers.filter((answer) => statusOf(answer) === 500);
    expect(accepted.length + refused.length).toBe(FLOOD);
    expect(accepted.length).toBeGreaterThanOrEqual(49);
    expect(accepted.length).toBeLessThanOrEqual(50 + 25 * seconds);
    expect(refused.every((answer) => headerValue(answer, 'Retry-After') === '1')).toBe(true);
    expect(problems.filter((problem) => !problem.startsWith('key '))).toEqual([]);
    expect(phone.listener.digits).toBe('7');
    expect(call.ledger.filter((line) => line.includes(' 1 notify'))).toHaveLength(accepted.length);
  });
});
