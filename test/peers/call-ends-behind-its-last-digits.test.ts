/**
 * Row C46 with `dtmf-drain-on-bye-ms: 2000`, and what ends a tone that is under way.
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | NOTIFY digits="12345"        |                              |
 *     |----------------------------->|== telephone-event 1 ... ====>|
 *     | BYE                          |                              |
 *     |----------------------------->|   waits, at most 2 s         |
 *     |          200                 |                              |
 *     |<-----------------------------|== 2 3 4 5, each whole ======>|
 *     |                              | BYE                          |
 *     |                              |----------------------------->|
 */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { moreAudio, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall, Stage } from '../support/digit-call.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk, type TrunkCall } from '../support/rfc2833-trunk.ts';
import { RELAYED_EVENTS } from '../support/rtp-analysis.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

/** As long as a BYE may wait. */
const DRAIN_MS = 2000;
const ATTEMPTS = 10;
/** Of the event loop: in each some dozen packets are read. */
const TURNS = 8;
const TWENTY_KEYS = '12345678901234567890';

const open = shareSbc({
  access: { 'dtmf-drain-on-bye-ms': String(DRAIN_MS) },
  core: { 'rfc2833-mode': 'preferred', 'dtmf-drain-on-bye-ms': String(DRAIN_MS) },
});

checkLeaksAfterEach();

async function openCall(stage?: Stage): Promise<DigitCall> {
  const call = await phoneCallsTrunk(stage ?? (await open()));
  await call.phone.keypad.waitForSubscription();
  await moreAudio(call.trunk);
  return call;
}

/** What an attempt gives, from the first BYE to the end of the call at the other side in `waitedMs`. */
type Attempt<T> = (call: DigitCall) => Promise<T & { readonly waitedMs: number }>;

/**
 * Plays calls until one is over before its BYE may wait no longer, and gives what came of that one: a machine that is
 * held up for as long proves nothing.
 */
async function inTime<T>(play: Attempt<T>): Promise<T & { readonly call: DigitCall }> {
  const stage = await open();
  for (let attempt = 1; ; attempt += 1) {
    const call = await openCall(stage);
    const played = await play(call);
    await waitFor('the end of the call', () => stage.running.sbc.calls.size === 0);
    if (played.waitedMs < DRAIN_MS) return { ...played, call };
    if (attempt === ATTEMPTS) throw new Error(`a BYE waited for ${Math.round(played.waitedMs)} ms`);
  }
}

function fates(call: DigitCall): string[] {
  return call.ledger.map((line) => line.replace(/^.*-> /, ''));
}

/** Lets packets be read that came before a message that was read first. */
async function readAll(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
}

/** Resolves when the last event at the trunk has been ended. */
async function lastEventEnded(trunk: TrunkCall): Promise<void> {
  await waitFor('end packets of the last event', () => {
    const ends = trunk.events.at(-1)?.reports.filter(({ isEnd }) => isEnd) ?? [];
    return ends.length >= 3;
  });
}

/** A caller with telephone-events whose key 5 is down, heard by the callee. */
async function holding(): Promise<{ caller: TrunkCall; callee: TrunkCall }> {
  const stage = await open();
  const phone = await Rfc2833Trunk.open({ user: 'keys' });
  closeAfterTest(phone);
  const [caller, callee] = await Promise.all([
    phone.call({ to: '5551000', via: stage.running.access }),
    stage.trunk.answer(),
  ]);
  await moreAudio(callee);
  // It is let go when the media of the caller is closed.
  void caller.press('5', { durationMs: 60_000 });
  await waitFor('the key at the callee', () => (callee.events[0]?.reports.length ?? 0) >= 3);
  return { caller, callee };
}

/** What is irregular, but for updates that repeat themselves where a stalled machine sent audio in a burst. */
function problemsOf(trunk: TrunkCall): string[] {
  const problems = trunk.eventProblems(RELAYED_EVENTS);
  return problems.filter((problem) => !/does not rise in packet/.test(problem));
}

/** Each event by its key and how often its end was said. */
function endsOf({ events }: TrunkCall): string[] {
  return events.map(({ digit, reports }) => {
    const ends = reports.filter(({ isEnd }) => isEnd);
    return `${digit}: ${ends.length}`;
  });
}

