/**
 * Rows D62 to D65 and G06: bodies made to hurt, in both directions, in the middle of a call.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | SUBSCRIBE, entity bomb       |                              |
 *     |----------------------------->|                              |
 *     |             400              |                              |
 *     |<-----------------------------|                              |
 *     | NOTIFY, 1 MB                 |                              |
 *     |----------------------------->|                              |
 *     |             413              |                              |
 *     |<-----------------------------|                              |
 *     | NOTIFY digits="5"            |                              |
 *     |----------------------------->|== telephone-event 5 ========>|
 */
import { describe, expect, test } from 'vitest';
import { phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

/** Each entity is ten of the one before: 10^9 characters when expanded. */
const BOMB = [
  '<?xml version="1.0"?><!DOCTYPE kpml-request [<!ENTITY a0 "1111111111">',
  ...Array.from({ length: 8 }, (_unused, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`),
  ']><kpml-request version="1.0"><pattern><regex>&a8;</regex></pattern></kpml-request>',
].join('');

const EXTERNAL =
  '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hostname">]><kpml-response code="200" digits="&f;"/>';

const HOSTILE: readonly (readonly [what: string, body: string, status: number])[] = [
  ['entity bomb', BOMB, 400],
  ['external entity', EXTERNAL, 400],
  ['NUL', '<kpml-response version="1.0" code="200" digits="1\0"/>', 400],
  ['two roots', '<kpml-request/><kpml-request/>', 400],
  ['deep nesting', '<a>'.repeat(5000), 400],
  ['40 kB', ' '.repeat(40_000), 413],
];

const open = shareSbc();

checkLeaksAfterEach();

async function send(
  call: DigitCall,
  method: 'SUBSCRIBE' | 'NOTIFY',
  body: string,
): Promise<number> {
  const kind = method === 'SUBSCRIBE' ? 'request' : 'response';
  const response = await call.phone.dialog.request(method, {
    headers: [
      ['Event', 'kpml'],
      method === 'SUBSCRIBE' ? ['Expires', '600'] : ['Subscription-State', 'active;expires=600'],
    ],
    contentType: `application/kpml-${kind}+xml`,
    body,
  });
  return statusOf(response) ?? 0;
}

describe('a hostile body', () => {
  test('is refused at once, and the digits of the call go on', async () => {
    const stage = await open({ phoneOptions: { transport: 'tcp' } });

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await phone.keypad.waitForSubscription();
    const pressing = trunk.press('1234567890', { durationMs: 40, gapMs: 40 });
    const statuses: unknown[] = [];
    for (const [what, body] of HOSTILE) {
      statuses.push([what, await send(call, 'SUBSCRIBE', body), await send(call, 'NOTIFY', body)]);
    }
    await phone.press('5');
    await pressing;
    await Promise.all([phone.listener.waitForDigits(10), trunk.waitForDigits(1)]);
    const problems = await call.finish();

    expect(statuses).toEqual(HOSTILE.map(([what, , status]) => [what, status, status]));
    expect(problems).toEqual([]);
    expect(phone.listener.digits).toBe('1234567890');
    expect(trunk.digits).toBe('5');
  });

  test('of 1 MB is refused by the first look at its length', async () => {
    const stage = await open({ phoneOptions: { transport: 'tcp' } });

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.keypad.waitForSubscription();
    const status = await send(call, 'NOTIFY', 'x'.repeat(1_048_576));
    // The rest of the stream cannot be read: the SBC closes it, and the phone needs a new one.
    await waitFor('the end of the connection', () => stage.phone.sip.connections === 0);
    await phone.press('5');
    await trunk.waitForDigits(1);
    await call.finish();

    expect(status).toBe(413);
    expect(trunk.digits).toBe('5');
  });
});
