/**
 * Rows K1, K2 and X2: a phone that knows no telephone-event calls a trunk that knows nothing else.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | INVITE, Allow-Events kpml    |                              |
 *     |----------------------------->| INVITE, telephone-event 101  |
 *     |                              |----------------------------->|
 *     |                              |          200 with 101        |
 *     |     200, Allow-Events kpml   |<-----------------------------|
 *     |<-----------------------------| ACK                          |
 *     | ACK                          |----------------------------->|
 *     |----------------------------->|                              |
 *     |    SUBSCRIBE [x*#ABCD]       |                              |
 *     |<-----------------------------|                              |
 *     | NOTIFY digits="5"            |                              |
 *     |----------------------------->|== telephone-event 5 ========>|
 *     | SUBSCRIBE                    |                              |
 *     |----------------------------->|                              |
 *     |    NOTIFY digits="7"         |<== telephone-event 7 ========|
 *     |<-----------------------------|                              |
 *     | BYE                          |                              |
 *     |----------------------------->|                              |
 *     |    NOTIFY terminated, 200    | BYE                          |
 *     |<-----------------------------|----------------------------->|
 */
import { describe, expect, test } from 'vitest';
import { messagesLike, messagesOf, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { readSdp } from '../support/sdp-text.ts';
import { headerValue, headerValues } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const KEYS = '0159*#AD';

const open = shareSbc({
  core: { 'rfc2833-mode': 'preferred', 'dtmf-duration-ms': '40', 'dtmf-gap-ms': '40' },
});

checkLeaksAfterEach();

describe('a KPML phone that calls a 2833 trunk', () => {
  test('has its keys played as telephone-events, and hears the trunk’s as NOTIFY', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.press('5');
    await trunk.waitForDigits(1);
    await phone.listen();
    await trunk.press('7');
    await phone.listener.waitForDigits(1);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(trunk.digits).toBe('5');
    expect(phone.listener.digits).toBe('7');
    expect(call.ledger).toEqual([
      'caller-to-callee 5 notify -> rtp',
      'callee-to-caller 7 rtp -> notify 200',
    ]);
    const messages = messagesOf(stage.phone.sip);
    // The last NOTIFY and the answer to BYE are two transactions: either may come first.
    expect(messages.slice(-3).toSorted()).toEqual(['< 200 BYE', '< NOTIFY', '> 200 NOTIFY']);
    expect(messages.slice(0, -3)).toEqual([
      '> INVITE',
      '< 100 INVITE',
      '< 180 INVITE',
      '< 200 INVITE',
      '> ACK',
      '< SUBSCRIBE',
      '> 200 SUBSCRIBE',
      '> NOTIFY',
      '< 200 NOTIFY',
      '> NOTIFY',
      '< 200 NOTIFY',
      '> SUBSCRIBE',
      '< 200 SUBSCRIBE',
      '< NOTIFY',
      '> 200 NOTIFY',
      '< NOTIFY',
      '> 200 NOTIFY',
      '> BYE',
    ]);
  });

  test('is offered nothing new: only the trunk sees telephone-event, only the phone sees kpml', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    await call.phone.keypad.waitForSubscription();
    await call.finish();

    const [invite] = messagesLike(stage.trunk.sip, '< INVITE');
    const [ringing] = messagesLike(stage.phone.sip, '< 180 INVITE');
    const [answer] = messagesLike(stage.phone.sip, '< 200 INVITE');
    const offer = readSdp(invite?.body ?? '');
    expect(offer.payloadTypes).toEqual([0, 8, 101]);
    expect(offer).toMatchObject({ eventPayloadType: 101, events: '0-15' });
    expect(invite === undefined ? [] : headerValues(invite, 'Allow-Events')).toEqual([]);
    expect(ringing === undefined ? [] : headerValues(ringing, 'Allow-Events')).toEqual(['kpml']);
    expect(readSdp(answer?.body ?? '').payloadTypes).toEqual([0, 8]);
    expect(answer === undefined ? [] : headerValues(answer, 'Allow-Events')).toEqual(['kpml']);
    expect(messagesOf(stage.trunk.sip).filter((line) => /SUBSCRIBE|NOTIFY/.test(line))).toEqual([]);
  });

  test('is subscribed to as Cisco and Oracle peers expect it', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    await call.phone.keypad.waitForSubscription();
    await call.finish();

    const [subscribe] = call.phone.keypad.subscribes;
    const header = (name: string): string | undefined =>
      subscribe === undefined ? undefined : headerValue(subscribe, name);
    expect(header('Event')).toBe('kpml');
    expect(header('Expires')).toBe('7200');
    expect(header('Accept')).toBe('application/kpml-response+xml');
    expect(header('Content-Type')).toBe('application/kpml-request+xml');
    expect(header('Contact')).toMatch(/^<sip:/);
    expect(header('Call-ID')).toBe(call.phone.dialog.callId);
    expect(subscribe?.body.trim()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<kpml-request xmlns="urn:ietf:params:xml:ns:kpml-request" version="1.0">' +
        '<pattern persist="persist" interdigittimer="7260000">' +
        '<regex tag="dtmf">[x*#ABCD]</regex></pattern></kpml-request>',
    );
  });

  test('may send keys and hear keys at the same time, over TCP too', async () => {
    const stage = await open({ phoneOptions: { transport: 'tcp' } });

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.listen();
    await Promise.all([phone.press(KEYS, 60), trunk.press(KEYS, { durationMs: 40, gapMs: 40 })]);
    await Promise.all([trunk.waitForDigits(8), phone.listener.waitForDigits(8)]);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(trunk.digits).toBe(KEYS);
    expect(phone.listener.digits).toBe(KEYS);
    expect(call.ledger.filter((line) => line.endsWith('notify -> rtp'))).toHaveLength(8);
    expect(call.ledger.filter((line) => line.endsWith('rtp -> notify 200'))).toHaveLength(8);
  });

  test('is subscribed to even if it does not list kpml in Allow-Events', async () => {
    const stage = await open({ phoneOptions: { allowEvents: '' } });

    const call = await phoneCallsTrunk(stage);
    await call.phone.press('9');
    await call.trunk.waitForDigits(1);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(call.trunk.digits).toBe('9');
    expect(call.phone.isKpmlAllowed).toBe(true);
  });

  test('keeps its call when it refuses the subscription', async () => {
    const stage = await open({
      phoneOptions: { allowEvents: '', keypad: { refuseWith: 489 } },
    });

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await waitFor('SUBSCRIBE', () => phone.keypad.subscribes.length > 0);
    await phone.listen();
    await trunk.press('3');
    await phone.listener.waitForDigits(1);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(phone.keypad.subscribes).toHaveLength(1);
    expect(call.ledger).toEqual(['callee-to-caller 3 rtp -> notify 200']);
  });
});
