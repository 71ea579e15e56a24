/**
 * Fifty re-INVITEs of all kinds in one call: hold and resume from either side, offers in the 200, nothing new at all.
 * Each key still crosses once, and the SBC holds what it held after the first answer.
 */

import { expect, test } from 'vitest';
import { phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { headerValue, methodOf, statusOf } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import type { VoiceCall } from '../support/voice-call.ts';
import { waitFor } from '../support/wait-for.ts';

const ROUNDS = 5;

const open = shareSbc();

checkLeaksAfterEach();

/** Ten re-INVITEs, after which both ends send and receive again; their answers. */
async function renegotiate({ phone, trunk }: DigitCall): Promise<SipText[]> {
  return [
    await trunk.reinvite('sendonly'),
    await trunk.reinvite('sendrecv'),
    await phone.reinvite('sendrecv'),
    await withoutOffer(phone, undefined),
    await trunk.reinvite('sendrecv'),
    await phone.reinvite('inactive'),
    await trunk.reinvite('sendrecv'),
    await withoutOffer(trunk, 101),
    await phone.reinvite('sendrecv'),
    await trunk.reinvite('sendrecv'),
  ];
}

/** A re-INVITE without SDP, its answer in the ACK. */
async function withoutOffer(
  { dialog, rtp }: VoiceCall,
  eventPayloadType: number | undefined,
): Promise<SipText> {
  const { address, rtpPort } = rtp;
  const version = 100 + dialog.received.length;
  return dialog.request('INVITE', {
    ackBody: () => buildSdp({ address, rtpPort, version, eventPayloadType }),
  });
}

/** Where an end was told to send its media: by the answers to its re-INVITEs and by those that it got. */
function portsTold(end: VoiceCall, answers: readonly SipText[]): number[] {
  const { callId, received, acks } = end.dialog;
  const own = answers.filter((answer) => headerValue(answer, 'Call-ID') === callId);
  const theirs = [...received.filter((request) => methodOf(request) === 'INVITE'), ...acks];
  return [end.remoteMessage, ...own, ...theirs]
    .filter(({ body }) => body !== '')
    .map(({ body }) => readSdp(body).rtpPort);
}

test('each key crosses once; ports, subscriptions and dialogs are those of the first answer', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk, stage } = call;
  const { sbc } = stage.running;
  const held = (): unknown[] => [sbc.media.portsFree, sbc.stack.dialogCount, sbc.calls.size];
  await phone.listen();
  await phone.keypad.waitForSubscription();
  const before = held();
  const answers: SipText[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    answers.push(...(await renegotiate(call)));
    await Promise.all([phone.press(String(round)), trunk.press(String(9 - round))]);
    await Promise.all([trunk.waitForDigits(round), phone.listener.waitForDigits(round)]);
  }
  await waitFor('the fate of every key', () => call.ledger.length === 2 * ROUNDS);
  const after = held();
  const ports = [phone, trunk].map((end) => new Set(portsTold(end, answers)).size);
  const problems = await call.finish();

  expect(answers.map((answer) => statusOf(answer))).toEqual(answers.map(() => 200));
  expect(answers).toHaveLength(50);
  expect(ports).toEqual([1, 1]);
  expect(after).toEqual(before);
  expect([trunk.digits, phone.listener.digits]).toEqual(['12345', '87654']);
  expect(phone.keypad.subscribes).toHaveLength(1);
  expect(problems.filter((problem) => !problem.startsWith('at the '))).toEqual([]);
  expect(
    call.ledger.filter((line) => / notify -> rtp$| rtp -> notify 200$/.test(line)),
  ).toHaveLength(2 * ROUNDS);
});
