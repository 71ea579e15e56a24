/**
 *   alice             SBC             bob
 *     | INVITE offer 2 | INVITE offer 2 |
 *     |--------------->|--------------->|
 *     | CANCEL         | CANCEL         |
 *     |--------------->|--------------->|     the session of offer 1 goes on
 *     |            487 |            487 |
 *     |<---------------|<---------------|
 *
 * If CANCEL and bob's 200 cross, bob gets offer 1 again: both ends go by the same session in the end.
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  bobCallsAlice,
  finish,
  isSilentAt,
  openCallStage,
  type PlainCall,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import type { PendingRequest } from '../support/sip-dialog.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

type End = 'alice' | 'bob';

/** A re-INVITE of `sender` that puts the other end on hold. */
function startHold(call: PlainCall, sender: End, version = 20): PendingRequest {
  const { address, rtpPort } = call[sender].rtp;
  const body = buildSdp({ address, rtpPort, direction: 'sendonly', version });
  return call[sender].dialog.start('INVITE', { body });
}

/** `end` rings at a re-INVITE and answers it when told to. */
function ringAtReinvite(call: PlainCall, end: End): () => void {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { dialog, rtp } = call[end];
  let isFirst = true;
  dialog.handle('INVITE', async (request) => {
    const offer = request.body === '' ? undefined : readSdp(request.body);
    if (isFirst) {
      isFirst = false;
      dialog.respond(request, { status: 180 });
      await released;
    }
    const direction = offer?.direction === 'sendonly' ? 'recvonly' : 'sendrecv';
    if (offer !== undefined) rtp.setRemote(direction === 'recvonly' ? undefined : offer);
    const { address, rtpPort } = rtp;
    return { status: 200, body: buildSdp({ address, rtpPort, direction, version: 21 }) };
  });
  return release;
}

test.each([
  ['alice', 'bob', aliceCallsBob],
  ['bob', 'alice', aliceCallsBob],
  ['alice', 'bob', bobCallsAlice],
] as const)('%s gives up, %s gets the CANCEL, the call goes on', async (sender, asked, dial) => {
  const stage = await openCallStage();
  const call = await dial(stage);
  ringAtReinvite(call, asked);

  const hold = startHold(call, sender);
  await call[asked].dialog.waitForRequest('INVITE');
  const cancelled = await hold.cancel([
    ['Reason', 'SIP;cause=200;text="Call completed elsewhere"'],
  ]);
  const answer = await hold.finished;
  const { cancels } = call[asked].dialog;
  await waitFor('CANCEL', () => cancels.length > 0);
  await audioBothWays(call);
  const again = await call[sender].reinvite('sendrecv');
  await audioBothWays(call);
  await finish(call);

  expect([statusOf(cancelled), statusOf(answer), statusOf(again)]).toEqual([200, 487, 200]);
  expect(cancels.map((cancel) => headerValue(cancel, 'Reason'))).toEqual([
    'SIP;cause=200;text="Call completed elsewhere"',
  ]);
});

test.each(['alice', 'bob'] as const)(
  'the 200 crosses the CANCEL of %s: the other end gets the old session again',
  async (sender) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const asked = sender === 'alice' ? 'bob' : 'alice';
    const release = ringAtReinvite(call, asked);
    const { dialog } = call[asked];
    // This end answers as if it had not seen the CANCEL yet.
    dialog.receiveCancel = (cancel) => {
      dialog.respond(cancel, { status: 200 });
      release();
    };

    const hold = startHold(call, sender);
    await dialog.waitForRequest('INVITE');
    await hold.cancel();
    const answer = await hold.finished;
    const restored = await dialog.waitForRequest('INVITE', 2);
    await audioBothWays(call);
    const acks = asked === 'bob' ? 3 : 2;
    await dialog.waitForAck(acks);
    await finish(call);

    expect(statusOf(answer)).toBe(487);
    const [first, second] = dialog.received
      .filter(({ startLine }) => startLine.startsWith('INVITE'))
      .slice(-2)
      .map(({ body }) => readSdp(body));
    expect([first?.direction, second?.direction]).toEqual(['sendonly', 'sendrecv']);
    expect(second?.originVersion).toBeGreaterThan(first?.originVersion ?? Infinity);
    expect(headerValue(restored, 'Contact')).toBe(
      headerValue(call[asked].remoteMessage, 'Contact'),
    );
  },
);

test('a re-INVITE without offer whose CANCEL crosses the offer: the old description answers it', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const release = ringAtReinvite(call, 'bob');
  const { dialog } = call.bob;
  dialog.receiveCancel = (cancel) => {
    dialog.respond(cancel, { status: 200 });
    release();
  };

  const asking = call.alice.dialog.start('INVITE');
  await dialog.waitForRequest('INVITE');
  await asking.cancel();
  const answer = await asking.finished;
  const ack = await dialog.waitForAck(2);
  await audioBothWays(call);
  await finish(call);

  expect(statusOf(answer)).toBe(487);
  expect(readSdp(ack.body)).toMatchObject({
    direction: 'sendrecv',
    rtpPort: call.bob.remote.rtpPort,
  });
});

test('a CANCEL behind the 200 changes nothing', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  const hold = startHold(call, 'alice');
  const answer = await hold.finished;
  const cancelled = await hold.cancel();
  const isHeld = await isSilentAt(call.alice);
  const resumed = await call.alice.reinvite('sendrecv');
  await audioBothWays(call);
  await finish(call);

  expect([statusOf(answer), statusOf(resumed)]).toEqual([200, 200]);
  expect([200, 481]).toContain(statusOf(cancelled));
  expect(isHeld).toBe(true);
});

test('CANCEL against the 200 at every second millisecond from 0 to 30: the ends agree', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  for (let waitMs = 0; waitMs <= 30; waitMs += 2) {
    const hold = startHold(call, 'alice', 30 + waitMs);
    await sleep(waitMs);
    await hold.cancel();
    const isHeld = statusOf(await hold.finished) === 200;
    await waitFor(`bob ${isHeld ? 'held' : 'not held'} after ${waitMs} ms`, () => {
      return (call.bob.remote.direction === 'sendonly') === isHeld;
    });
    // While the old session is being restored, another offer has to wait.
    while (statusOf(await call.alice.reinvite('sendrecv')) !== 200) await sleep(20);
  }
  await audioBothWays(call);
  await finish(call);

  expect(call.bob.dialog.problems).toEqual([]);
});
