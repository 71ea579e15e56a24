/**
 *   SBC                          phone
 *    | NOTIFY                      |
 *    |---------------------------->|
 *    |   200: done                 |
 *    |   481: removed              |
 *    |   401: again, with an answer|
 *    |<----------------------------|
 */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { ACCOUNT, openFeatureStage, PORTAL } from '../support/feature-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { headerValue } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

test.each([481, 404])(
  'a phone whose answer to NOTIFY is %i is subscribed no more, others are not held up',
  async (status) => {
    const stage = await openFeatureStage();
    const [gone, other] = [await stage.phone(), await stage.phone()];
    for (const phone of [gone, other]) {
      await phone.subscribe();
      await phone.nextNotify();
    }
    gone.onNotify = () => ({ status });
    const outcome = await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);
    await other.waitUntilShown('DoNotDisturb', (report) => report.status);
    await waitFor('removal', () => stage.subscriptions.size === 1);
    const refreshed = await gone.refresh();
    expect(outcome).toMatchObject({ type: 'applied', subscribers: 2, notified: 2 });
    expect([refreshed.status, gone.notifies.length]).toEqual([481, 2]);
    await expect.poll(() => stage.engine.counts().dialogs).toBe(1);
  },
);

test('a phone that asks for credentials gets them once', async () => {
  const stage = await openFeatureStage({
    notify: '{ gap: 0s, credentials: { phone: { username: sbc, password: s } } }',
  });
  const phone = await stage.phone();
  const challenge = 'Digest realm="phone", nonce="n1", algorithm=MD5, qop="auth"';
  phone.onNotify = ({ message }) =>
    headerValue(message, 'Authorization') === undefined
      ? { status: 401, headers: [['WWW-Authenticate', challenge]] }
      : { status: 200 };
  await phone.subscribe();
  await phone.nextNotify();
  const answered = await phone.nextNotify();
  expect(headerValue(answered.message, 'Authorization')).toContain('username="sbc"');
  expect(answered.reports).toHaveLength(4);
  expect(stage.subscriptions.size).toBe(1);
});

test('while a NOTIFY is unanswered changes wait for it, and go out as one', async () => {
  const stage = await openFeatureStage({ notify: '{ gap: 0s }' });
  const phone = await stage.phone();
  await phone.subscribe();
  await phone.nextNotify();
  phone.onNotify = () => 'silent';
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);
  const open = await phone.nextNotify();
  for (const forwardTo of ['1', '2', '3']) {
    await stage.service.set(ACCOUNT, 'CallForwardingAlways', { status: true, forwardTo }, PORTAL);
  }
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: false }, PORTAL);
  const unanswered = phone.notifies.length;
  phone.onNotify = () => ({ status: 200 });
  phone.answer(open, { status: 200 });
  const next = await phone.nextNotify();
  expect(unanswered).toBe(2);
  expect(next.reports).toMatchObject([
    { feature: 'DoNotDisturb', status: false },
    { feature: 'CallForwardingAlways', status: true, forwardTo: '3' },
  ]);
});

test('two phones that set at once end with the same', async () => {
  const stage = await openFeatureStage({ notify: '{ gap: 20ms }' });
  const phones = [await stage.phone(), await stage.phone()];
  for (const phone of phones) {
    await phone.subscribe();
    await phone.nextNotify();
  }
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(phones.map((phone, index) => phone.setDnd(index === round % 2)));
  }
  const { status: stored } = stage.store.state(ACCOUNT, 'DoNotDisturb');
  for (const phone of phones) {
    await phone.waitUntilShown('DoNotDisturb', ({ status }) => status === stored);
    const numbers = phone.notifies.map(({ cseq }) => cseq);
    expect(numbers).toEqual(numbers.map((_cseq, index) => (numbers[0] ?? 0) + index));
  }
  await expect.poll(() => stage.subscriptions.waiting).toBe(0);
});

