/**
 * Rows I1 and I3: a phone whose keys travel by SIP INFO, and a trunk with telephone-events.
 *
 *   phone (INFO)                  SBC                     trunk (2833)
 *     | INVITE                     |                            |
 *     |--------------------------->| INVITE, telephone-event 101|
 *     |                            |--------------------------->|
 *     |                   200, ACK |<------ 200, ACK ---------->|
 *     |<-------------------------->|                            |
 *     | INFO Signal=5              |                            |
 *     |--------------------------->|== telephone-event 5 ======>|
 *     |                        200 |                            |
 *     |<---------------------------|                            |
 *     |              INFO Signal=7 |<== telephone-event 7 ======|
 *     |<---------------------------|                            |
 *     | 200                        |                            |
 *     |--------------------------->|                            |
 */
import { describe, expect, test } from 'vitest';
import { callRecords } from '../support/call-stage.ts';
import { openStage, phoneCallsTrunk, shareSbc, trunkCallsPhone } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { BARE_TYPE, InfoKeys, RELAY_TYPE } from '../support/info-keys.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { receivedDigits } from '../support/rtp-analysis.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

const LEGS = {
  access: { 'kpml-interworking': 'disabled', 'sip-info': 'send' },
  core: { 'rfc2833-mode': 'preferred', 'dtmf-gap-ms': '40' },
};

const open = shareSbc(LEGS);

checkLeaksAfterEach();

interface InfoCall {
  readonly call: DigitCall;
  readonly keys: InfoKeys;
}

async function callFrom(caller: 'phone' | 'trunk'): Promise<InfoCall> {
  const stage = await open({ phoneOptions: { allowEvents: '' } });
  const call = await (caller === 'phone' ? phoneCallsTrunk(stage) : trunkCallsPhone(stage));
  return { call, keys: new InfoKeys(call.phone.dialog) };
}

/** Waits until the fate of every press is known. */
async function settled(call: DigitCall, presses: number): Promise<string[]> {
  await waitFor(
    `${presses} settled presses`,
    () =>
      call.ledger.length === presses &&
      call.ledger.every((line) => / (?:rtp|info 200|!\S+)$/.test(line)),
    { details: () => call.ledger.join('\n') },
  );
  return call.ledger;
}

describe.each(['phone', 'trunk'] as const)('in a call from the %s', (caller) => {
  test('every key crosses once and in order, in both directions', async () => {
    const { call, keys } = await callFrom(caller);

    const statuses = await keys.press('05*#AD');
    const heard = await call.trunk.waitForDigits(6);
    await call.trunk.press('7D#');
    const notified = await keys.waitForDigits(3);
    const ledger = await settled(call, 9);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    expect([heard, notified]).toEqual(['05*#AD', '7D#']);
    expect(keys.mostAtOnce).toBe(1);
    const [out, back] =
      caller === 'phone'
        ? ['caller-to-callee', 'callee-to-caller']
        : ['callee-to-caller', 'caller-to-callee'];
    expect(ledger).toEqual([
      ...Array.from('05*#AD', (key) => `${out} ${key} info -> rtp`),
      ...Array.from('7D#', (key) => `${back} ${key} rtp -> info 200`),
    ]);
  });
});

test('the duration of a press is stated on the other side', async () => {
  const { call, keys } = await callFrom('phone');

  await keys.press('1', 400);
  await keys.press('2', 1);
  await call.trunk.waitForDigits(2);
  await call.trunk.press('3', { durationMs: 240 });
  await keys.waitForDigits(1);
  await call.finish();

  const [long = 0, short = 0] = call.trunk.events.map(
    ({ reports }) => (reports.at(-1)?.durationTicks ?? 0) / 8,
  );
  // A press of 1 ms is played as long as a receiver needs.
  expect([long, short]).toEqual([400, 40]);
  // Not the default of 100 ms.
  expect(keys.durations[0]).toBeGreaterThan(100);
  expect(keys.durations[0]).toBeLessThanOrEqual(260);
});

