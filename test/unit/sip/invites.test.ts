import { describe, expect, test, vi } from 'vitest';
import type { SipDialog } from '../../../src/sip/dialog.ts';
import { IncomingInvite, type AcceptOutcome } from '../../../src/sip/incoming-invite.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { send, SILENT, table } from './invite-fixtures.ts';

function receive(options: { body?: string } = {}): {
  received: FakeReceivedRequest;
  invite: IncomingInvite;
  dialogs: Set<SipDialog>;
  settled: IncomingInvite[];
  connection: FakeSipConnection;
} {
  const received = new FakeReceivedRequest('INVITE', { Contact: '<sip:peer@host>' }, options);
  const connection = new FakeSipConnection();
  const { dialogs, addDialog } = table(connection);
  const settled: IncomingInvite[] = [];
  const invite = new IncomingInvite('access', received, {
    addDialog,
    onSettled: (each) => settled.push(each),
  });
  return { received, invite, dialogs, settled, connection };
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
      'answer {"role":"uac","dialogId":"dialog-b","callId":"leg-b","localTag":"ours","remoteTag":"t","localContact":"<sip:a@sbc>","remoteTarget":"sip:b@host","localUri":"sip:a@sbc","remoteUri":"sip:b@host"}',
    ]);
    expect(connection.last.acknowledgements).toEqual([]);
  });

  test('100 is not progress', () => {
    const { connection, log } = send();
    connection.last.answer(100);
    expect(log).toEqual([]);
  });

  test('a reliable 18x gets a PRACK in its branch', () => {
    const { connection } = send();
    const branch = { To: '<sip:b@host>;tag=two', CSeq: '7 INVITE' };
    connection.last.answer(183, { ...branch, Require: '100rel', RSeq: '31' });
    const { method, dialogId, headers } = connection.last.options;
    expect([method, dialogId]).toEqual(['PRACK', 'dialog-b']);
    expect(headers).toEqual({ RAck: '31 7 INVITE', To: '<sip:b@host>;tag=two' });
    connection.last.answer(200);
  });

  test('a reliable 18x that names no branch is left to the engine', () => {
    const { connection } = send();
    connection.last.answer(183, { RSeq: '1', CSeq: '7 INVITE' });
    expect(connection.last.acknowledgements).toEqual([undefined]);
  });

  test('a 200 without Contact is acknowledged, hung up and counts as 502', async () => {
    const { connection, log } = send();
    const invite = connection.last;
    invite.answer(200, { To: '<sip:b@host>;tag=t' });
    expect(log).toEqual(['failure 502 answer without Contact']);
    expect(invite.acknowledgements).toEqual([undefined]);
    await vi.waitFor(() => {
      expect(connection.last.options.method).toBe('BYE');
    });
    connection.last.answer(200);
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
      remoteTarget: 'sip:peer@host',
    });
  });

  test('after a CANCEL nothing is answered any more', () => {
    const { received, invite } = receive();
    const reasons: string[] = [];
    const outcomes: AcceptOutcome[] = [];
    invite.onCancel((reason) => reasons.push(reason));
    received.cancel({ Reason: 'SIP;cause=200' });
    invite.progress(180, {}, SILENT);
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

/** Headers of a response from the branch with that tag. */
function tagged(tag: string): Record<string, string> {
  return {
    From: '<sip:a@sbc>;tag=ours',
    To: `<sip:b@host>;tag=${tag}`,
    'Call-ID': 'leg-b',
    Contact: '<sip:b@host>',
  };
}

function tagsOf(dialogs: Set<SipDialog>): string[] {
  return [...dialogs].map(({ identity, isEarly }) =>
    isEarly ? `${identity.remoteTag} early` : identity.remoteTag,
  );
}

describe('early dialogs', () => {
  test('every branch of an INVITE of ours has one; the answered branch keeps its own', async () => {
    const { connection, dialogs } = send();
    const invite = connection.last;
    invite.answer(180, tagged('one'));
    invite.answer(183, tagged('two'));
    invite.answer(180, tagged('one'));
    expect(tagsOf(dialogs)).toEqual(['one early', 'two early']);

    const [one, two] = dialogs;
    void one?.request('INFO');
    expect(connection.last.options.headers).toEqual({ To: '<sip:b@host>;tag=one' });

    invite.answer(200, tagged('two'));
    expect([...dialogs]).toEqual([two]);
    expect(two?.isConfirmed).toBe(true);
    void two?.request('INFO');
    expect(connection.last.options.headers).toEqual({
      To: '<sip:placeholder@localhost>;tag=two',
    });

    // A late 18x of the branch that lost is harmless, and nothing is sent in its dialog any more.
    const sent = connection.sent.length;
    invite.answer(180, tagged('one'));
    expect(await one?.request('NOTIFY')).toMatchObject({ status: 481 });
    expect(tagsOf(dialogs)).toEqual(['two']);
    expect(connection.sent).toHaveLength(sent);
  });

  test('a refusal ends those of all branches', () => {
    const { connection, dialogs } = send();
    connection.last.answer(180, tagged('one'));
    connection.last.answer(180, tagged('two'));
    connection.last.answer(486, tagged('one'));
    expect(dialogs.size).toBe(0);
  });

  test('a callee that invents branches gets no more than 16', () => {
    const { connection, dialogs, log } = send();
    for (let index = 0; index < 40; index += 1) connection.last.answer(180, tagged(`t${index}`));
    expect(dialogs.size).toBe(16);
    expect(log.filter((line) => line === 'progress 180')).toHaveLength(40);
  });

  test('that of a peer begins with our first 18x and is answered by our 200', () => {
    const { invite, dialogs, settled } = receive();
    const begun: SipDialog[] = [];
    invite.progress(180, {}, SILENT, (dialog) => begun.push(dialog));
    invite.progress(183, {}, SILENT, (dialog) => begun.push(dialog));
    expect(begun).toEqual([...dialogs]);
    expect(begun.map((dialog) => dialog.isEarly)).toEqual([true]);

    const outcomes: AcceptOutcome[] = [];
    invite.accept({}, SILENT, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([{ type: 'dialog', dialog: begun[0] }]);
    expect(begun[0]?.isEarly).toBe(false);
    expect(settled).toEqual([invite]);
  });

  test.each(['refusal', 'CANCEL'])('that of a peer ends with the %s', async (what) => {
    const { received, invite, dialogs, settled, connection } = receive();
    invite.onCancel(() => undefined);
    invite.progress(180, {}, SILENT);
    const [dialog] = dialogs;
    if (what === 'CANCEL') received.cancel();
    else invite.reject(486);
    expect(dialogs.size).toBe(0);
    expect(settled).toEqual([invite]);

    const late = new FakeReceivedRequest('INFO');
    dialog?.receive(late);
    expect(late.answers.map((answer) => answer.status)).toEqual([481]);
    // The last NOTIFY of a subscription still goes out.
    void dialog?.request('NOTIFY');
    expect(connection.last.options.method).toBe('NOTIFY');
  });

  test('is not hung up with BYE, and delivers what arrives with itself', async () => {
    const connection = new FakeSipConnection();
    const heard: unknown[] = [];
    const { addDialog } = table(connection);
    const handler = { ...SILENT, onRequest: (...given: unknown[]) => heard.push(...given) };
    const identity = {
      role: 'uac' as const,
      dialogId: 'id',
      callId: 'call',
      localTag: 'ours',
      remoteTag: 'theirs',
      localContact: undefined,
    };
    const dialog = addDialog(identity, handler, {});
    await dialog.bye();
    const info = new FakeReceivedRequest('INFO');
    dialog.receive(info);
    expect(connection.sent).toEqual([]);
    expect(heard).toEqual([info, dialog]);
  });

  test('an INVITE that waits hears of a lost connection once, and not after its answer', () => {
    const waiting = receive();
    const answered = receive();
    const lost: string[] = [];
    waiting.invite.onLost(() => lost.push('waiting'));
    answered.invite.onLost(() => lost.push('answered'));
    answered.invite.accept({}, SILENT, () => undefined);
    for (const { invite } of [waiting, waiting, answered]) invite.lost();
    expect(lost).toEqual(['waiting']);
    expect(waiting.settled).toEqual([waiting.invite]);
  });
});
