/**
 * Rows E04, E05 and E12: a key pressed before the phone sends audio begins a stream, and everything after it is in it.
 *
 *   phone                           SBC                        trunk
 *     | NOTIFY digits="0"            |                              |
 *     |----------------------------->|== event M . . . E E E ======>|   SSRC x, numbers 1 to 7
 *     |== audio, SSRC p, 700 701 ===>|== audio, SSRC x, 8 9 =======>|   in real time
 *     | NOTIFY digits="1"            |                              |
 *     |----------------------------->|== event, SSRC x ============>|
 *     |== RTCP about SSRC p ========>|== RTCP about SSRC x ========>|   and back
 */
import { expect, test } from 'vitest';
import { moreAudio, shareSbc } from '../support/digit-call.ts';
import type { Stage } from '../support/digit-call.ts';
import type { KpmlPhoneCall } from '../support/kpml-phone.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { isStall, RELAYED_EVENTS } from '../support/rtp-analysis.ts';
import { buildRtp, TIMESTAMP_MODULUS, wrapDistance } from '../support/rtp-packet.ts';
import type { RecordedPacket, RtpPeerOptions } from '../support/rtp-peer.ts';
import { waitFor } from '../support/wait-for.ts';

interface MutedCall {
  readonly phone: KpmlPhoneCall;
  readonly trunk: TrunkCall;
  /** When the first key was pressed. */
  readonly pressedAtMs: number;
}

const open = shareSbc();

checkLeaksAfterEach();

/** A call whose phone sends no audio yet, and has had its first key played. */
async function keyBeforeAudio(
  { phone, trunk, running }: Stage,
  rtp: RtpPeerOptions = {},
): Promise<MutedCall> {
  const [phoneCall, trunkCall] = await Promise.all([
    phone.call({ to: '5551000', via: running.access, rtp }).then((call) => {
      call.rtp.stopAudio();
      return call;
    }),
    trunk.answer(),
  ]);
  await phoneCall.press('0');
  await trunkCall.waitForDigits(1);
  const [pressed] = phoneCall.keypad.pressed;
  return { phone: phoneCall, trunk: trunkCall, pressedAtMs: pressed?.atMs ?? 0 };
}

async function end({ phone, trunk }: MutedCall): Promise<string[]> {
  await phone.hangUp();
  await trunk.waitForEnd();
  const events = trunk.eventProblems(RELAYED_EVENTS).filter((problem) => !isStall(problem));
  return [...phone.problems(), ...trunk.dialog.problems, ...events];
}

function audioOf({ rtp }: TrunkCall): RecordedPacket[] {
  return rtp.received.filter((packet) => packet.payloadType === 0);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

/** A sender report with 5 packets sent. */
function senderReport(ssrc: number, timestamp: number): Buffer {
  return words(0x80c8_0006, ssrc, 1, 2, timestamp, 5, 800);
}

/** A receiver report about `ssrc`, received up to `highest`. */
function receiverReport(ssrc: number, highest: number): Buffer {
  return words(0x81c9_0007, 77, ssrc, 0, highest, 0, 0, 0);
}

test.each([0, 65_533])(
  'audio from number %i on and the next keys are in the stream of the first',
  async (number) => {
    const call = await keyBeforeAudio(await open(), { firstSequenceNumber: number });
    const { phone, trunk } = call;
    const digitPackets = trunk.rtp.received.length;
    const startedAtMs = performance.now();
    phone.rtp.startAudio();
    await moreAudio(trunk, 8);
    await phone.press('12');
    await trunk.waitForDigits(3);
    await moreAudio(trunk, 8);
    const problems = await end(call);

    expect(problems).toEqual([]);
    expect(trunk.digits).toBe('012');
    // One SSRC, every number once, timestamps in real time and on the raster of the phone's.
    expect(trunk.audioProblems()).toEqual([]);
    const [first] = trunk.rtp.received;
    const [audio] = audioOf(trunk);
    if (first === undefined || audio === undefined) throw new Error('nothing arrived');
    expect(trunk.rtp.received[digitPackets]).toBe(audio);
    expect(audio.marker).toBe(true);
    expect(audio.payload).toEqual(phone.rtp.sent[0]?.payload);
    const apartMs = wrapDistance(first.timestamp, audio.timestamp, TIMESTAMP_MODULUS) / 8;
    // The key was played between the press and its arrival, the audio between start and arrival.
    expect(apartMs).toBeGreaterThan(startedAtMs - first.atMs - 100);
    expect(apartMs).toBeLessThan(audio.atMs - call.pressedAtMs + 100);
  },
);

test('a new SSRC of the phone is carried on in the same stream', async () => {
  const call = await keyBeforeAudio(await open());
  const { phone, trunk } = call;
  phone.rtp.startAudio();
  await moreAudio(trunk, 5);
  phone.rtp.stopAudio();
  for (let index = 0; index < 5; index++) {
    const fields = { payloadType: 0, marker: index === 0, ssrc: 4711, payload: Buffer.alloc(160) };
    const numbers = { sequenceNumber: 40_000 + index, timestamp: index * 160 };
    phone.rtp.sendRaw(buildRtp({ ...fields, ...numbers }));
    await moreAudio(trunk, 1);
  }
  await phone.press('1');
  await trunk.waitForDigits(2);
  const problems = await end(call);

  expect(problems).toEqual([]);
  expect(trunk.digits).toBe('01');
  // The new source's time joins where the stream is then, not on the raster of the one before.
  expect(trunk.audioProblems().filter((problem) => !problem.includes('raster'))).toEqual([]);
  expect(audioOf(trunk).filter((packet) => packet.marker)).toHaveLength(2);
});

test('RTCP has the names, times and counts of the RTP beside it, both ways', async () => {
  const call = await keyBeforeAudio(await open());
  const { phone, trunk } = call;
  const before = trunk.rtp.received.length;
  phone.rtp.startAudio();
  await moreAudio(trunk, 5);
  const [sent] = phone.rtp.sent;
  const [audio] = audioOf(trunk);
  if (sent === undefined || audio === undefined) throw new Error('nothing arrived');
  phone.rtp.sendRtcp(senderReport(sent.ssrc, sent.timestamp));
  trunk.rtp.sendRtcp(receiverReport(audio.ssrc, audio.sequenceNumber));
  const [atTrunk, atPhone] = await Promise.all([
    waitFor('sender report', () => trunk.rtp.receivedRtcp[0]),
    waitFor('receiver report', () => phone.rtp.receivedRtcp[0]),
  ]);
  const problems = await end(call);

  // Four octets in each packet of the key.
  const [packets, octets] = [5 + before, 800 + before * 4];
  const counted = words(0x80c8_0006, audio.ssrc, 1, 2, audio.timestamp, packets, octets);
  expect(problems).toEqual([]);
  expect(atTrunk).toEqual(counted);
  expect(atPhone).toEqual(receiverReport(sent.ssrc, sent.sequenceNumber));
});
