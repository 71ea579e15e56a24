/**
 * Rows I5 and I6, and legs that read no INFO: the body passes as it is, and so does the answer.
 *
 *   phone (INFO)      SBC      trunk (INFO)
 *     | INFO Signal=5  |  INFO Signal=5 |
 *     |--------------->|--------------->|
 *     |            200 |            200 |
 *     |<---------------|<---------------|
 */
import { describe, expect, test } from 'vitest';
import { openStage, phoneCallsTrunk, type DigitCall } from '../support/digit-call.ts';
import { BARE_TYPE, InfoKeys, RELAY_TYPE } from '../support/info-keys.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue } from '../support/sip-text.ts';

checkLeaksAfterEach();

interface InfoCall {
  readonly call: DigitCall;
  readonly phone: InfoKeys;
  readonly trunk: InfoKeys;
}

/** A call in which neither end has telephone-event or KPML; `sip-info` of both legs. */
async function callBetween(access: string, core: string, knowsEvents = false): Promise<InfoCall> {
  const stage = await openStage({
    access: { 'kpml-interworking': 'disabled', 'sip-info': access },
    core: { 'rfc2833-mode': 'preferred', 'sip-info': core },
    phoneOptions: { allowEvents: '' },
    trunkOptions: { knowsEvents },
  });
  const call = await phoneCallsTrunk(stage);
  const [phone, trunk] = [new InfoKeys(call.phone.dialog), new InfoKeys(call.trunk.dialog)];
  return { call, phone, trunk };
}

describe.each([
  ['send', 'send'],
  ['receive', 'disabled'],
])('sip-info %s and %s', (access, core) => {
  test('an INFO with a digit passes as it is and stands in the ledger with its answer', async () => {
    const { call, phone, trunk } = await callBetween(access, core);
    trunk.answerWith({ status: 200 }, { status: 200 }, { status: 415 });

    const statuses = [
      await phone.send('Signal= 5\nduration=100', RELAY_TYPE),
      await phone.send('#', BARE_TYPE),
      await phone.send('Signal=7\r\n', RELAY_TYPE),
      await phone.send('not a key', RELAY_TYPE),
    ];
    const { ledger } = call;
    const problems = await call.finish();

    expect(statuses).toEqual([200, 200, 415, 200]);
    expect(trunk.received.map(({ body }) => body)).toEqual([
      'Signal= 5\nduration=100',
      '#',
      'Signal=7\r\n',
      'not a key',
    ]);
    expect(trunk.received.map((info) => headerValue(info, 'Content-Type'))).toEqual([
      RELAY_TYPE,
      BARE_TYPE,
      RELAY_TYPE,
      RELAY_TYPE,
    ]);
    expect(ledger).toEqual([
      'caller-to-callee 5 info -> info 200',
      'caller-to-callee # info -> info 200',
      'caller-to-callee 7 info -> info 415, !info-refused',
    ]);
    expect(problems).toEqual([]);
  });
});

test('with sip-info disabled an INFO with a digit is none of our business', async () => {
  const { call, phone, trunk } = await callBetween('disabled', 'disabled', true);

  const statuses = await phone.press('5');
  const { ledger } = call;
  await call.finish();

  expect(statuses).toEqual([200]);
  expect(trunk.digits).toBe('5');
  expect(call.trunk.digits).toBe('');
  expect(ledger).toEqual([]);
});

test('a trunk that sends its keys as events and as INFO has each of them arrive once', async () => {
  const { call, phone, trunk } = await callBetween('send', 'disabled', true);

  await call.trunk.press('5');
  const statuses = await trunk.press('5');
  await phone.waitForDigits(1);
  await call.settle();
  const { ledger } = call;
  await call.finish();

  expect(statuses).toEqual([200]);
  expect(phone.digits).toBe('5');
  expect(ledger.toSorted()).toEqual([
    'callee-to-caller 5 info -> !other-method',
    'callee-to-caller 5 rtp -> info 200',
  ]);
});
