import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SipDialog, type DialogHandler, type DialogIdentity } from '../../../src/sip/dialog.ts';
import { tagOf } from '../../../src/wire/sip-headers.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';

const IDENTITY: DialogIdentity = {
  role: 'uac',
  dialogId: 'dialog-a',
  callId: 'leg-a',
  localTag: 'ours',
  remoteTag: 'theirs',
  localContact: '<sip:us@sbc>',
};

class Heard implements DialogHandler {
  readonly log: string[] = [];
  readonly requests: FakeReceivedRequest[] = [];
  onRequest(request: FakeReceivedRequest): void {
    this.requests.push(request);
  }
  onAck(body: string): void {
    this.log.push(`ack ${body}`);
  }
  onEnd(by: string, reason: string): void {
    this.log.push(`end ${by} ${reason}`);
  }
  readonly onTrace = (): void => undefined;
}

function open(role: DialogIdentity['role'] = 'uac'): {
  connection: FakeSipConnection;
  heard: Heard;
  dialog: SipDialog;
  ended: string[];
} {
  const connection = new FakeSipConnection();
  const heard = new Heard();
  const ended: string[] = [];
  const identity = { ...IDENTITY, role };
  const dialog = new SipDialog(identity, connection, heard, () => ended.push('ended'));
  return { connection, heard, dialog, ended };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  const timers = vi.getTimerCount();
  vi.useRealTimers();
  if (timers > 0) throw new Error(`${timers} timers are left`);
});

describe('a request of ours', () => {
  test.each([
    ['INVITE', true],
    ['UPDATE', true],
    ['SUBSCRIBE', true],
    ['NOTIFY', true],
    ['REFER', true],
    ['INFO', false],
    ['BYE', false],
  ])('%s carries our Contact: %s', async (method, hasContact) => {
    const { connection, dialog } = open();
    const answered = dialog.request(method);
    expect(connection.last.options.headers?.['Contact']).toBe(
      hasContact ? '<sip:us@sbc>' : undefined,
    );
    connection.last.answer(200);
    await answered;
  });

  test('names the peer’s tag: two dialogs may share an id, and the engine tells them by it', async () => {
    const { connection, dialog } = open();
    const answered = dialog.request('INFO');
    expect(connection.last.options.headers?.['To']).toBe('<sip:placeholder@localhost>;tag=theirs');
    connection.last.answer(200);
    await answered;
  });

  test('names the tag of the peer: two dialogs may share the id of the engine', async () => {
    const { connection, dialog } = open();
    for (const method of ['INVITE', 'UPDATE', 'INFO', 'SUBSCRIBE', 'NOTIFY', 'BYE']) {
      const answered = dialog.request(method);
      connection.last.answer(200);
      await answered;
    }
    const named = connection.sent.map(({ options }) => tagOf(options.headers?.['To'] ?? ''));
    expect(named).toEqual(Array.from({ length: 6 }, () => 'theirs'));
  });

  test('goes where the peer said last that it is reached', async () => {
    const { connection, dialog } = open();
    const invited = dialog.request('INVITE');
    connection.last.answer(200, { Contact: '<sip:there@host>' });
    await invited;
    expect(dialog.identity.remoteTarget).toBe('sip:there@host');
    dialog.receive(new FakeReceivedRequest('NOTIFY', { Contact: '<sip:elsewhere@host>' }));
    expect(dialog.identity.remoteTarget).toBe('sip:elsewhere@host');
    dialog.receive(new FakeReceivedRequest('INFO', { Contact: '<sip:no@target>' }));
    expect(dialog.identity.remoteTarget).toBe('sip:elsewhere@host');
  });

  test.each([
    ['NOTIFY', 'kpml', 200],
    ['NOTIFY', 'presence', 481],
    ['SUBSCRIBE', 'kpml', 481],
  ])('SUBSCRIBE, then BYE: a late %s for %s is answered %i', async (method, event, status) => {
    const { connection, dialog } = open();
    const subscribed = dialog.request('SUBSCRIBE');
    connection.last.answer(200);
    await subscribed;
    const done = dialog.bye();
    const late = new FakeReceivedRequest(method, { Event: event });
    dialog.receive(late);
    connection.last.answer(200);
    await done;
    expect([late.answers[0]?.status, dialog.hasSubscribed]).toEqual([status, true]);
  });

  test('resolves with the final response, not with a provisional one', async () => {
    const { connection, dialog } = open();
    const answered = dialog.request('INVITE', { body: 'v=0' });
    connection.last.answer(180);
    connection.last.answer(488);
    await expect(answered).resolves.toMatchObject({ status: 488 });
  });

  test.each([
    ['no-dialog', 481],
    ['connection-lost', 503],
    ['something else', 503],
  ])('that fails with %s counts as %i', async (reason, status) => {
    const { connection, dialog } = open();
    const answered = dialog.request('INFO');
    connection.last.fail(reason);
    await expect(answered).resolves.toMatchObject({ status, message: undefined });
  });

  test('that is never answered counts as 408 after 40 s', async () => {
    const { dialog } = open();
    const answered = dialog.request('INFO');
    vi.advanceTimersByTime(40_000);
    await expect(answered).resolves.toMatchObject({ status: 408 });
  });

  test('several may be outstanding at once', async () => {
    const { connection, dialog } = open();
    const first = dialog.request('SUBSCRIBE');
    const second = dialog.request('NOTIFY');
    connection.sent[1]?.answer(481);
    connection.sent[0]?.answer(200);
    await expect(first).resolves.toMatchObject({ status: 200 });
    await expect(second).resolves.toMatchObject({ status: 481 });
  });
});

