/** From our 200 until the engine says that it left, nobody knows whether the call is answered. */
import { expect, test } from 'vitest';
import type { SipDialog } from '../../../src/sip/dialog.ts';
import { IncomingInvite, type AcceptOutcome } from '../../../src/sip/incoming-invite.ts';
import type { RespondOptions, RespondOutcome } from '../../../src/sip/sip-connection.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { SILENT, table } from './invite-fixtures.ts';

/** A request whose answers leave only when the test says so. */
class SlowRequest extends FakeReceivedRequest {
  send = (): void => undefined;

  override respond(
    status: number,
    options: RespondOptions,
    onOutcome?: (outcome: RespondOutcome) => void,
  ): void {
    this.send = () => super.respond(status, options, onOutcome);
  }
}

function accepting(): {
  received: SlowRequest;
  invite: IncomingInvite;
  outcomes: AcceptOutcome['type'][];
  settled: string[];
  dialogs: Set<SipDialog>;
} {
  const received = new SlowRequest('INVITE');
  const settled: string[] = [];
  const { dialogs, addDialog } = table(new FakeSipConnection());
  const invite = new IncomingInvite('access', received, {
    addDialog,
    onSettled: () => settled.push('settled'),
  });
  const outcomes: AcceptOutcome['type'][] = [];
  invite.accept({}, SILENT, ({ type }) => outcomes.push(type));
  return { received, invite, outcomes, settled, dialogs };
}

test('whoever has to know may wait for it', async () => {
  const { received, invite, outcomes, settled } = accepting();
  const { confirmed } = invite;
  expect([confirmed instanceof Promise, settled, outcomes]).toEqual([true, [], []]);

  received.send();
  await confirmed;
  expect([invite.confirmed, settled, outcomes]).toEqual([undefined, ['settled'], ['dialog']]);
});

test('a 200 that the engine does not send is known as well', async () => {
  const { received, invite, outcomes } = accepting();
  const { confirmed } = invite;
  received.outcome = 'failed';
  received.send();
  await confirmed;
  expect([invite.confirmed, outcomes]).toEqual([undefined, ['failed']]);
});

test('an engine that is lost meanwhile leaves a dialog whose tag we chose: the caller may have the 200', async () => {
  const { received, invite, outcomes, settled, dialogs } = accepting();
  const { confirmed } = invite;
  invite.presumeAnswered();
  invite.lost();
  received.send();
  await confirmed;

  expect([outcomes, settled, dialogs.size]).toEqual([['dialog'], ['settled'], 1]);
  const { localTag, dialogId } = [...dialogs][0]?.identity ?? {};
  expect(received.answers.map(({ options }) => options.headers?.['To'])).toEqual([
    `<sip:placeholder@localhost>;tag=${localTag}`,
  ]);
  expect(dialogId).toBe('');
});

test('where an earlier answer has the engine’s own tag, which is not known yet, nothing is presumed', async () => {
  const received = new SlowRequest('INVITE');
  const { dialogs, addDialog } = table(new FakeSipConnection());
  const home = { addDialog, onSettled: () => undefined };
  const invite = new IncomingInvite('access', received, home);
  const outcomes: AcceptOutcome['type'][] = [];
  invite.progress(180, {}, SILENT);
  invite.accept({}, SILENT, ({ type }) => outcomes.push(type));
  invite.presumeAnswered();
  invite.lost();

  expect([outcomes, dialogs.size]).toEqual([['failed'], 0]);
});

test('an engine that is lost meanwhile fails the answer, and its late word changes nothing', async () => {
  const { received, invite, outcomes, settled } = accepting();
  const { confirmed } = invite;
  invite.lost();
  received.send();
  await confirmed;
  expect([outcomes, settled]).toEqual([['failed'], ['settled']]);
});
