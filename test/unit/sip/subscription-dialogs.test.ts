/** Dialogs that a SUBSCRIBE opens, in both roles. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SubscriptionHandler } from '../../../src/sip/event-dialog.ts';
import { IncomingSubscription } from '../../../src/sip/incoming-subscription.ts';
import { OutgoingSubscription } from '../../../src/sip/outgoing-subscription.ts';
import { SubscriptionTable } from '../../../src/sip/subscription-table.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';

let connection: FakeSipConnection;
let table: SubscriptionTable;
let heard: string[];
let handler: SubscriptionHandler;

beforeEach(() => {
  vi.useFakeTimers();
  connection = new FakeSipConnection();
  table = new SubscriptionTable();
  heard = [];
  handler = {
    onRequest: ({ message }) => heard.push(message.method),
    onEnd: () => heard.push('end'),
    onTrace: () => undefined,
  };
});

afterEach(() => {
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers are left`);
});

const ACTIVE = { 'Subscription-State': 'active;expires=60' };
const TERMINATED = { 'Subscription-State': 'terminated;reason=timeout' };

const target = (): { uri: string; nextHop: string } => ({ uri: 'sip:b@host', nextHop: 'sip:p' });

function receive(): { subscribe: IncomingSubscription; received: FakeReceivedRequest } {
  const received = new FakeReceivedRequest('SUBSCRIBE', { Event: 'kpml' });
  const subscribe = new IncomingSubscription('access', received, { connection, table });
  subscribe.serve(handler);
  return { subscribe, received };
}

function newSubscription(): OutgoingSubscription {
  return new OutgoingSubscription({ connection, table, target, handler });
}

async function opened(): Promise<OutgoingSubscription> {
  const subscription = newSubscription();
  const answered = subscription.request('SUBSCRIBE', {
    headers: { Event: 'kpml', Expires: '60' },
  });
  connection.last.goOut();
  connection.last.answer(200, { To: '<sip:b@host>;tag=t' });
  await answered;
  return subscription;
}

describe('opened by a peer', () => {
  test('a NOTIFY leaves behind the 200, with our Contact and the tag of the peer', async () => {
    const { subscribe, received } = receive();
    const answered = subscribe.request('NOTIFY', { headers: ACTIVE });
    expect(connection.sent).toEqual([]);
    subscribe.respond(received, 200);
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.last.options).toMatchObject({
      dialogId: 'dialog-a',
      headers: { Contact: '<sip:us@sbc>', To: '<sip:placeholder@localhost>;tag=theirs' },
    });
    connection.last.answer(200);
    await expect(answered).resolves.toMatchObject({ status: 200 });
    expect([table.size, heard]).toEqual([1, []]);
    table.loseAll();
  });

  test.each([
    ['the last NOTIFY, answered', TERMINATED, 200],
    ['the last NOTIFY, unanswered', TERMINATED, 408],
    ['a NOTIFY answered 481', ACTIVE, 481],
    ['a NOTIFY answered 404', ACTIVE, 404],
    ['a NOTIFY answered 408', ACTIVE, 408],
  ])('it ends with %s', async (_what, headers, status) => {
    const { subscribe, received } = receive();
    subscribe.respond(received, 200);
    const answered = subscribe.request('NOTIFY', { headers });
    await vi.advanceTimersByTimeAsync(0);
    connection.last.answer(status);
    await answered;
    expect([table.size, heard]).toEqual([0, ['end']]);
    await expect(subscribe.request('NOTIFY')).resolves.toMatchObject({ status: 481 });
  });

  test('it goes on with a NOTIFY answered 500', async () => {
    const { subscribe, received } = receive();
    subscribe.respond(received, 200);
    const answered = subscribe.request('NOTIFY', { headers: ACTIVE });
    await vi.advanceTimersByTimeAsync(0);
    connection.last.answer(500);
    await answered;
    expect([table.size, heard]).toEqual([1, []]);
  });

  test.each([
    ['a refusal', 489, 'sent'],
    ['a 200 that cannot be sent', 200, 'failed'],
  ] as const)('there is none after %s', async (_what, status, outcome) => {
    const { subscribe, received } = receive();
    received.outcome = outcome;
    const waiting = subscribe.request('NOTIFY');
    subscribe.respond(received, status);
    await expect(waiting).resolves.toMatchObject({ status: 481 });
    expect([table.size, heard, connection.sent]).toEqual([0, ['end'], []]);
  });

  test.each([
    ['SUBSCRIBE', [], ['SUBSCRIBE']],
    ['NOTIFY', [481], []],
    ['INFO', [405], []],
  ])('%s in it', (method, statuses, passedOn) => {
    const { subscribe, received } = receive();
    subscribe.respond(received, 200);
    const request = new FakeReceivedRequest(method);
    subscribe.receive(request);
    expect(request.answers.map(({ status }) => status)).toEqual(statuses);
    expect(heard).toEqual(passedOn);
  });
});

describe('opened by us', () => {
  const PEER = { From: '<sip:b@host>;tag=t', To: '<sip:a@sbc>;tag=ours', 'Call-ID': 'leg-b' };

  test('the first SUBSCRIBE goes to the target, the next one inside the dialog', async () => {
    const subscription = await opened();
    expect(connection.last.options).toMatchObject({ uri: 'sip:b@host', nextHop: 'sip:p' });
    expect([subscription.isUnopened, table.size]).toEqual([false, 1]);

    const refreshed = subscription.request('SUBSCRIBE', { headers: { Event: 'kpml' } });
    expect(connection.last.options).toMatchObject({
      dialogId: 'dialog-b',
      headers: { To: '<sip:placeholder@localhost>;tag=t' },
    });
    connection.last.answer(500);
    await refreshed;
    expect(subscription.isUnopened).toBe(false);
    table.loseAll();
    expect([table.size, heard]).toEqual([0, ['end']]);
  });

  test.each([481, 489, 603])('%i to the first one: none', async (status) => {
    const subscription = newSubscription();
    const answered = subscription.request('SUBSCRIBE');
    connection.last.goOut();
    connection.last.answer(status);
    await expect(answered).resolves.toMatchObject({ status });
    expect([table.size, subscription.isUnopened]).toEqual([0, true]);
  });

  test('none without an answer', async () => {
    const subscription = newSubscription();
    const answered = subscription.request('SUBSCRIBE');
    connection.last.goOut();
    connection.last.fail('connection-lost');
    await expect(answered).resolves.toMatchObject({ status: 503 });
    expect([table.size, subscription.isUnopened]).toEqual([0, true]);
  });

  test.each([404, 481, 489])(
    'a refresh answered %i ends it, the next one opens another',
    async (status) => {
      const subscription = await opened();
      const refreshed = subscription.request('SUBSCRIBE');
      connection.last.answer(status);
      await refreshed;
      expect([table.size, subscription.isUnopened]).toEqual([0, true]);
    },
  );

  test('the last NOTIFY ends it before it is handled', async () => {
    const subscription = await opened();
    const notify = new FakeReceivedRequest('NOTIFY', { ...PEER, ...TERMINATED });
    table.find(notify.message)?.receive(notify);
    expect([heard, table.size, subscription.isUnopened]).toEqual([['end', 'NOTIFY'], 0, true]);
  });

  test('a NOTIFY before the 200 is heard; one that ends it leaves no dialog', async () => {
    const subscription = newSubscription();
    const answered = subscription.request('SUBSCRIBE');
    connection.last.goOut();
    subscription.receive(new FakeReceivedRequest('NOTIFY', { ...PEER, ...TERMINATED }));
    expect(heard).toEqual(['NOTIFY']);
    connection.last.answer(200, { To: '<sip:b@host>;tag=t' });
    await answered;
    expect([table.size, subscription.isUnopened]).toEqual([0, true]);
  });

  test.each([
    ['NOTIFY', { ...PEER, From: '<sip:x@host>;tag=fork', ...ACTIVE }],
    ['SUBSCRIBE', PEER],
  ])('a stray %s is answered 481', async (method, headers) => {
    await opened();
    const request = new FakeReceivedRequest(method, headers);
    table.find(request.message)?.receive(request);
    expect(request.answers.map(({ status }) => status)).toEqual([481]);
    expect(heard).toEqual([]);
  });

  test('given up, the last NOTIFY is waited for 32 s, then asked for', async () => {
    const subscription = await opened();
    subscription.release();
    subscription.release();
    await vi.advanceTimersByTimeAsync(31_999);
    expect([connection.sent.length, table.size]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.last.options.headers).toMatchObject({ Event: 'kpml', Expires: '0' });
    connection.last.answer(200);
    expect([connection.sent.length, table.size]).toEqual([2, 0]);
  });

  test('given up, it is gone with the last NOTIFY', async () => {
    const subscription = await opened();
    subscription.release();
    subscription.receive(new FakeReceivedRequest('NOTIFY', { ...PEER, ...TERMINATED }));
    expect([table.size, heard]).toEqual([0, ['end', 'NOTIFY']]);
  });
});