describe('the end', () => {
  test('a BYE of the peer is answered 200 and reported once', () => {
    const { heard, dialog, ended } = open();
    const bye = new FakeReceivedRequest('BYE', { Reason: 'Q.850;cause=16' });
    dialog.receive(bye);
    dialog.receive(new FakeReceivedRequest('BYE'));
    expect(bye.answers.map((answer) => answer.status)).toEqual([200]);
    expect(heard.log).toEqual(['end peer Q.850;cause=16']);
    expect(ended).toEqual(['ended']);
  });

  test("the engine's own BYE takes no answer", () => {
    const { heard, dialog } = open();
    const bye = new FakeReceivedRequest(
      'BYE',
      { Reason: 'SIP;text="ACK timeout"' },
      { isUnsolicited: true },
    );
    dialog.receive(bye);
    expect(bye.answers).toEqual([]);
    expect(heard.log).toEqual(['end engine SIP;text="ACK timeout"']);
  });

  test('BYE crossing BYE: ours was sent, theirs is answered, nothing is reported', async () => {
    const { connection, heard, dialog, ended } = open();
    const done = dialog.bye();
    const bye = new FakeReceivedRequest('BYE');
    dialog.receive(bye);
    connection.last.answer(481);
    await done;
    expect(bye.answers.map((answer) => answer.status)).toEqual([200]);
    expect(heard.log).toEqual([]);
    expect(ended.length).toBeGreaterThan(0);
  });

  test('our BYE is sent once', async () => {
    const { connection, dialog } = open();
    const done = dialog.bye();
    void dialog.bye();
    connection.last.answer(200);
    await done;
    expect(connection.sent).toHaveLength(1);
  });

  test('a request after the end gets 481', () => {
    const { heard, dialog } = open();
    dialog.receive(new FakeReceivedRequest('BYE'));
    const late = new FakeReceivedRequest('INFO');
    dialog.receive(late);
    expect(late.answers.map((answer) => answer.status)).toEqual([481]);
    expect(heard.requests).toEqual([]);
  });

  test('a lost connection ends the dialog once', () => {
    const { heard, dialog, ended } = open();
    dialog.lost();
    dialog.lost();
    expect(heard.log).toEqual(['end connection connection to the SIP engine lost']);
    expect(ended).toEqual(['ended']);
  });
});

describe('a dialog whose INVITE the peer sent', () => {
  test('is confirmed by the ACK', () => {
    const { dialog } = open('uas');
    expect(dialog.isConfirmed).toBe(false);
    dialog.receive(new FakeReceivedRequest('ACK'));
    expect(dialog.isConfirmed).toBe(true);
  });

  test('is hung up only after the ACK (RFC 3261 §15)', async () => {
    const { connection, dialog, ended } = open('uas');
    const done = dialog.bye();
    await Promise.resolve();
    expect(connection.sent).toEqual([]);
    dialog.receive(new FakeReceivedRequest('ACK'));
    await Promise.resolve();
    connection.last.answer(200);
    await done;
    expect(connection.sent.map((sent) => sent.options.method)).toEqual(['BYE']);
    expect(ended).toEqual(['ended']);
  });

  test.each([
    ['a BYE of the peer', (dialog: SipDialog) => dialog.receive(new FakeReceivedRequest('BYE'))],
    ['a lost connection', (dialog: SipDialog) => dialog.lost()],
  ])('%s in place of the ACK ends the wait without a BYE of ours', async (_what, end) => {
    const { connection, dialog, ended } = open('uas');
    const done = dialog.bye();
    end(dialog);
    await done;
    expect(connection.sent).toEqual([]);
    expect(ended).toEqual(['ended']);
  });
});

test('a request after our BYE gets 481', async () => {
  const { connection, heard, dialog } = open();
  const done = dialog.bye();
  const late = new FakeReceivedRequest('INFO');
  dialog.receive(late);
  connection.last.answer(200);
  await done;
  expect(late.answers.map((answer) => answer.status)).toEqual([481]);
  expect(heard.requests).toEqual([]);
});

test('an ACK is passed on with its body', () => {
  const { heard, dialog } = open();
  dialog.receive(new FakeReceivedRequest('ACK', {}, { body: 'v=0' }));
  expect(heard.log).toEqual(['ack v=0']);
});

test('a 2xx to a target-refreshing request carries our Contact, a failure does not', () => {
  const { dialog } = open();
  const subscribe = new FakeReceivedRequest('SUBSCRIBE');
  dialog.respond(subscribe, 200, { headers: { Expires: '60' } });
  dialog.respond(subscribe, 489);
  expect(subscribe.answers.map((answer) => answer.options.headers)).toEqual([
    { Contact: '<sip:us@sbc>', Expires: '60' },
    {},
  ]);
});
