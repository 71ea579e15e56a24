import { describe, expect, test } from 'vitest';
import { Dialog } from '../../../../src/engine/dialog/dialog.ts';
import { requestOf, responseOf } from '../../../support/message-of.ts';

const INVITE = 'INVITE sip:bob@192.0.2.2 SIP/2.0';

function uasDialog(...fields: string[]): Dialog {
  const request = requestOf(INVITE, 'Contact: <sip:alice@192.0.2.1:5070>', ...fields);
  const dialog = Dialog.ofRequest(request, { tag: 'local', contact: '<sip:192.0.2.2>', cseq: 100 });
  if (dialog === undefined) throw new Error('no dialog');
  return dialog;
}

function uacDialog(...fields: string[]): Dialog {
  const request = requestOf(INVITE, 'Contact: <sip:alice@192.0.2.1>', 'CSeq: 7 INVITE');
  const to = 'To: <sip:bob@192.0.2.2>;tag=remote';
  const contact = fields.some((field) => field.startsWith('Contact'))
    ? []
    : ['Contact: <sip:bob@192.0.2.9>'];
  const response = responseOf('SIP/2.0 200 OK', to, 'CSeq: 7 INVITE', ...contact, ...fields);
  const dialog = Dialog.ofResponse(request, response);
  if (dialog === undefined) throw new Error('no dialog');
  return dialog;
}

describe('a dialog of the callee', () => {
  test('takes tags, target and the id from the request', () => {
    const dialog = uasDialog();
    expect(dialog).toMatchObject({
      id: 'call@test;from-tag=from',
      callId: 'call@test',
      localTag: 'local',
      remoteTag: 'from',
      remoteTarget: 'sip:alice@192.0.2.1:5070',
      phase: 'early',
    });
  });

  test('writes requests with the parties turned round', () => {
    const dialog = uasDialog('Record-Route: <sip:p1;lr>, <sip:p2;lr>', 'Record-Route: <sip:p3;lr>');
    expect(dialog.request('NOTIFY', dialog.nextCSeq())).toEqual({
      uri: 'sip:alice@192.0.2.1:5070',
      nextHop: 'sip:p1;lr',
      headers: [
        { name: 'From', value: '<sip:bob@192.0.2.2>;tag=local' },
        { name: 'To', value: '<sip:alice@192.0.2.1>;tag=from' },
        { name: 'Call-ID', value: 'call@test' },
        { name: 'CSeq', value: '101 NOTIFY' },
        { name: 'Route', value: '<sip:p1;lr>' },
        { name: 'Route', value: '<sip:p2;lr>' },
        { name: 'Route', value: '<sip:p3;lr>' },
      ],
    });
  });

  test.each([
    ['no Contact', INVITE, []],
    ['a Contact that is no address', INVITE, ['Contact: *']],
  ])('cannot be built from a request with %s', (_name, line, fields) => {
    const local = { tag: 'local', contact: '', cseq: 1 };
    expect(Dialog.ofRequest(requestOf(line, ...fields), local)).toBeUndefined();
  });
});