test('bodies as other phones write them are understood', async () => {
  const { call, keys } = await callFrom('phone');

  const statuses = [
    await keys.send('5', BARE_TYPE),
    await keys.send('11', BARE_TYPE),
    await keys.send('signal= 9\nduration= 100\n', RELAY_TYPE),
    await keys.send('Signal=10', RELAY_TYPE),
  ];
  const heard = await call.trunk.waitForDigits(4);
  await call.finish();

  expect(statuses).toEqual([200, 200, 200, 200]);
  expect(heard).toBe('5#9*');
});

test('a phone gets INFO in the content type in which it sends', async () => {
  const { call, keys } = await callFrom('phone');

  await keys.send('5', BARE_TYPE);
  await call.trunk.waitForDigits(1);
  await call.trunk.press('6');
  await keys.waitForDigits(1);
  await call.finish();

  expect(keys.received.map((info) => headerValue(info, 'Content-Type'))).toEqual([BARE_TYPE]);
});

test('a digit that cannot be read gets 400, other bodies are relayed, and digits go on', async () => {
  const { call, keys } = await callFrom('phone');

  const statuses = [
    await keys.send('Signal=99\r\n', RELAY_TYPE),
    await keys.send('\0\0', BARE_TYPE),
    await keys.send('<xml/>', 'application/media_control+xml'),
  ];
  const packaged = await call.phone.dialog.request('INFO', {
    body: '5',
    contentType: BARE_TYPE,
    headers: [['Info-Package', 'keys']],
  });
  const empty = await call.phone.dialog.request('INFO');
  await keys.press('4');
  const heard = await call.trunk.waitForDigits(1);
  const ledger = await settled(call, 3);
  const problems = await call.finish();

  expect(statuses).toEqual([400, 400, 200]);
  expect([statusOf(packaged), statusOf(empty)]).toEqual([200, 200]);
  const relayed = new InfoKeys(call.trunk.dialog).received;
  expect(relayed.map(({ body }) => body)).toEqual(['<xml/>', '5', '']);
  expect(heard).toBe('4');
  expect(ledger).toEqual([
    'caller-to-callee ? info -> !unknown-character',
    'caller-to-callee ? info -> !unknown-character',
    'caller-to-callee 4 info -> rtp',
  ]);
  expect(problems).toEqual([]);
});

test('an INFO that is refused costs its digit and nothing else', async () => {
  const { call, keys } = await callFrom('phone');
  keys.answerWith(
    { status: 405 },
    { status: 200 },
    { status: 491 },
    { status: 200 },
    { status: 500, headers: [['Retry-After', '0']] },
  );

  await call.trunk.press('1234');
  const ledger = await settled(call, 4);
  const problems = await call.finish();

  expect(ledger).toEqual([
    'callee-to-caller 1 rtp -> info 405, !info-refused',
    'callee-to-caller 2 rtp -> info 200',
    'callee-to-caller 3 rtp -> info 491, info 200',
    'callee-to-caller 4 rtp -> info 500, info 200',
  ]);
  expect(keys.digits).toBe('123344');
  expect(problems).toEqual([]);
});

test('a phone that wants the other content type gets it from then on', async () => {
  const { call, keys } = await callFrom('phone');
  keys.answerWith({ status: 415, headers: [['Accept', 'application/sdp, application/dtmf']] });

  await call.trunk.press('12');
  const ledger = await settled(call, 2);
  await call.finish();

  expect(ledger).toEqual([
    'callee-to-caller 1 rtp -> info 415, info 200',
    'callee-to-caller 2 rtp -> info 200',
  ]);
  expect(keys.received.map((info) => headerValue(info, 'Content-Type'))).toEqual([
    RELAY_TYPE,
    BARE_TYPE,
    BARE_TYPE,
  ]);
});

