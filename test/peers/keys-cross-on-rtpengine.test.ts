/**
 * A KPML phone and a telephone-event trunk in one call, whose media rtpengine carries; each hears the other's keys once,
 * in order.
 *
 *   phone                   SBC       rtpengine           trunk
 *     |-- NOTIFY "5" -------->|- play DTMF ->|== event 5 ==>|
 *     |<-- NOTIFY "7" --------|<-- report ---|<== event 7 ==|
 */

import { describe, expect, test } from 'vitest';
import { moreAudio, openStage, phoneCallsTrunk, trunkCallsPhone } from '../support/digit-call.ts';
import type { DigitCall, StageOptions } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import {
  eventProblems,
  receivedEvents,
  RELAYED_EVENTS,
  streamProblems,
} from '../support/rtp-analysis.ts';
import { SEQUENCE_MODULUS, wrapDistance } from '../support/rtp-packet.ts';
import type { RecordedPacket } from '../support/rtp-peer.ts';
import { canRunRtpengine } from '../support/rtpengine-daemon.ts';
import { rtpengineStage } from '../support/rtpengine-stage.ts';
import { sleep } from '../support/wait-for.ts';

const ALL_KEYS = '0123456789*#ABCD';
/** Longer than a double key would take to arrive. */
const SETTLE_MS = 800;
/** Some may still be under way when later ones are there. */
const HELD_BACK_PACKETS = 20;
/** What a machine that stalls does to a call. */
const STALL = /strays by -?\d+ ms$|the duration does not rise in packet \d+$/;
/** Of the clock of a stream; more than the longest digit. */
const TOLERANCE_MS = 2000;

checkLeaksAfterEach();

describe.skipIf(!canRunRtpengine)('on rtpengine', () => {
  describe.each([
    ['the phone calls the trunk', phoneCallsTrunk],
    ['the trunk calls the phone', trunkCallsPhone],
  ] as const)('%s', (_name, connect) => {
    test.each<[string, StageOptions]>([
      ['telephone-event 101', {}],
      ['telephone-event 96', { trunkOptions: { eventPayloadType: 96 } }],
    ])('all keys both ways at once, a trunk with %s', async (_trunk, options) => {
      const { edit } = await rtpengineStage();
      const call = await withAudio(connect(await openStage({ ...options, edit })));
      await call.phone.listen();
      await Promise.all([call.phone.press(ALL_KEYS, 170), call.trunk.press(ALL_KEYS)]);
      await Promise.all([call.trunk.waitForDigits(16), call.phone.listener.waitForDigits(16)]);
      await sleep(SETTLE_MS);
      await Promise.all([call.phone, call.trunk].map((end) => moreAudio(end, HELD_BACK_PACKETS)));
      expect(call.trunk.digits).toBe(ALL_KEYS);
      expect(call.phone.listener.digits).toBe(ALL_KEYS);
      const problems = problemsOf(call);
      await call.finish();
      expect(problems).toEqual([]);
      expect(call.ledger).toHaveLength(32);
      expect(call.ledger.filter((line) => line.includes('!'))).toEqual([]);
    });
  });
});

async function withAudio(connecting: Promise<DigitCall>): Promise<DigitCall> {
  const call = await connecting;
  await Promise.all([call.phone.waitForAudio(), call.trunk.waitForAudio()]);
  return call;
}

/**
 * What went wrong at either end. rtpengine holds audio back behind a digit, and may send packets out of order when it is
 * short of processor time; none may be missing or differ.
 */
function problemsOf({ phone, trunk }: DigitCall): string[] {
  const eventPayloadType = trunk.localEventPayloadType ?? -1;
  const atPhone = inOrder(phone.rtp.received).slice(0, -HELD_BACK_PACKETS);
  const atTrunk = inOrder(trunk.rtp.received).slice(0, -HELD_BACK_PACKETS);
  return [
    ...phone.problems(),
    ...streamProblems(atPhone, { clockToleranceMs: TOLERANCE_MS }),
    ...streamProblems(atTrunk, { eventPayloadType, clockToleranceMs: TOLERANCE_MS }),
    ...receivedEvents(atTrunk, eventPayloadType).flatMap((event) =>
      eventProblems(event, { durationMs: 120, ...RELAYED_EVENTS }),
    ),
  ].filter((problem) => !STALL.test(problem));
}

function inOrder(packets: readonly RecordedPacket[]): RecordedPacket[] {
  const [first] = packets;
  const place = ({ sequenceNumber }: RecordedPacket): number =>
    wrapDistance(first?.sequenceNumber ?? 0, sequenceNumber, SEQUENCE_MODULUS);
  return packets.toSorted((one, other) => place(one) - place(other));
}