describe('a dialog of the caller', () => {
  test('takes the id from its own tag, so that forks share it', () => {
    expect(uacDialog()).toMatchObject({
      id: 'call@test;from-tag=from',
      localTag: 'from',
      remoteTag: 'remote',
      remoteTarget: 'sip:bob@192.0.2.9',
    });
  });

  test('turns the recorded route round', () => {
    expect(uacDialog('Record-Route: <sip:p1;lr>, <sip:p2;lr>').routeSet).toEqual([
      '<sip:p2;lr>',
      '<sip:p1;lr>',
    ]);
  });

  test('sends to a strict router with the target at the end of the route', () => {
    const dialog = uacDialog('Record-Route: <sip:p2;lr>, <sip:strict>');
    const { uri, nextHop, headers } = dialog.request('BYE', 8);
    expect(uri).toBe('sip:strict');
    expect(nextHop).toBe('sip:strict');
    const routes = headers
      .filter((header) => header.name === 'Route')
      .map((header) => header.value);
    expect(routes).toEqual(['<sip:p2;lr>', '<sip:bob@192.0.2.9>']);
  });

  test('the 2xx replaces what the 1xx said', () => {
    const dialog = uacDialog();
    const to = 'To: <sip:bob@192.0.2.2>;tag=remote';
    const answer = ['Contact: <sip:bob@192.0.2.10>', 'Record-Route: <sip:p9;lr>'];
    dialog.confirm(responseOf('SIP/2.0 200 OK', to, ...answer));
    expect(dialog.phase).toBe('confirmed');
    expect(dialog.remoteTarget).toBe('sip:bob@192.0.2.10');
    expect(dialog.routeSet).toEqual(['<sip:p9;lr>']);
  });

  test('needs a To tag', () => {
    const response = responseOf('SIP/2.0 180 Ringing');
    expect(Dialog.ofResponse(requestOf(INVITE), response)).toBeUndefined();
  });

  test('falls back to the request URI when the answer has no Contact', () => {
    const to = 'To: <sip:bob@192.0.2.2>;tag=remote';
    const dialog = Dialog.ofResponse(requestOf(INVITE), responseOf('SIP/2.0 180 Ringing', to));
    expect(dialog?.remoteTarget).toBe('sip:bob@192.0.2.2');
  });
});

test('a NOTIFY creates the dialog of a SUBSCRIBE that is not answered yet', () => {
  const subscribe = requestOf('SUBSCRIBE sip:bob@192.0.2.2 SIP/2.0', 'Contact: <sip:192.0.2.1>');
  const tags = ['From: <sip:bob@192.0.2.2>;tag=remote', 'To: <sip:alice@192.0.2.1>;tag=from'];
  const notify = requestOf('NOTIFY sip:192.0.2.1 SIP/2.0', ...tags, 'Contact: <sip:bob@192.0.2.9>');
  expect(Dialog.ofNotify(subscribe, notify)).toMatchObject({
    id: 'call@test;from-tag=from',
    localTag: 'from',
    remoteTag: 'remote',
    remoteTarget: 'sip:bob@192.0.2.9',
    method: 'SUBSCRIBE',
  });
});

describe('sequence numbers', () => {
  test('of the peer may not go back', () => {
    const dialog = uasDialog();
    expect([1, 2, 2, 10, 9, 1].map((number) => dialog.acceptCSeq(number))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test('of our side count up, and follow a number the application gives', () => {
    const dialog = uacDialog();
    expect([dialog.nextCSeq(), dialog.nextCSeq(20), dialog.nextCSeq(), dialog.nextCSeq(5)]).toEqual(
      [8, 20, 21, 5],
    );
    expect(dialog.nextCSeq()).toBe(22);
  });
});

describe('the remote target', () => {
  test.each([
    ['INVITE', 'sip:moved'],
    ['UPDATE', 'sip:moved'],
    ['SUBSCRIBE', 'sip:moved'],
    ['NOTIFY', 'sip:moved'],
    ['REFER', 'sip:moved'],
    ['INFO', 'sip:bob@192.0.2.9'],
    ['BYE', 'sip:bob@192.0.2.9'],
    ['MESSAGE', 'sip:bob@192.0.2.9'],
  ])('after %s with a new Contact is %s', (method, expected) => {
    const dialog = uacDialog();
    dialog.refreshTarget(
      method,
      requestOf(`${method} sip:x SIP/2.0`, 'Contact: <sip:moved>;expires=1'),
    );
    expect(dialog.remoteTarget).toBe(expected);
  });

  test.each([[[]], [['Contact: *']], [['Contact: <sip:open']]])(
    'stays when the Contact is %j',
    (fields) => {
      const dialog = uacDialog();
      dialog.refreshTarget('NOTIFY', {
        headers: fields.map(split),
        type: 'request',
        method: '',
        uri: '',
        body: Buffer.alloc(0),
      });
      expect(dialog.remoteTarget).toBe('sip:bob@192.0.2.9');
    },
  );
});

function split(field: string): { name: string; value: string } {
  const colon = field.indexOf(':');
  return { name: field.slice(0, colon), value: field.slice(colon + 1).trim() };
}
