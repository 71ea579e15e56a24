/**
 *   alice ── server ── SBC ── server ── bob
 *              X                            the connection of one interface goes: all calls through it are over,
 *                                           the other leg is hung up, cancelled or refused, and a record says why
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, callRecords, openCallStage, plainOffer } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { IncomingCall, OutgoingCall } from '../support/sip-calls.ts';
import { SipServers } from '../support/sip-servers.ts';
import { statusOf } from '../support/sip-text.ts';

const ACCESS = 0;
const CORE = 1;

checkLeaksAfterEach();

async function open(): Promise<{ stage: CallStage; servers: SipServers }> {
  const servers = new SipServers();
  const stage = await openCallStage({
    edit: async (yaml) => endsAtOnce(await servers.oneForEach(yaml)),
    logsErrors: true,
  });
  return { stage, servers };
}

/** Without a wait for the server, which is not to come back. */
function endsAtOnce(yaml: string): string {
  return yaml.replace('engine: drachtio', 'engine: drachtio, reconnect-hold: 0s');
}

async function dial({ alice, bob, running }: CallStage): Promise<{
  outgoing: OutgoingCall;
  incoming: IncomingCall;
}> {
  const body = plainOffer(alice.sip);
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body });
  return { outgoing, incoming: await bob.sip.nextCall() };
}

/** Which side released the call, and why, in its record. */
async function releaseOf({ running }: CallStage): Promise<string> {
  const [record] = await callRecords(running, 1);
  return `${record?.release.side} ${record?.release.internalCode}`;
}

test.each([
  ['caller', ACCESS, 'bob'],
  ['callee', CORE, 'alice'],
] as const)('an answered call whose %s leg is lost is hung up', async (_leg, index, other) => {
  const { stage, servers } = await open();
  const call = await aliceCallsBob(stage);

  await servers.lose(index);
  await call[other].waitForEnd();

  expect(await releaseOf(stage)).toBe('sbc engine-lost');
  await call[other === 'bob' ? 'alice' : 'bob'].rtp.close();
});

test.each([
  ['rings', true],
  ['has not rung yet', false],
])('a call whose caller is lost while the callee %s is cancelled', async (_when, doesRing) => {
  const { stage, servers } = await open();
  const { outgoing, incoming } = await dial(stage);
  incoming.ring({ status: doesRing ? 180 : 100 });
  if (doesRing) await outgoing.provisional(180);

  await servers.lose(ACCESS);
  await incoming.waitForCancel();

  expect(await releaseOf(stage)).toBe('sbc engine-lost');
});

test.each([
  ['rings', true],
  ['has not rung yet', false],
])('a call whose callee is lost while it %s is refused with 503', async (_when, doesRing) => {
  const { stage, servers } = await open();
  const { outgoing, incoming } = await dial(stage);
  if (doesRing) {
    incoming.ring();
    await outgoing.provisional(180);
  }

  await servers.lose(CORE);

  expect(statusOf(await outgoing.finished())).toBe(503);
  expect(await releaseOf(stage)).toBe('sbc engine-lost');
});
