/** What takes its time between phones with feature keys and the SBC: silence, Retry-After, expiry, quick toggling. */
import { expect, test } from 'vitest';
import { ACCOUNT, openFeatureStage, PORTAL } from '../support/feature-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

test('a phone that does not answer is subscribed no more after timer F, others are not held up', async () => {
  const stage = await openFeatureStage();
  const [gone, other] = [await stage.phone(), await stage.phone()];
  for (const phone of [gone, other]) {
    await phone.subscribe();
    await phone.nextNotify();
  }
  gone.onNotify = () => 'silent';
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);
  await other.waitUntilShown('DoNotDisturb', ({ status }) => status);
  expect(stage.subscriptions.size).toBe(2);
  await waitFor('removal', () => stage.subscriptions.size === 1);
  const refreshed = await gone.refresh();
  const sent = gone.log.filter(({ text }) => text.startsWith('NOTIFY'));
  expect([refreshed.status, gone.notifies.length]).toEqual([481, 2]);
  // Sent again and again, always the same request.
  expect(sent.length).toBeGreaterThan(3);
});

test('a phone that is busy is told the newest state when it wants, or on the next occasion', async () => {
  const stage = await openFeatureStage({ notify: '{ gap: 0s }' });
  const phone = await stage.phone();
  await phone.subscribe();
  const first = await phone.nextNotify();
  phone.onNotify = () => ({ status: 503, headers: [['Retry-After', '1']] });
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);
  await phone.nextNotify();
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: false }, PORTAL);
  phone.onNotify = () => ({ status: 500 });
  const second = await phone.nextNotify();
  phone.onNotify = () => ({ status: 200 });
  await stage.service.set(ACCOUNT, 'CallForwardingBusy', { status: true, forwardTo: '1' }, PORTAL);
  const third = await phone.nextNotify();

  expect(second.reports).toMatchObject([{ feature: 'DoNotDisturb', status: false }]);
  expect(second.atMs - first.atMs).toBeGreaterThan(900);
  expect(third.reports.map(({ feature }) => feature)).toEqual([
    'DoNotDisturb',
    'CallForwardingBusy',
  ]);
  expect(third.cseq).toBe(first.cseq + 3);
});

test('a subscription that runs out ends with a NOTIFY', async () => {
  const stage = await openFeatureStage({ subscriptions: '{ expires-min: 1s }' });
  const phone = await stage.phone();
  const shy = await stage.phone({ userAgent: 'zoiper rv2' });
  await phone.subscribe({ expires: 1 });
  await shy.subscribe({ expires: 1 });
  await phone.nextNotify();
  const last = await phone.nextNotify();
  await waitFor('end of both', () => stage.subscriptions.size === 0);
  const silent = await shy.refresh();
  expect([last.state, last.reason, last.body]).toEqual(['terminated', 'timeout', '']);
  expect([silent.status, shy.notifies.length]).toEqual([481, 1]);
});

test('a phone whose connection is gone is subscribed no more', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone({ transport: 'tcp' });
  await phone.subscribe();
  await phone.nextNotify();
  await phone.close();
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);
  await waitFor('removal', () => stage.subscriptions.size === 0);
  expect(stage.service.watchersOf(ACCOUNT)).toHaveLength(0);
});

test('a subscription that ends without a last NOTIFY leaves nothing in the SIP engine', async () => {
  // The engine waits for a last NOTIFY for some multiple of T1.
  const stage = await openFeatureStage({}, 20);
  const phone = await stage.phone({ userAgent: 'zoiper rv2' });
  await phone.subscribe();
  await phone.nextNotify();
  await phone.unsubscribe();
  await waitFor('end of the subscription', () => stage.subscriptions.size === 0);
  await waitFor('end of the dialog', () => stage.engine.counts().dialogs === 0);
  expect(phone.notifies).toHaveLength(1);
});

test('quick toggling on two phones ends, with the same everywhere and the gap kept', async () => {
  const stage = await openFeatureStage({ notify: '{ gap: 100ms }' });
  const phones = [await stage.phone(), await stage.phone()];
  for (const phone of phones) {
    await phone.subscribe();
    await phone.nextNotify();
  }
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(phones.map((phone, index) => phone.setDnd((round + index) % 2 === 0)));
  }
  const { status: stored } = stage.store.state(ACCOUNT, 'DoNotDisturb');
  for (const phone of phones) {
    await phone.waitUntilShown('DoNotDisturb', ({ status }) => status === stored);
    // One for each SUBSCRIBE, and the changes of the other phone at the pace of the gap.
    expect(phone.notifies.length).toBeLessThanOrEqual(2 * 21);
    const numbers = phone.notifies.map(({ cseq }) => cseq);
    expect(numbers).toEqual(numbers.map((_cseq, index) => (numbers[0] ?? 0) + index));
  }
});

test('sixty changes in a row trip the guard: phones are refused, everybody else is not', async () => {
  const stage = await openFeatureStage({ notify: '{ gap: 0s }' });
  const phones = [await stage.phone(), await stage.phone()];
  for (const phone of phones) {
    await phone.subscribe();
    await phone.nextNotify();
  }
  const warnings: string[] = [];
  for (let round = 0; round < 60; round += 1) {
    const answer = await phones[round % 2]?.setDnd(round % 2 === 0);
    warnings.push(answer?.warning ?? '');
  }
  const { status } = stage.store.state(ACCOUNT, 'DoNotDisturb');
  const wish = { status: !status };
  const other = await stage.service.set(ACCOUNT, 'DoNotDisturb', wish, PORTAL);
  const tripped = warnings.filter((warning) => warning.includes('set refused: loop-guard'));
  expect(warnings.slice(0, 50).join('')).toBe('');
  expect(tripped.length).toBeGreaterThanOrEqual(9);
  expect(other.type).toBe('applied');
  expect(stage.logLines).toHaveLength(1);
});
