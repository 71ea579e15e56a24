/**
 * Rows Q2, Q4, Q7 and X1: a trunk calls a phone that knows no telephone-event.
 *
 *   trunk (2833)                    SBC                        phone (KPML)
 *     | INVITE, 101                  |                              |
 *     |----------------------------->| INVITE, 101, Allow-Events kpml
 *     |                              |----------------------------->|
 *     |     200 with 101             |<-----------------------------| 200 without 101
 *     |<-----------------------------|                              |
 *     |                              | SUBSCRIBE (X1)               |
 *     |                              |----------------------------->|
 *     |                              |<-----------------------------| SUBSCRIBE
 *     |== telephone-event 5 ========>| NOTIFY digits="5"            |
 *     |                              |----------------------------->|
 *     |<======== telephone-event 8 ==|<-----------------------------| NOTIFY digits="8"
 */
import { describe, expect, test } from 'vitest';
import { messagesLike, openStage, shareSbc, trunkCallsPhone } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { readSdp } from '../support/sdp-text.ts';
import { headerValue, headerValues } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc();

checkLeaksAfterEach();

describe('a trunk that calls a KPML phone', () => {
  test.each([
    ['Q2', 'transparent'],
    ['Q4', 'preferred'],
  ])('is heard by NOTIFY and hears telephone-events (%s)', async (_row, mode) => {
    const stage = await openStage({ access: { 'rfc2833-mode': mode } });

    const call = await trunkCallsPhone(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await phone.keypad.waitForSubscription();
    await Promise.all([trunk.press('5'), phone.press('8')]);
    await Promise.all([phone.listener.waitForDigits(1), trunk.waitForDigits(1)]);
    const problems = await call.finish();

    const [invite] = messagesLike(stage.phone.sip, '< INVITE');
    const [answer] = messagesLike(stage.trunk.sip, '< 200 INVITE');
    expect(problems).toEqual([]);
    expect(readSdp(invite?.body ?? '')).toMatchObject({ eventPayloadType: 101, events: '0-15' });
    expect(invite === undefined ? [] : headerValues(invite, 'Allow-Events')).toEqual(['kpml']);
    expect(readSdp(answer?.body ?? '')).toMatchObject({ eventPayloadType: 101, events: '0-15' });
    expect(answer === undefined ? undefined : headerValues(answer, 'Allow-Events')).toEqual([]);
    expect(phone.listener.digits).toBe('5');
    expect(trunk.digits).toBe('8');
    expect(call.ledger.toSorted()).toEqual([
      'callee-to-caller 8 notify -> rtp',
      'caller-to-callee 5 rtp -> notify 200',
    ]);
  });

  test('is told of each key by a NOTIFY that a validating reader takes', async () => {
    const stage = await open();

    const call = await trunkCallsPhone(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await trunk.press('#');
    await phone.listener.waitForDigits(1);
    await call.finish();

    const [accepted] = messagesLike(stage.phone.sip, '< 200 SUBSCRIBE');
    const [first, report] = phone.listener.notifies;
    const headersOf = (name: string): (string | undefined)[] =>
      [first, report].map((notify) =>
        notify === undefined ? undefined : headerValue(notify, name),
      );
    expect(accepted === undefined ? '' : headerValue(accepted, 'Expires')).toBe('7200');
    expect(accepted === undefined ? '' : headerValue(accepted, 'Contact')).toMatch(/^<sip:/);
    expect(accepted === undefined ? '-' : headerValue(accepted, 'Event')).toBeUndefined();
    expect(headersOf('Event')).toEqual(['kpml', 'kpml']);
    expect(headersOf('Subscription-State')).toEqual([
      expect.stringMatching(/^active;expires=7(200|199)$/),
      expect.stringMatching(/^active;expires=71\d\d$|^active;expires=7200$/),
    ]);
    expect(headersOf('Content-Type')).toEqual([undefined, 'application/kpml-response+xml']);
    expect(first?.body).toBe('');
    expect(report?.body.trim()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<kpml-response xmlns="urn:ietf:params:xml:ns:kpml-response" version="1.0" code="200" ' +
        'text="OK" digits="#" tag="dtmf" suppressed="false" forced_flush="false"/>',
    );
  });

  test('is not heard before the phone subscribes, nor is what it pressed told later (Q7)', async () => {
    const stage = await open({ phoneOptions: { allowEvents: '' } });

    const call = await trunkCallsPhone(stage);
    const { phone, trunk } = call;
    await trunk.press('12');
    await waitFor('two dropped keys', () => call.ledger.length === 2);
    await phone.listen();
    await trunk.press('3');
    await phone.listener.waitForDigits(1);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(phone.listener.digits).toBe('3');
    expect(call.ledger).toEqual([
      'caller-to-callee 1 rtp -> !no-subscription',
      'caller-to-callee 2 rtp -> !no-subscription',
      'caller-to-callee 3 rtp -> notify 200',
    ]);
  });

  test('is heard once per press: the same key twice, and all kinds in a row', async () => {
    const stage = await open();

    const call = await trunkCallsPhone(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await trunk.press('5505*#AD', { durationMs: 40, gapMs: 40 });
    await phone.listener.waitForDigits(8);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(phone.listener.digits).toBe('5505*#AD');
    expect(call.ledger.every((line) => line.endsWith('rtp -> notify 200'))).toBe(true);
  });
});
