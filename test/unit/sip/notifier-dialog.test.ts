import { describe, expect, test } from 'vitest';
import { NotifierDialog } from '../../../src/sip/notifier-dialog.ts';
import type { ReceivedRequest } from '../../../src/sip/sip-connection.ts';
import { SubscriptionTable } from '../../../src/sip/subscription-table.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';

interface Stage {
  readonly connection: FakeSipConnection;
  readonly table: SubscriptionTable;
  readonly subscribe: FakeReceivedRequest;
  readonly dialog: NotifierDialog;
  /** What the handler heard. */
  readonly heard: string[];
  readonly accept: () => boolean[];
}

function stage(): Stage {
  const connection = new FakeSipConnection();
  const table = new SubscriptionTable();
  const subscribe = new FakeReceivedRequest('SUBSCRIBE');
  const dialog = new NotifierDialog(subscribe, { connection, table });
  const heard: string[] = [];
  const handler = {
    onSubscribe: (request: ReceivedRequest) => heard.push(request.message.method),
    onLost: () => heard.push('lost'),
  };
  const accept = (): boolean[] => {
    const opened: boolean[] = [];
    dialog.accept(200, { Expires: '60' }, handler, (isOpen) => opened.push(isOpen));
    return opened;
  };
  return { connection, table, subscribe, dialog, heard, accept };
}

describe('a dialog that a SUBSCRIBE opens', () => {
  test('is there from the 2xx to its end', () => {
    const { dialog, table, accept } = stage();
    expect([accept(), table.size]).toEqual([[true], 1]);
    dialog.end();
    expect([dialog.isOpen, table.size]).toEqual([false, 0]);
  });

  test('is not there when the 2xx could not be sent', () => {
    const { subscribe, table, accept } = stage();
    subscribe.outcome = 'failed';
    expect([accept(), table.size]).toEqual([[false], 0]);
  });

  test('goes with the connection', () => {
    const { table, heard, accept } = stage();
    accept();
    table.loseAll();
    expect([heard, table.size]).toEqual([['lost'], 0]);
  });

  test('hears of SUBSCRIBE alone', () => {
    const { dialog, heard, accept } = stage();
    accept();
    const requests = ['SUBSCRIBE', 'NOTIFY', 'BYE'].map(
      (method) => new FakeReceivedRequest(method),
    );
    for (const request of requests) dialog.receive(request);
    expect(heard).toEqual(['SUBSCRIBE']);
    expect(requests.map(({ answers }) => answers[0]?.status)).toEqual([undefined, 481, 405]);
  });
});

describe('a NOTIFY', () => {
  test('carries the Contact of the 2xx and the tag of the peer, and is judged by nobody here', async () => {
    const { connection, dialog, accept } = stage();
    accept();
    const answered = dialog.notify({ headers: { Event: 'x' }, body: 'b' });
    const { headers, dialogId, body } = connection.last.options;
    connection.last.answer(481);
    expect(headers).toMatchObject({
      Contact: '<sip:us@sbc>',
      Event: 'x',
      To: '<sip:placeholder@localhost>;tag=theirs',
    });
    expect([dialogId, body]).toEqual(['dialog-a', 'b']);
    expect(await answered).toMatchObject({ status: 481, isMadeUp: false });
    expect(dialog.isOpen).toBe(true);
  });

  test('that nobody answered is known from one that was refused', async () => {
    const { connection, dialog, accept } = stage();
    accept();
    const answered = dialog.notify({ headers: {} });
    connection.last.makeUp(408);
    expect(await answered).toMatchObject({ status: 408, isMadeUp: true });
  });

  test('outside a dialog is not sent', async () => {
    const { connection, dialog } = stage();
    expect(await dialog.notify({ headers: {} })).toMatchObject({ status: 481, isMadeUp: true });
    expect(connection.sent).toHaveLength(0);
  });

  test('asks only our own engine to keep the transport', () => {
    const { connection, dialog, accept } = stage();
    accept();
    void dialog.notify({ headers: {}, keepsTransport: true });
    expect(Object.keys(connection.last.options.headers ?? {})).not.toContain(
      'X-Tonebridge-Transport',
    );
    connection.last.answer(200);
  });
});