test('a store that fails or is slow is 500, and nothing is told that was not stored', async () => {
  const stage = await openFeatureStage({
    provider: '{ kind: sqlite, file: unused.db, deadline: 200ms }',
  });
  const phone = await stage.phone();
  stage.store.failing.add('get');
  const failed = await phone.subscribe();
  stage.store.failing.clear();
  await phone.subscribe();
  await phone.nextNotify();
  stage.store.failing.add('get');
  const refreshed = await phone.refresh();
  stage.store.failing.clear();
  stage.store.held.add('set');
  const late = await phone.setDnd(true);
  const told = phone.notifies.length;
  stage.store.release();
  const result = await phone.nextNotify();

  expect([failed, refreshed, late].map(({ status }) => status)).toEqual([500, 500, 500]);
  expect(headerValue(failed.message, 'Retry-After')).toBe('5');
  expect(failed.warning).toContain('as-feature-event: storage');
  expect(late.warning).toContain('as-feature-event: timeout');
  expect([told, stage.subscriptions.size]).toEqual([1, 1]);
  expect(result.reports).toMatchObject([{ feature: 'DoNotDisturb', status: true }]);
});

test('a store may keep a change from the others', async () => {
  const stage = await openFeatureStage();
  const [a, b] = [await stage.phone(), await stage.phone()];
  for (const phone of [a, b]) {
    await phone.subscribe();
    await phone.nextNotify();
  }
  stage.store.setNotifies = false;
  await a.setDnd(true);
  const { state, body } = await a.nextNotify();
  expect([state, body, b.notifies.length]).toEqual(['active', '', 1]);
});

test('at shutdown every phone is sent away for a while', async () => {
  const stage = await openFeatureStage();
  const phones = [await stage.phone(), await stage.phone({ transport: 'tcp' })];
  for (const phone of phones) {
    await phone.subscribe();
    await phone.nextNotify();
  }
  await stage.subscriptions.close();
  for (const phone of phones) {
    const { state, reason, message } = await phone.nextNotify();
    const seconds = /retry-after=(\d+)/.exec(headerValue(message, 'Subscription-State') ?? '')?.[1];
    expect([state, reason]).toEqual(['terminated', 'probation']);
    expect(Number(seconds)).toBeGreaterThanOrEqual(5);
    expect(Number(seconds)).toBeLessThanOrEqual(30);
  }
});

test.each([
  ['fragment', 'udp', 1],
  ['separate', 'udp', 4],
  ['separate', 'tcp', 1],
  ['tcp', 'udp', 1],
] as const)(
  'with large-notify-on-udp %s everything over %s comes in %i',
  async (mode, transport, count) => {
    const stage = await openFeatureStage({ notify: `{ large-notify-on-udp: ${mode} }` });
    const phone = await stage.phone({ transport });
    for (const feature of ['CallForwardingAlways', 'CallForwardingBusy'] as const) {
      const forwardTo = '+155512301110000000000';
      await stage.service.set(ACCOUNT, feature, { status: true, forwardTo }, PORTAL);
    }
    await phone.subscribe();
    for (let index = 0; index < count; index += 1) await phone.nextNotify();
    const reports = phone.notifies.flatMap((notify) => notify.reports);
    expect(reports).toHaveLength(4);
    expect(phone.notifies).toHaveLength(count);
  },
);

test.each([
  ['fragment', 0],
  ['tcp', 1],
] as const)(
  'with large-notify-on-udp %s a phone that takes TCP too is connected to %i times',
  async (mode, times) => {
    const stage = await openFeatureStage({ notify: `{ large-notify-on-udp: ${mode} }` });
    const phone = await stage.phone();
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).destroy();
    });
    await new Promise<void>((resolve) => {
      server.listen(phone.port, '127.0.0.1', resolve);
    });
    closeAfterTest({ close: () => new Promise((resolve) => server.close(resolve)) });
    const forwardTo = '9'.repeat(200);
    await stage.service.set(ACCOUNT, 'CallForwardingBusy', { status: true, forwardTo }, PORTAL);
    await phone.subscribe();
    await waitFor('NOTIFY', () => phone.notifies.length + connections > 0);
    expect(connections).toBe(times);
  },
);
