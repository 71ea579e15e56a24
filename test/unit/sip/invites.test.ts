import { describe, expect, test } from 'vitest';
import { SipDialog, type DialogHandler } from '../../../src/sip/dialog.ts';
import { IncomingInvite, type AcceptOutcome } from '../../../src/sip/incoming-invite.ts';
import { OutgoingInvite } from '../../../src/sip/outgoing-invite.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';

const SILENT: DialogHandler = {
  onRequest: () => undefined,
  onAck: () => undefined,
  onEnd: () => undefined,
  onTrace: () => undefined,
};

function send(): { connection: FakeSipConnection; invite: OutgoingInvite; log: string[] } {
  const connection = new FakeSipConnection();
  const log: string[] = [];
  const invite = new OutgoingInvite(
    {
      onSent: (request) => log.push(`sent ${request.method}`),
      onProgress: (response) => log.push(`progress ${response.status}`),
      onAnswer: ({ dialog }) => log.push(`answer ${JSON.stringify(dialog.identity)}`),
      onFailure: (status, reason) => log.push(`failure ${status} ${reason}`),
    },
    SILENT,
    (identity, handler) => new SipDialog(identity, connection, handler, () => undefined),
  );
  invite.send(connection, {
    method: 'INVITE',
    uri: 'sip:b@host',
    headers: { Contact: '<sip:a@sbc>' },
  });
  return { connection, invite, log };
}

function receive(options: { body?: string } = {}): {
  received: FakeReceivedRequest;
  invite: IncomingInvite;
} {
  const received = new FakeReceivedRequest('INVITE', { Contact: '<sip:peer@host>' }, options);
  const connection = new FakeSipConnection();
  const invite = new IncomingInvite('access', received, (identity, handler) => {
    return new SipDialog(identity, connection, handler, () => undefined);
  });
  return { received, invite };
}

describe('an INVITE of ours', () => {
  test('becomes a dialog on 200; the ACK is left to the call', () => {
    const { connection, log } = send();
    connection.last.goOut();
    connection.last.answer(180);
    connection.last.answer(200, {
      From: '<sip:a@sbc>;tag=ours',
      To: '<sip:b@host>;tag=t',
      'Call-ID': 'leg-b',
      Contact: '<sip:b@host>',
    });
    expect(log).toEqual([
      'sent INVITE',
      'progress 180',
      'answer {"role":"uac","dialogId":"dialog-b","callId":"leg-b","localTag":"ours","remoteTag":"t","localContact":"<sip:a@sbc>"}',
    ]);
    expect(connection.last.acknowledgements).toEqual([]);
  });

  test('100 is not progress', () => {
    const { connection, log } = send();
    connection.last.answer(100);
    expect(log).toEqual([]);
  });

  test('a reliable 18x is acknowledged', () => {
    const { connection } = send();
    connection.last.answer(183, { RSeq: '1' });
    expect(connection.last.acknowledgements).toEqual([undefined]);
  });

  test('a 200 without Contact is acknowledged and counts as 502', () => {
    const { connection, log } = send();
    connection.last.answer(200, { To: '<sip:b@host>;tag=t' });
    expect(log).toEqual(['failure 502 answer without Contact']);
    expect(connection.last.acknowledgements).toEqual([undefined]);
  });

  test('a refusal is passed on, and only the first', () => {
    const { connection, log } = send();
    connection.last.answer(486);
    connection.last.answer(486);
    connection.last.fail('connection-lost');
    expect(log).toEqual(['failure 486 Reason']);
  });

  test('cancelled before it went out: the CANCEL follows the INVITE', () => {
    const { connection, invite } = send();
    invite.cancel({ Reason: 'SIP;cause=200' });
    expect(connection.last.cancels).toEqual([]);
    connection.last.goOut();
    expect(connection.last.cancels).toEqual([{ Reason: 'SIP;cause=200' }]);
  });

  test('is cancelled once, and not after its end', () => {
    const { connection, invite } = send();
    connection.last.goOut();
    invite.cancel();
    invite.cancel();
    connection.last.answer(487);
    invite.cancel();
    expect(connection.last.cancels).toEqual([{}]);
  });

  test('a connection that is gone counts as 503', () => {
    const { connection, log } = send();
    connection.last.fail('connection-lost');
    expect(log).toEqual(['failure 503 connection-lost']);
  });
});

describe('an INVITE of a peer', () => {
  test('accepted: 200, then a dialog with the tags of the 200', () => {
    const { received, invite } = receive();
    const outcomes: AcceptOutcome[] = [];
    invite.accept({ body: 'v=0' }, SILENT, (outcome) => outcomes.push(outcome));
    const [outcome] = outcomes;
    expect(received.answers.map((answer) => answer.status)).toEqual([200]);
    expect(outcome?.type === 'dialog' ? outcome.dialog.identity : outcome).toEqual({
      role: 'uas',
      dialogId: 'dialog-a',
      callId: 'leg-a',
      localTag: 'ours',
      remoteTag: 'theirs',
      localContact: '<sip:us@sbc>',
    });
  });

  test('after a CANCEL nothing is answered any more', () => {
    const { received, invite } = receive();
    const reasons: string[] = [];
    const outcomes: AcceptOutcome[] = [];
    invite.onCancel((reason) => reasons.push(reason));
    received.cancel({ Reason: 'SIP;cause=200' });
    invite.progress(180, {});
    invite.reject(486);
    invite.accept({}, SILENT, (outcome) => outcomes.push(outcome));
    expect(reasons).toEqual(['SIP;cause=200']);
    expect(received.answers).toEqual([]);
    expect(outcomes).toEqual([{ type: 'failed', reason: 'cancelled' }]);
  });

  test('a CANCEL after our answer is ignored', () => {
    const { received, invite } = receive();
    const reasons: string[] = [];
    invite.onCancel((reason) => reasons.push(reason));
    invite.reject(486);
    received.cancel();
    expect(reasons).toEqual([]);
  });

  test('refused once', () => {
    const { received, invite } = receive();
    invite.reject(486);
    invite.reject(500);
    expect(received.answers.map((answer) => answer.status)).toEqual([486]);
  });

  test('a 200 the engine cannot send is no dialog', () => {
    const { received, invite } = receive();
    received.outcome = 'failed';
    const outcomes: AcceptOutcome[] = [];
    invite.accept({}, SILENT, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([{ type: 'failed', reason: 'unknown transaction' }]);
  });

  test.each([
    ['v=0\r\n', 'v=0\r\n'],
    ['', undefined],
  ])('body %j is offer %j', (body, offer) => {
    expect(receive({ body }).invite.offer).toBe(offer);
  });
});
