/** Keys as bad senders and networks make them: each still crosses the SBC exactly once and in order. */

import { describe, expect, test } from 'vitest';
import { openStage, phoneCallsTrunk } from '../support/digit-call.ts';
import type { DigitCall, StageOptions } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { isStall, RELAYED_EVENTS } from '../support/rtp-analysis.ts';
import type { PressOptions } from '../support/rtp-peer.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

const SETTLE_MS = 400;
/** Repetitions of messages that were lost go on for 32 s. */
const LOSSY_MS = 35_000;

checkLeaksAfterEach();

describe('telephone-events become one NOTIFY each', () => {
  test.each<[string, PressOptions]>([
    ['no marker', { marker: false }],
    ['a single end packet', { endPackets: 1 }],
    ['no end packet at all', { endPackets: 0 }],
    ['every packet three times', { copies: 3 }],
    ['the start lost', { isLost: (index) => index < 4 }],
    ['all but one packet lost', { isLost: (index, total) => index !== total - 1 }],
    ['50 ms packets', { intervalMs: 50, durationMs: 160 }],
    ['a key of 40 ms', { durationMs: 40, gapMs: 40 }],
    ['a key of 1.5 s', { durationMs: 1500 }],
  ])('%s', async (_name, options) => {
    const call = await connect();
    await call.phone.listen();
    await call.trunk.press('1', options);
    await call.trunk.press('22', options);
    await call.phone.listener.waitForDigits(3);
    await sleep(SETTLE_MS);
    expect(call.phone.listener.digits).toBe('122');
    await call.finish();
  });
});

describe('NOTIFY becomes one telephone-event per key', () => {
  test.each([
    ['several keys in one report', '0123456789*#ABCD', '0123456789*#ABCD'],
    ['letters in lower case', 'abcd', 'ABCD'],
    ['no key at all', '', ''],
    ['Backspace of Cisco phones', 'bs', ''],
    ['plus and hook flash around keys', '+1R2', '12'],
  ])('%s', async (_name, reported, played) => {
    const call = await connect();
    await call.phone.press('9');
    await call.phone.keypad.reportRaw(reported);
    await call.phone.press('8');
    await call.trunk.waitForDigits(played.length + 2);
    await sleep(SETTLE_MS);
    expect(call.trunk.digits).toBe(`9${played}8`);
    const problems = call.trunk.eventProblems({ ...RELAYED_EVENTS, durationMs: 100 });
    expect(problems.filter((problem) => !isStall(problem))).toEqual([]);
    expect(await call.finish()).toEqual([]);
  });

  test('a repeated NOTIFY is answered alike and plays nothing, one with an old CSeq gets 500', async () => {
    const call = await connect();
    await call.phone.press('1');
    const { sip } = call.stage.phone;
    const sent = sip.log.findLast(({ text }) => text.includes('digits="1"'));
    const cseq = headerValue(sent?.message ?? { startLine: '', headers: [], body: '' }, 'CSeq');
    const answers = (): (number | undefined)[] =>
      sip.log
        .filter(
          ({ message, direction }) => direction === 'received' && statusOf(message) !== undefined,
        )
        .filter(({ message }) => headerValue(message, 'CSeq') === cseq)
        .map(({ message }) => statusOf(message));
    sip.sendRaw(sent?.text ?? '', call.stage.running.access);
    await waitFor('the same answer again', () => answers().length === 2);
    sip.sendRaw(sent?.text.replace('z9hG4bK', 'z9hG4bKnew') ?? '', call.stage.running.access);
    await waitFor('a third answer', () => answers().length === 3);
    await sleep(SETTLE_MS);
    expect(answers()).toEqual([200, 200, 500]);
    expect(call.trunk.digits).toBe('1');
    expect(await call.finish()).toEqual([]);
  });
});

test('one message in five lost on the hop of the phone loses and doubles no key', async () => {
  const lossy = {
    losesReceived: seededLoss(11, 0.2),
    rewriteSent: seededDrop(seededLoss(12, 0.2)),
  };
  const call = await connect({ phoneOptions: lossy });
  await call.phone.keypad.waitForSubscription();
  await call.phone.listen();
  await Promise.all([call.phone.press('12345', 170), call.trunk.press('67890')]);
  await call.phone.listener.waitForDigits(5, LOSSY_MS);
  await call.trunk.waitForDigits(5, LOSSY_MS);
  await sleep(SETTLE_MS);
  expect(call.phone.listener.digits).toBe('67890');
  expect(call.trunk.digits).toBe('12345');
  await call.phone.hangUp();
  await call.trunk.waitForEnd(LOSSY_MS);
}, 180_000);

/** The phone calls the trunk; audio runs both ways before any key. */
async function connect(options: StageOptions = {}): Promise<DigitCall> {
  const call = await phoneCallsTrunk(await openStage(options));
  await Promise.all([call.phone.waitForAudio(), call.trunk.waitForAudio()]);
  return call;
}

/** A repeatable coin (mulberry32). */
function seededLoss(seed: number, rate: number): () => boolean {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296 < rate;
  };
}

function seededDrop(isLost: () => boolean): (message: SipText) => SipText | undefined {
  return (message) => (isLost() ? undefined : message);
}
