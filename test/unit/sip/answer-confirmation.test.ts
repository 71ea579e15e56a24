/** From our 200 until the engine says that it left, nobody knows whether the call is answered. */
import { expect, test } from 'vitest';
import type { SipDialog } from '../../../src/sip/dialog.ts';
import { IncomingInvite, type AcceptOutcome } from '../../../src/sip/incoming-invite.ts';
import type { RespondOptions, RespondOutcome } from '../../../src/sip/sip-connection.ts';
import { FakeReceivedRequest, FakeSipConnection } from '../../support/fake-sip-connection.ts';
import { SILENT, table } from './invite-fixtures.ts';

/** A request whose answers leave only when the test says so. */
class SlowRequest extends FakeReceivedRequest {
  readonly #waiting: (() => void)[] = [];

  /** Sends the next one. */
  send(): void {
    this.#waiting.shift()?.();
  }

  override respond(
    status: number,
    options: RespondOptions,
    onOutcome?: (outcome: RespondOutcome) => void,
  ): void {
    this.#waiting.push(() => super.respond(status, options, onOutcome));
  }
}

interface Accepting {
  readonly received: SlowRequest;
  readonly invite: IncomingInvite;
  readonly outcomes: AcceptOutcome['type'][];
  readonly settled: string[];
  readonly dialogs: Set<SipDialog>;
}

function accepting({ isRinging = false } = {}): Accepting {
  const received = new SlowRequest('INVITE');
  const settled: string[] = [];
  const { dialogs, addDialog } = table(new FakeSipConnection());
  const invite = new IncomingInvite('access', received, {
    addDialog,
    onSettled: () => settled.push('settled'),
  });
  const outcomes: AcceptOutcome['type'][] = [];
  if (isRinging) invite.progress(180, {}, SILENT);
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

test('an earlier answer that nobody knows to have left has the tag of the 200: that is the dialog’s', () => {
  const { received, invite, outcomes, dialogs } = accepting({ isRinging: true });
  invite.presumeAnswered();
  invite.lost();
  const tags = [...dialogs].map(({ identity }) => identity.localTag);
  received.send();
  received.send();

  expect(received.answers.map(({ status, options }) => [status, options.headers?.['To']])).toEqual([
    [180, `<sip:placeholder@localhost>;tag=${tags[0]}`],
    [200, `<sip:placeholder@localhost>;tag=${tags[0]}`],
  ]);
  expect([outcomes, tags.length, dialogs.size]).toEqual([['dialog'], 1, 1]);
});

test('a server that takes a tag of its own is believed, though it says so behind our 200', () => {
  const { received, invite, outcomes, dialogs } = accepting({ isRinging: true });
  received.send();
  invite.presumeAnswered();
  invite.lost();

  expect(outcomes).toEqual(['dialog']);
  expect([...dialogs].map(({ identity }) => [identity.localTag, identity.dialogId])).toEqual([
    ['ours', 'dialog-a'],
  ]);
});

test('an engine that is lost meanwhile fails the answer, and its late word changes nothing', async () => {
  const { received, invite, outcomes, settled } = accepting();
  const { confirmed } = invite;
  invite.lost();
  received.send();
  await confirmed;
  expect([outcomes, settled]).toEqual([['failed'], ['settled']]);
});