test('a hold between the keys changes nothing', async () => {
  const { call, keys } = await callFrom('phone');

  await keys.press('1');
  await call.trunk.waitForDigits(1);
  const held = await call.phone.reinvite('sendonly');
  const resumed = await call.phone.reinvite('sendrecv');
  await keys.press('2');
  const heard = await call.trunk.waitForDigits(2);
  await call.trunk.press('3');
  const notified = await keys.waitForDigits(1);
  await settled(call, 3);
  await call.finish();

  expect([statusOf(held), statusOf(resumed)]).toEqual([200, 200]);
  expect([heard, notified]).toEqual(['12', '3']);
  expect([...call.phone.problems(), ...call.trunk.dialog.problems]).toEqual([]);
});

test('a phone that turns to telephone-events in mid-call has its keys cross once each way', async () => {
  const { call, keys } = await callFrom('phone');
  const { rtp, dialog } = call.phone;

  await keys.press('1');
  await call.trunk.waitForDigits(1);
  const { address, rtpPort } = rtp;
  const offer = buildSdp({ address, rtpPort, eventPayloadType: 96, version: 7 });
  const answer = await dialog.request('INVITE', { body: offer });
  const payloadType = readSdp(answer.body).eventPayloadType ?? -1;
  await rtp.press('2', { payloadType });
  const heard = await call.trunk.waitForDigits(2);
  await call.trunk.press('3');
  await waitFor('the key as event', () => receivedDigits(rtp.received, 96) === '3');
  await call.settle();
  const { ledger } = call;
  await call.finish();

  expect([statusOf(answer), payloadType]).toEqual([200, 96]);
  expect(heard).toBe('12');
  expect(keys.digits).toBe('');
  expect(ledger).toEqual([
    'caller-to-callee 1 info -> rtp',
    'caller-to-callee 2 rtp -> relay',
    'callee-to-caller 3 rtp -> relay',
  ]);
  expect([...call.phone.problems(), ...call.trunk.dialog.problems]).toEqual([]);
});

test('masked digits are in no message of the ladder and in no entry of the ledger', async () => {
  const stage = await openStage({
    ...LEGS,
    phoneOptions: { allowEvents: '' },
    edit: (yaml) => yaml.replace('mask-digits: false', 'mask-digits: true'),
  });
  const { ledger, ladder } = stage.running.sbc;
  const call = await phoneCallsTrunk(stage);
  const keys = new InfoKeys(call.phone.dialog);

  await keys.send('Signal=7\r\nDuration=160\r\n', RELAY_TYPE);
  await keys.send('7', BARE_TYPE);
  await call.trunk.waitForDigits(2);
  await call.trunk.press('7');
  await keys.waitForDigits(1);
  await call.finish();

  const [press] = ledger.list({});
  const rows = ladder.ladder(press?.callId ?? '')?.rows ?? [];
  const infos = rows.flatMap(({ text = '' }) => (text.startsWith('INFO') ? [text] : []));
  expect(infos).toHaveLength(3);
  expect(
    infos.filter((text) => /7\r?\n?$|^Signal=7/m.test(text.split('\r\n\r\n')[1] ?? '')),
  ).toEqual([]);
  expect(ledger.list({}).map(({ digit }) => digit)).toEqual(['*', '*', '*']);
});

test('the call record and the plan name the method', async () => {
  const stage = await openStage({ ...LEGS, phoneOptions: { allowEvents: '' } });
  const { running } = stage;
  const call = await phoneCallsTrunk(stage);

  await new InfoKeys(call.phone.dialog).press('1');
  await call.trunk.waitForDigits(1);
  const [press] = running.sbc.ledger.list({});
  const calls = `http://127.0.0.1:${running.api.port}/api/v1/calls`;
  const response = await fetch(`${calls}/${press?.callId}/explanation`, {
    headers: { connection: 'close' },
  });
  const explanation: unknown = await response.json();
  await call.finish();
  const [record] = await callRecords(running, 1);

  expect(explanation).toMatchObject({
    plan: {
      callerToCallee: { translator: 'info-to-2833', row: 'I1' },
      calleeToCaller: { translator: '2833-to-info', row: 'I3' },
    },
  });
  expect(record).toMatchObject({
    dtmf: { ingressMethod: 'info', egressMethod: '2833', decision: 'I1/I3', digitsIn: 1 },
  });
});
