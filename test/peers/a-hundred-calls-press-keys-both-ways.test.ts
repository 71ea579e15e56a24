/**
 * A hundred calls at once between a KPML phone and a telephone-event trunk, and in each of them both ends press keys
 * at the same time.
 *
 *   phone                      SBC                    trunk
 *     | NOTIFY "1", "2", …      | event 1, event 2, …   |
 *     |------------------------>|======================>|   × 100, each key once and in order
 *     |<------------------------|<======================|
 */
import { expect, test } from 'vitest';
import { ledgerLines, openStage } from '../support/digit-call.ts';
import type { Stage } from '../support/digit-call.ts';
import type { KpmlPhoneCall } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { methodOf } from '../support/sip-text.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

const CALLS = 100;
/** Calls that are being set up at a time. */
const PARALLEL = 10;
const KEYS = '0123456789*#ABCD';
const KEYS_PER_END = 4;
const PATIENCE_MS = 40_000;
/** Longer than a double key would take to arrive. */
const SETTLE_MS = 400;

interface Ends {
  readonly number: string;
  readonly phone: KpmlPhoneCall;
  readonly trunk: TrunkCall;
}

checkLeaksAfterEach();

test('no key is lost, doubled or out of order', { timeout: 120_000 }, async () => {
  const stage = await openStage({ mediaPorts: 2 * CALLS });
  const calls = await connectAll(stage);
  const pressed = calls.map(({ phone, trunk }, index) => {
    const keys = { phone: keysOf(index), trunk: keysOf(index + CALLS) };
    const pressing = Promise.all([phone.press(keys.phone, 170), trunk.press(keys.trunk)]);
    return { ...keys, pressing };
  });
  await Promise.all(pressed.map(({ pressing }) => pressing));
  await Promise.all(
    calls.flatMap(({ phone, trunk }) => [
      trunk.waitForDigits(KEYS_PER_END, PATIENCE_MS),
      phone.listener.waitForDigits(KEYS_PER_END, PATIENCE_MS),
    ]),
  );
  await sleep(SETTLE_MS);

  expect(calls.map(({ trunk }) => trunk.digits)).toEqual(pressed.map(({ phone }) => phone));
  expect(calls.map(({ phone }) => phone.listener.digits)).toEqual(
    pressed.map(({ trunk }) => trunk),
  );
  expect(
    calls.flatMap(({ phone, trunk }) => [...phone.problems(), ...trunk.dialog.problems]),
  ).toEqual([]);
  const ledger = (): string[] => ledgerLines(stage.running.sbc.ledger.list({}));
  await waitFor('the fate of every key', () => ledger().every((line) => !line.endsWith('-> ')));
  expect(ledger()).toHaveLength(2 * CALLS * KEYS_PER_END);
  expect(ledger().filter((line) => !/ (?:notify -> rtp|rtp -> notify 200)$/.test(line))).toEqual(
    [],
  );

  await Promise.all(calls.map(({ phone }) => phone.hangUp()));
  await waitFor('end of the calls', () => stage.running.sbc.calls.size === 0);
});

/** Four keys, different from call to call; in every second call the last is pressed twice running. */
function keysOf(index: number): string {
  const [first, second, third] = [index, index * 3 + 1, index * 7 + 2].map((at) => KEYS[at % 16]);
  return `${first}${second}${third}${index % 2 === 0 ? third : first}`;
}

async function connectAll(stage: Stage): Promise<Ends[]> {
  const answered = new Map<string, TrunkCall>();
  const answering = Promise.all(
    Array.from({ length: CALLS }, async () => {
      const trunk = await stage.trunk.answer({ timeoutMs: PATIENCE_MS });
      answered.set(numberOf(trunk), trunk);
    }),
  );
  const numbers = Array.from({ length: CALLS }, (_, index) => `555${index}`);
  const waiting = numbers.values();
  const calls: Ends[] = [];
  const placeNext = async (): Promise<void> => {
    for (const number of waiting) {
      const phone = await stage.phone.call({ to: number, via: stage.running.access });
      const trunk = await waitFor(`answer of ${number}`, () => answered.get(number));
      calls.push({ number, phone, trunk });
      await Promise.all([phone.waitForAudio(), trunk.waitForAudio()]);
      // The stream of every call has begun; ten thousand packets a second are of no use here.
      for (const { rtp } of [phone, trunk]) rtp.stopAudio();
      await phone.listen();
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, placeNext));
  await answering;
  return calls;
}

function numberOf(trunk: TrunkCall): string {
  const invite = trunk.remoteMessage;
  const number = /^INVITE sip:([^@]+)@/.exec(invite.startLine)?.[1];
  if (number === undefined) throw new Error(`${methodOf(invite)} without a number`);
  return number;
}
