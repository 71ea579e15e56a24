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

  test.each([
    ['<sip:peer@host>;tag=theirs', true],
    ['<sip:peer@host>;tag=THEIRS', false],
    ['<sip:peer@host>;tag=another', false],
    ['<sip:peer@host>', false],
  ])('belongs to the peer that opened it: a request from %s is for it: %s', (from, isFound) => {
    const { dialog, table, accept } = stage();
    accept();
    const headers = { 'Call-ID': 'leg-a', From: from, To: '<sip:us@sbc>;tag=ours' };
    const { message } = new FakeReceivedRequest('SUBSCRIBE', headers);
    expect(table.find(message)).toBe(isFound ? dialog : undefined);
  });

  test.each([
    [true, true, 'application'],
    [true, false, undefined],
    [false, true, undefined],
  ])(
    'asks an engine (our own: %s) for SUBSCRIBEs out of order where they are judged: %s',
    (isEmbedded, judgesOrder, expected) => {
      const { connection, table } = stage();
      const own = Object.assign(connection, { isEmbedded });
      const subscribe = new FakeReceivedRequest('SUBSCRIBE');
      const dialog = new NotifierDialog(subscribe, { connection: own, table });
      const handler = { judgesOrder, onSubscribe: () => undefined, onLost: () => undefined };
      dialog.accept(200, { Expires: '60' }, handler, () => undefined);
      expect(subscribe.answers[0]?.options.headers?.['X-Tonebridge-Order']).toBe(expected);
    },
  );

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

/** A SUBSCRIBE in the dialog: what of its source is new, its answer, and whether the engine is our own. */
interface Refreshed {
  readonly change?: object;
  readonly status?: number;
  readonly own?: boolean;
}

describe('a NOTIFY', () => {
  test.each([
    ['from elsewhere', { change: { port: 5081 } }, true],
    ['over another transport', { change: { protocol: 'tcp' } }, true],
    ['from where it was', {}, false],
    ['from elsewhere, and is refused', { change: { port: 5081 }, status: 401 }, false],
    ['at a server that sends nothing elsewhere', { change: { port: 5081 }, own: false }, false],
  ])(
    'that can be sent anew is not waited for when a SUBSCRIBE comes %s',
    async (_what, refreshed: Refreshed, isOvertaken) => {
      const { change = {}, status = 200, own: isEmbedded = true } = refreshed;
      const { connection, dialog, accept } = stage();
      Object.assign(connection, { isEmbedded });
      accept();
      const repeatable = dialog.notify({ headers: {}, isRepeatable: true });
      const waiting = connection.last;
      const other = dialog.notify({ headers: {} });
      const refresh = new FakeReceivedRequest('SUBSCRIBE');
      Object.assign(refresh, { source: { ...refresh.source, ...change } });
      dialog.respond(refresh, status, {});
      connection.last.answer(481);
      waiting.answer(200);
      expect((await repeatable).isOvertaken === true).toBe(isOvertaken);
      expect((await other).status).toBe(481);
    },
  );

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
