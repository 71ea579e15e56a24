import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LegNotifiers } from '../../../src/call/digits/leg-notifiers.ts';
import { KpmlNotifier } from '../../../src/dtmf/kpml-notifier.ts';
import { SipDialog } from '../../../src/sip/dialog.ts';
import { DialogNotifier } from '../../../src/sip/notifier.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { PATTERN } from './dtmf-fixtures.ts';

let connection: FakeSipConnection;

beforeEach(() => {
  vi.useFakeTimers();
  connection = new FakeSipConnection();
});

afterEach(() => {
  vi.useRealTimers();
});

/** The early dialog of a branch, in which somebody has subscribed. */
async function subscribeIn(
  branch: string,
): Promise<{ dialog: SipDialog; notifier: DialogNotifier }> {
  const dialog = new SipDialog(
    {
      role: 'uac',
      dialogId: 'id',
      callId: 'call',
      localTag: 'ours',
      remoteTag: branch,
      localContact: undefined,
    },
    connection,
    {
      onRequest: () => undefined,
      onAck: () => undefined,
      onEnd: () => undefined,
      onTrace: () => undefined,
    },
    () => undefined,
  );
  dialog.begin({ to: branch });
  const notifier = new DialogNotifier({
    machine: new KpmlNotifier({}),
    dialog,
    listener: {
      notified: () => undefined,
      dropped: () => undefined,
      changed: () => undefined,
      bug: () => undefined,
    },
    nowMs: () => Date.now(),
  });
  const headers = {
    Event: 'kpml',
    Expires: '600',
    'Content-Type': 'application/kpml-request+xml',
  };
  notifier.receiveSubscribe(new FakeReceivedRequest('SUBSCRIBE', headers, { body: PATTERN }));
  await answerAll();
  return { dialog, notifier };
}

/** Answers what was sent and lets the next NOTIFYs come. */
async function answerAll(): Promise<void> {
  for (const sent of connection.sent) sent.answer(200);
  await vi.advanceTimersByTimeAsync(50);
}

/** The NOTIFYs so far: `one pending` in an early dialog, `tag=one active` in an answered one. */
function notifies(): string[] {
  return connection.sent.map(({ options }) => {
    const state = options.headers?.['Subscription-State']?.replace(/;expires=\d+/, '');
    return `${options.headers?.['To']?.split(';').at(-1)} ${state}`;
  });
}

test('each branch has its own; the answered one goes on, a lost one is sent nothing more', async () => {
  const leg = new LegNotifiers();
  const one = await subscribeIn('one');
  const two = await subscribeIn('two');
  leg.add(one.dialog, one.notifier);
  leg.add(two.dialog, two.notifier);
  expect([leg.of(one.dialog), leg.of(two.dialog)]).toEqual([one.notifier, two.notifier]);
  expect(leg.answered).toBeUndefined();

  one.dialog.abandon();
  two.dialog.confirm(two.dialog.identity);
  leg.answer(two.dialog);
  leg.setMode('active');
  await answerAll();

  expect(leg.all).toEqual([two.notifier]);
  expect(leg.of(two.dialog)).toBe(two.notifier);
  expect(notifies()).toEqual(['one pending', 'two pending', 'tag=two active']);
  leg.end();
  await answerAll();
  expect(notifies().at(-1)).toBe('tag=two terminated;reason=noresource');
  expect(one.notifier.subscriptions).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('the next attempt takes over what the caller asked for, which is open again', async () => {
  const first = new LegNotifiers();
  const caller = await subscribeIn('caller');
  first.add(caller.dialog, caller.notifier);
  const second = new LegNotifiers();
  second.takeOver(first);
  first.end();
  expect(notifies()).toEqual(['caller pending']);

  second.setMode('refused');
  await answerAll();
  expect(notifies()).toEqual(['caller pending', 'caller terminated;reason=rejected']);
  second.end();
  expect(vi.getTimerCount()).toBe(0);
});

test('at the end early subscriptions are told, too', async () => {
  const leg = new LegNotifiers();
  const { dialog, notifier } = await subscribeIn('one');
  leg.add(dialog, notifier);
  leg.end();
  await answerAll();
  expect(notifies()).toEqual(['one pending', 'one terminated;reason=noresource']);
  expect(leg.all).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test('what was subscribed to in an answered dialog goes with its leg to another call', async () => {
  const first = new LegNotifiers();
  const { dialog, notifier } = await subscribeIn('one');
  const separate = await subscribeIn('own');
  first.add(dialog, notifier);
  const leave = first.addSeparate(dialog, separate.notifier);
  dialog.confirm(dialog.identity);
  first.answer(dialog);
  const second = new LegNotifiers();
  second.inherit(first);
  first.end();
  await answerAll();

  expect(first.all).toEqual([]);
  expect(second.of(dialog)).toBe(notifier);
  expect(second.separate).toEqual([separate.notifier]);
  expect(notifies()).toEqual(['one pending', 'own pending']);
  leave();
  expect(second.separate).toEqual([]);
  second.end();
  separate.notifier.end();
  await answerAll();
  expect(vi.getTimerCount()).toBe(0);
});