describe('a BYE to the side that digits go to', () => {
  test('waits until they have left', async () => {
    const { call, answer, digits } = await inTime(async ({ phone, trunk }) => {
      await phone.keypad.reportRaw('12345');
      const sinceMs = performance.now();
      const answered = await phone.hangUp();
      await trunk.dialog.waitForEnd();
      const waitedMs = performance.now() - sinceMs;
      await readAll();
      const heard = trunk.digits;
      await lastEventEnded(trunk);
      await trunk.rtp.close();
      return { answer: answered, digits: heard, waitedMs };
    });

    expect(statusOf(answer)).toBe(200);
    expect(digits).toBe('12345');
    expect(problemsOf(call.trunk)).toEqual([]);
    expect(fates(call)).toEqual(Array(5).fill('rtp'));
  });

  test('waits for the reports that a slow phone has yet to answer', async () => {
    const { call } = await inTime(async ({ phone, trunk }) => {
      await phone.listen();
      phone.listener.answerAfterMs = 400;
      for (const key of '1234') await trunk.press(key);
      const sinceMs = performance.now();
      await trunk.dialog.bye();
      await phone.dialog.waitForEnd();
      const waitedMs = performance.now() - sinceMs;
      await Promise.all([phone.rtp.close(), trunk.rtp.close()]);
      return { waitedMs };
    });

    expect(call.phone.listener.digits).toBe('1234');
  });

  test('waits no longer than it may; the one that plays is ended, the rest is dropped', async () => {
    const call = await openCall();
    const { phone, trunk } = call;
    await phone.keypad.reportRaw(TWENTY_KEYS);
    await phone.hangUp();
    await trunk.dialog.waitForEnd();
    await waitFor('the fate of every digit', () => fates(call).every((fate) => fate !== ''));
    const sent = fates(call).filter((fate) => fate === 'rtp').length;
    await waitFor('all that were sent', () => trunk.digits.length >= sent);
    await lastEventEnded(trunk);
    await trunk.rtp.close();

    expect(sent).toBeGreaterThan(0);
    expect(trunk.digits).toBe(TWENTY_KEYS.slice(0, sent));
    expect(problemsOf(trunk)).toEqual([]);
    expect(fates(call).slice(sent)).toEqual(Array(20 - sent).fill('!call-ended'));
    expect(sent).toBeLessThan(20);
  });

  test('is followed by nothing: who left cannot be called back by the other side', async () => {
    const { call, answer } = await inTime(async ({ phone, trunk }) => {
      await phone.keypad.reportRaw(TWENTY_KEYS);
      const sinceMs = performance.now();
      await phone.hangUp();
      const answered = await trunk.hangUp();
      return { answer: answered, waitedMs: performance.now() - sinceMs };
    });

    expect(statusOf(answer)).toBe(200);
    expect(call.trunk.dialog.problems).toEqual([]);
    expect(fates(call)).toContain('!call-ended');
  });
});

test('a BYE to the side that pressed waits for nothing', async () => {
  const call = await openCall();
  const { phone, trunk } = call;
  // They take longer to play than this takes on a machine that is held up.
  await phone.keypad.reportRaw(TWENTY_KEYS.repeat(3));
  await trunk.hangUp();
  await phone.waitForEnd();
  await waitFor('end of the call', () => call.stage.running.sbc.calls.size === 0);

  expect(fates(call)).toContain('!call-ended');
});

describe('a key that the caller still holds', () => {
  test('is ended for the callee when the caller hangs up', async () => {
    const { caller, callee } = await holding();
    await caller.hangUp();
    await callee.dialog.waitForEnd();
    await lastEventEnded(callee);
    await callee.rtp.close();

    expect(endsOf(callee)).toEqual(['5: 3']);
    expect(callee.eventProblems()).toEqual([]);
  });

  test('is ended for the callee when that puts the caller on hold', async () => {
    const { caller, callee } = await holding();
    const held = await callee.reinvite('sendonly');
    await lastEventEnded(callee);
    await caller.hangUp();
    await callee.waitForEnd();

    expect(statusOf(held)).toBe(200);
    expect(endsOf(callee)).toEqual(['5: 3']);
    expect(callee.eventProblems()).toEqual([]);
  });
});
