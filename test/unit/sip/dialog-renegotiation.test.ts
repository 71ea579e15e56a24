import { expect, test } from 'vitest';
import { SipDialog } from '../../../src/sip/dialog.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { openDialog } from './dialog-samples.ts';

test('a re-INVITE given up before it has left is cancelled when it has', async () => {
  const { connection, dialog } = openDialog();
  const cancelled = Promise.resolve({ Reason: 'SIP;cause=487' });
  const outcome = dialog.request('INVITE', { cancelled });
  await cancelled;
  const before = [...connection.last.cancels];

  connection.last.goOut();
  await cancelled;
  connection.last.answer(487);

  expect(before).toEqual([]);
  expect(connection.last.cancels).toEqual([{ Reason: 'SIP;cause=487' }]);
  expect((await outcome).status).toBe(487);
});

test('nothing is cancelled without cause', async () => {
  const { connection, dialog } = openDialog();
  const outcome = dialog.request('INVITE', { cancelled: new Promise(() => {}) });
  connection.last.goOut();
  connection.last.answer(200);

  await outcome;

  expect(connection.last.cancels).toEqual([]);
});

test.each([
  ['17 ACK', 17],
  ['  4294967295   ACK', 4_294_967_295],
  ['ACK', undefined],
  ['12345678901 ACK', undefined],
])('an ACK with CSeq "%s" is for INVITE %s', (cseq, number) => {
  const numbers: (number | undefined)[] = [];
  const { dialog: sample } = openDialog();
  const handler = {
    onRequest: () => undefined,
    onAck: (_body: string, of: number | undefined) => numbers.push(of),
    onEnd: () => undefined,
    onTrace: () => undefined,
  };
  const dialog = new SipDialog(sample.identity, new FakeSipConnection(), handler, () => undefined);

  dialog.receive(new FakeReceivedRequest('ACK', { CSeq: cseq }));

  expect(numbers).toEqual([number]);
});
