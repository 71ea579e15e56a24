/**
 *   caller            SBC            callee
 *     | INVITE         | INVITE         |
 *     |--------------->|--------------->|
 *     | CANCEL         |            200 |
 *     |--------------->|<---------------|     whichever comes first wins; the loser leaves no leg behind
 *     |     487 or 200 | CANCEL, or ACK + BYE
 *     |<---------------|--------------->|
 */
import { describe, expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { OutgoingCall } from '../support/sip-calls.ts';
import type { SipPeer } from '../support/sip-peer.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

function dial({ alice, running }: CallStage): OutgoingCall {
  return alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
}

describe('a caller who gives up', () => {
  test('before the callee has said anything: the callee gets CANCEL once it rings', async () => {
    const stage = await openCallStage();
    const outgoing = dial(stage);
    // Taken before the CANCEL: an INVITE that nobody took would be repeated into the next test.
    const incoming = await stage.bob.sip.nextCall();

    const answer = await outgoing.cancel();
    const final = await outgoing.finished();
    incoming.ring();
    await incoming.waitForCancel();

    expect(statusOf(answer)).toBe(200);
    expect(statusOf(final)).toBe(487);
    await waitFor('end', () => stage.running.sbc.calls.size === 0);
  });

  test('while the callee rings: the callee gets CANCEL with the caller’s reason', async () => {
    const stage = await openCallStage();
    const outgoing = dial(stage);
    const incoming = await stage.bob.sip.nextCall();
    incoming.ring();
    await outgoing.provisional(180);

    await outgoing.cancel();
    const cancel = await incoming.waitForCancel();
    const final = await outgoing.finished();

    expect(statusOf(final)).toBe(487);
    expect(headerValue(cancel, 'Reason')).toContain('Q.850;cause=16');
    const [record] = await callRecords(stage.running, 1);
    expect(record).toMatchObject({
      release: { side: 'caller', sipCode: 487, internalCode: 'caller-cancelled' },
      attempts: [{ agent: 'carrier', code: 487 }],
    });
  });
});

test('CANCEL against the 200 at every second millisecond from 0 to 30 leaves no ghost leg', async () => {
  const stage = await openCallStage();
  const { bob, running } = stage;
  let isOver = false;
  const answering = answerAll(bob.sip, () => isOver);

  const finals = await Promise.all(Array.from({ length: 16 }, (_, step) => race(stage, step * 2)));
  const records = await callRecords(running, 16);
  isOver = true;
  await answering;

  expect(records).toHaveLength(16);
  for (const final of finals) expect([200, 487]).toContain(final);
  expect(bob.sip.incoming.length).toBeLessThanOrEqual(16);
  // Every leg that bob has seen is over: cancelled, or acknowledged and hung up.
  for (const { dialog } of bob.sip.incoming) await dialog.waitForEnd();
});

/** Answers each call at once, unless its CANCEL was even quicker. */
async function answerAll(peer: SipPeer, isOver: () => boolean): Promise<void> {
  const answers: Promise<unknown>[] = [];
  while (!isOver()) {
    for (const incoming of peer.incoming.slice(answers.length)) {
      const isWanted = incoming.cancelled === undefined;
      answers.push(isWanted ? incoming.answer({ body: plainOffer(peer) }) : Promise.resolve());
    }
    await sleep(1);
  }
  await Promise.all(answers);
}

/** One call: the callee answers at once, the caller cancels `delayMs` after dialling. */
async function race(stage: CallStage, delayMs: number): Promise<number | undefined> {
  const outgoing = dial(stage);
  await sleep(delayMs);
  await outgoing.cancel();
  const final = statusOf(await outgoing.finished());
  if (final === 200) await outgoing.dialog.bye();
  return final;
}
