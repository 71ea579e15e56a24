/**
 * What takes its time when a call is renegotiated: four calls at once through one SBC.
 *
 *   no ACK          the 200 to a re-INVITE is repeated for 64*T1, then the call ends on both legs (RFC 3261 §14.2)
 *   no answer       the same for a 200 that brings the offer and waits for the answer
 *   silence         a re-INVITE that the other end never answers gets 408 after 64*T1, and the call ends
 *   491 to our own  an offer of the SBC that meets one of the peer is made again after the time of RFC 3261 §14.1
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  callRecords,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import type { PlainCall } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import type { Reply } from '../support/sip-dialog.ts';
import { headerValue, methodOf, statusOf } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

/** 64*T1, and some patience. */
const LONGEST_MS = 60_000;

checkLeaksAfterEach();

test(
  'calls end for want of an ACK or an answer, and one goes on after a glare',
  { timeout: 120_000 },
  async () => {
    const mute = new Set<string>();
    const stage = await openCallStage({
      alice: {
        rewriteSent: (message) => {
          const isMuted =
            methodOf(message) === 'ACK' && mute.has(headerValue(message, 'Call-ID') ?? '');
          return isMuted ? undefined : message;
        },
      },
    });
    const { alice, bob, running } = stage;
    const calls: PlainCall[] = [];
    for (const to of ['1', '2', '3', '4']) {
      const [aliceCall, bobCall] = await Promise.all([
        alice.call({ to: `555${to}`, via: running.access }),
        bob.answer(),
      ]);
      calls.push({ alice: aliceCall, bob: bobCall });
    }
    const [unconfirmed, unanswered, silent, glaring] = calls;
    if (!unconfirmed || !unanswered || !silent || !glaring) {
      throw new Error('a call is missing');
    }
    mute.add(unconfirmed.alice.dialog.callId);
    mute.add(unanswered.alice.dialog.callId);

    silent.bob.dialog.handle('INVITE', () => new Promise(() => {}));

    const [held, fetched, unheard, waitedMs] = await Promise.all([
      unconfirmed.alice.reinvite('sendonly'),
      unanswered.alice.dialog.request('INVITE'),
      silent.alice.reinvite('sendonly'),
      offerAfterGlare(glaring),
    ]);
    await Promise.all(
      [unconfirmed, unanswered, silent].flatMap((call) =>
        [call.alice, call.bob].map((end) => end.waitForEnd(LONGEST_MS)),
      ),
    );
    await audioBothWays(glaring);
    await finish(glaring);

    expect([held, fetched, unheard].map((answer) => statusOf(answer))).toEqual([200, 200, 408]);
    expect(waitedMs).toBeGreaterThanOrEqual(2000);
    const records = await callRecords(running, 4);
    expect(records.map(({ release }) => release.internalCode).toSorted()).toEqual([
      'ack-timeout',
      'ack-timeout',
      'dialog-lost',
      'hang-up',
    ]);
  },
);

test('a call on hold may be silent for longer than others', async () => {
  const stage = await openCallStage({
    edit: (yaml) => yaml.replace('workers: 1,', 'workers: 1, inactivity-timeout: 5s,'),
  });
  const call = await aliceCallsBob(stage);
  await call.alice.reinvite('inactive');
  for (const { rtp } of [call.alice, call.bob]) rtp.stopAudio();
  await sleep(7000);
  const isUp = !call.alice.dialog.isEnded && !call.bob.dialog.isEnded;
  const resumed = await call.alice.reinvite('sendrecv');
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);

  expect([isUp, statusOf(resumed)]).toEqual([true, 200]);
  const [record] = await callRecords(stage.running, 1);
  expect(record?.release).toMatchObject({ internalCode: 'media-timeout' });
});

/** Makes the SBC restore a session and meets its offer with 491; how long it takes to offer again, milliseconds. */
async function offerAfterGlare({ alice, bob }: PlainCall): Promise<number> {
  const { address, rtpPort } = bob.rtp;
  const replies: Reply[] = [{ status: 200, body: 'unusable' }, { status: 491 }];
  const offers: { readonly atMs: number; readonly body: string }[] = [];
  bob.dialog.handle('INVITE', (request) => {
    offers.push({ atMs: performance.now(), body: request.body });
    return replies.shift() ?? { status: 200, body: buildSdp({ address, rtpPort, version: 9 }) };
  });
  const refused = await alice.reinvite('sendonly');
  await waitFor('another offer', () => offers.length === 3);
  await bob.dialog.waitForAck(3);

  expect(statusOf(refused)).toBe(488);
  expect(offers.map(({ body }) => readSdp(body).direction)).toEqual([
    'sendonly',
    'sendrecv',
    'sendrecv',
  ]);
  return (offers[2]?.atMs ?? 0) - (offers[1]?.atMs ?? 0);
}
