/** From our 200 until the engine says that it left, nobody knows whether the call is answered. */
import { expect, test } from 'vitest';
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
} {
  const received = new SlowRequest('INVITE');
  const settled: string[] = [];
  const invite = new IncomingInvite('access', received, {
    addDialog: table(new FakeSipConnection()).addDialog,
    onSettled: () => settled.push('settled'),
  });
  const outcomes: AcceptOutcome['type'][] = [];
  invite.accept({}, SILENT, ({ type }) => outcomes.push(type));
  return { received, invite, outcomes, settled };
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

test('an engine that is lost meanwhile fails the answer, and its late word changes nothing', async () => {
  const { received, invite, outcomes, settled } = accepting();
  const { confirmed } = invite;
  invite.lost();
  received.send();
  await confirmed;
  expect([outcomes, settled]).toEqual([['failed'], ['settled']]);
});
