/**
 *   alice ::1 ── access ::1 [SBC] core 127.0.0.4 ── bob 127.0.0.3
 *     | c=IN IP6 ::1       | c=IN IP4 127.0.0.4       |
 *     |==== RTP, RTCP ====>|==== RTP, RTCP ==========>|
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  bobCallsAlice,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import type { CallStage, PlainCall } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** A receiver report about nobody: eight bytes. */
const RECEIVER_REPORT = Buffer.from('80c900010000aaaa', 'hex');

function openBridge(): Promise<CallStage> {
  return openCallStage({ host: '::1', coreHost: '127.0.0.4', alice: { address: '::1' } });
}

/** o= and c= of the last description that an end was sent. */
function shownTo(call: PlainCall['alice']): readonly (string | undefined)[] {
  const { body } = call.remoteMessage;
  return [/^o=\S+ \d+ \d+ (.*?)\r?$/m.exec(body)?.[1], /^c=(.*?)\r?$/m.exec(body)?.[1]];
}

test.each([
  ['alice calls bob', aliceCallsBob],
  ['bob calls alice', bobCallsAlice],
])('audio, keys and RTCP cross when %s', async (_, place) => {
  const stage = await openBridge();
  const call = await place(stage);
  await audioBothWays(call);
  expect(shownTo(call.alice)).toEqual(['IN IP6 ::1', 'IN IP6 ::1']);
  expect(shownTo(call.bob)).toEqual(['IN IP4 127.0.0.4', 'IN IP4 127.0.0.4']);

  await call.alice.press('15#');
  await call.bob.press('9*');
  expect(await call.bob.waitForDigits(3)).toBe('15#');
  expect(await call.alice.waitForDigits(2)).toBe('9*');
  expect(call.bob.eventProblems()).toEqual([]);

  call.alice.rtp.sendRtcp(RECEIVER_REPORT);
  call.bob.rtp.sendRtcp(RECEIVER_REPORT);
  await waitFor('RTCP both ways', () =>
    [call.alice, call.bob].every(({ rtp }) => rtp.receivedRtcp.length === 1),
  );
  await finish(call);
});
