/**
 * The test endpoints among themselves, without anything between them: what they report about each other must be true
 * before they may judge the product.
 */

import { describe, expect, test } from 'vitest';
import { KpmlPhone } from '../../support/kpml-phone.ts';
import type { KpmlPhoneCall } from '../../support/kpml-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../../support/leak-check.ts';
import { Rfc2833Trunk } from '../../support/rfc2833-trunk.ts';
import type { TrunkCall } from '../../support/rfc2833-trunk.ts';
import { isStall } from '../../support/rtp-analysis.ts';
import { statusOf } from '../../support/sip-text.ts';
import { waitFor } from '../../support/wait-for.ts';

const ALL_KEYS = '0123456789*#ABCD';
const FAST = { durationMs: 40, gapMs: 20, intervalMs: 20 };

checkLeaksAfterEach();

async function openTrunks(): Promise<[Rfc2833Trunk, Rfc2833Trunk]> {
  const trunks = await Promise.all([
    Rfc2833Trunk.open({ user: 'one', eventPayloadType: 97 }),
    Rfc2833Trunk.open({ user: 'two', eventPayloadType: 101 }),
  ]);
  trunks.forEach(closeAfterTest);
  return trunks;
}

async function connectTrunks(): Promise<[TrunkCall, TrunkCall]> {
  const [one, two] = await openTrunks();
  return Promise.all([one.call({ to: 'two', via: two.sip }), two.answer()]);
}

async function connectPhones(): Promise<[KpmlPhoneCall, KpmlPhoneCall]> {
  const phones = await Promise.all([KpmlPhone.open({ user: 'a' }), KpmlPhone.open({ user: 'b' })]);
  phones.forEach(closeAfterTest);
  const [a, b] = phones;
  return Promise.all([a.call({ to: 'b', via: b.sip }), b.answer()]);
}

describe('two trunks', () => {
  test('hear each other’s keys as telephone-events of the number each asked for', async () => {
    const [one, two] = await connectTrunks();
    await Promise.all([one.press(ALL_KEYS, FAST), two.press('42#', FAST)]);
    expect(await two.waitForDigits(16)).toBe(ALL_KEYS);
    expect(await one.waitForDigits(3)).toBe('42#');
    expect(two.eventProblems({ durationMs: 40 })).toEqual([]);
    expect(one.eventProblems({ durationMs: 40 })).toEqual([]);
    expect(two.events[0]?.reports[0]?.packet.payloadType).toBe(101);
    expect(one.events[0]?.reports[0]?.packet.payloadType).toBe(97);
    await one.hangUp();
    await two.waitForEnd();
  });

  test('keep the stream whole while keys replace audio', async () => {
    const [one, two] = await connectTrunks();
    await waitFor('audio', () => two.rtp.received.length > 5);
    await one.press('1', { durationMs: 90, intervalMs: 30 });
    await waitFor('audio after the key', () => two.rtp.received.length > 20);
    const problems = [...two.audioProblems(), ...two.eventProblems({ durationMs: 90 })];
    expect(problems.filter((problem) => !isStall(problem))).toEqual([]);
    await two.hangUp();
    await one.waitForEnd();
  });

  test('change the direction of the media by re-INVITE', async () => {
    const [one, two] = await connectTrunks();
    expect(statusOf(await one.reinvite('sendonly'))).toBe(200);
    expect(two.remote.direction).toBe('sendonly');
    expect(one.remote.direction).toBe('recvonly');
    await one.hangUp();
    await two.waitForEnd();
  });
});

describe('two phones', () => {
  test('hear each other’s keys by NOTIFY in both directions of one dialog', async () => {
    const [a, b] = await connectPhones();
    await Promise.all([a.listen(), b.listen()]);
    await Promise.all([a.press(ALL_KEYS, 0), b.press('0*', 0)]);
    expect(await b.listener.waitForDigits(16)).toBe(ALL_KEYS);
    expect(await a.listener.waitForDigits(2)).toBe('0*');
    expect([...a.problems(), ...b.problems()]).toEqual([]);
    await a.hangUp();
    await b.waitForEnd();
  });

  test('send no key to somebody who has not subscribed', async () => {
    const [a, b] = await connectPhones();
    await expect(a.keypad.press('1')).rejects.toThrow('nobody has subscribed');
    await b.hangUp();
    await a.waitForEnd();
    expect(b.listener.digits).toBe('');
  });
});

test('a phone and a trunk share audio but no way for keys', async () => {
  const phone = closeAfterTest(await KpmlPhone.open());
  const trunk = closeAfterTest(await Rfc2833Trunk.open());
  const [a, b] = await Promise.all([phone.call({ to: 'x', via: trunk.sip }), trunk.answer()]);
  await waitFor('audio both ways', () => a.rtp.received.length > 2 && b.rtp.received.length > 2);
  await expect(b.press('1')).rejects.toThrow('takes no telephone-event');
  expect(statusOf(await a.listener.subscribe())).toBe(489);
  expect(a.isKpmlAllowed).toBe(false);
  expect(b.isKpmlAllowed).toBe(true);
  await a.hangUp();
  await b.waitForEnd();
});
