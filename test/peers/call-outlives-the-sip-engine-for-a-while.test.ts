/**
 *   alice ══ audio ══ SBC ══ audio ══ bob
 *     |               X engine            the engine thread crashes: nobody is told, the audio goes on
 *     |            engine |               another one takes its place and knows nothing of the call
 *     | BYE           |           BYE |
 *     |<--------------|-------------->|   both ends are released, a record says why, the next call succeeds
 *
 * A callee that rang gets a CANCEL, one that answered meanwhile ACK and BYE.
 */
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { aliceCallsBob, callRecords, finish, openCallStage } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { withEngineThread } from '../support/engine-loss.ts';
import type { IncomingCall } from '../support/sip-calls.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp } from '../support/sdp-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { branchOf, headerValue, headerValues } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** How the calls ended, in the order of their records. */
async function releases({ running }: CallStage, count: number): Promise<string[]> {
  const records = await callRecords(running, count);
  return records.map(({ release }) => `${release.side} ${release.internalCode}`);
}

async function isBack({ running }: CallStage): Promise<void> {
  const url = `http://${running.api.address}:${running.api.port}/readyz`;
  const probe = async (): Promise<number> => {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status;
  };
  await expect.poll(probe, { timeout: 20_000 }).toBe(200);
}

test('the embedded engine crashes: it runs again on its ports, and both ends of its call are told', async () => {
  const { stage, thread } = await withEngineThread(() => openCallStage({ logsErrors: true }));
  const call = await aliceCallsBob(stage);

  await thread.terminate();
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);
  expect(await releases(stage, 1)).toEqual(['sbc engine-lost']);

  await isBack(stage);
  await finish(await aliceCallsBob(stage));
  expect(await releases(stage, 2)).toEqual(['sbc engine-lost', 'caller hang-up']);
});

function routeOf(request: SipText): string[] {
  return headerValues(request, 'Route').flatMap((value) => value.split(/,\s*/));
}

test('the embedded engine crashes: its last BYEs go by the proxies of each end', async () => {
  const { stage, thread } = await withEngineThread(() => openCallStage({ logsErrors: true }));
  const { alice, bob, running } = stage;
  const { address, port } = running.access;
  const nearAlice = `<sip:${alice.sip.address}:${alice.sip.port};lr;leg=a>`;
  const farAlice = `<sip:${address}:${port};lr>`;
  const nearBob = `<sip:${bob.sip.address}:${bob.sip.port};lr;leg=b>`;
  const farBob = '<sip:far.example;lr>';
  const call = alice.call({
    to: '5551000',
    via: running.access,
    headers: [['Record-Route', `${nearAlice}, ${farAlice}`]],
  });
  const incoming = await bob.sip.nextCall();
  await incoming.answer({
    headers: [['Record-Route', `${farBob}, ${nearBob}`]],
    body: buildSdp({ address: bob.sip.address, rtpPort: 9 }),
  });
  const { dialog } = await call;
  const isJoined = (): boolean =>
    running.sbc.calls.list().some(({ caller }) => caller.dialog?.isConfirmed === true);
  await waitFor('ACK at the SBC', isJoined);

  await thread.terminate();
  const [atAlice, atBob] = await Promise.all([
    dialog.waitForRequest('BYE'),
    incoming.dialog.waitForRequest('BYE'),
  ]);
  expect([routeOf(atAlice), routeOf(atBob)]).toEqual([
    [nearAlice, farAlice],
    [nearBob, farBob],
  ]);
  expect(headerValue(atAlice, 'From')).toContain('sip:5551000@');
  expect(headerValue(atBob, 'From')).toBe(headerValue(incoming.invite, 'From'));
  await releases(stage, 1);
});

test('the embedded engine crashes during set-up: no callee rings on or stays in a call of its own', async () => {
  const { stage, thread } = await withEngineThread(() => openCallStage({ logsErrors: true }));
  const { alice, bob, running } = stage;
  const offer = { body: buildSdp({ address: alice.sip.address, rtpPort: 9 }) };
  const dial = async (): Promise<IncomingCall> => {
    const outgoing = alice.sip.invite({ to: '5551000', via: running.access, ...offer });
    const incoming = await bob.sip.nextCall();
    incoming.ring();
    await outgoing.provisional(180);
    return incoming;
  };
  const ringing = await dial();
  const answering = await dial();

  await thread.terminate();
  const answered = answering.answer({
    body: buildSdp({ address: bob.sip.address, rtpPort: 9 }),
  });
  const cancel = await ringing.waitForCancel();
  expect(branchOf(cancel)).toBe(branchOf(ringing.invite));
  const dialog = await answered;
  await dialog.waitForEnd();
  // What was repeated was no new call to him.
  expect(bob.sip.incoming).toHaveLength(2);
  await isBack(stage);
});

test('the embedded engine crashes again and again: it comes back each time', async () => {
  const { stage, thread } = await withEngineThread(() => openCallStage({ logsErrors: true }));
  let current = thread;
  for (let round = 0; round < 3; round += 1) {
    const successor = Promise.withResolvers<Worker>();
    process.once('worker', successor.resolve);
    await current.terminate();
    current = await successor.promise;
  }
  await waitFor('the connection', () => stage.running.sbc.stack.isUp);
  await finish(await aliceCallsBob(stage));
  expect(await releases(stage, 1)).toEqual(['caller hang-up']);
});
