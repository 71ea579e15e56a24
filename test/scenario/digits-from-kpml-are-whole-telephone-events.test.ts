/**
 * Rows E01 to E07 and E15: what a key of a KPML phone is in the RTP of a trunk.
 *
 *   phone                           SBC                        trunk
 *     |== audio 1 2 3 4 ============>|== audio 1 2 3 4 ============>|
 *     | NOTIFY digits="5"            |                              |
 *     |----------------------------->|                              |
 *     |== audio 5 6 7 8 9 10 11 ====>|== event M . . . E E E ======>|   numbers 5 to 11, one timestamp
 *     |== audio 12 13 ==============>|== audio 12 13 =============>|   as the phone sent them
 */
import { describe, expect, test } from 'vitest';
import { moreAudio, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import type { DigitCall } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { ReceivedEvent } from '../support/rtp-analysis.ts';
import { TIMESTAMP_MODULUS, wrapDistance } from '../support/rtp-packet.ts';
import type { RecordedPacket } from '../support/rtp-peer.ts';
import { waitFor } from '../support/wait-for.ts';

/** Short keys, so that many fit into a test: 40 ms tone, 40 ms pause. */
const openBrisk = shareSbc({
  core: { 'rfc2833-mode': 'preferred', 'dtmf-duration-ms': '40', 'dtmf-gap-ms': '40' },
});
const open = shareSbc();

checkLeaksAfterEach();

/** Audio that reached the trunk and is not, bit for bit, a packet of the phone. */
function changedAudio(call: DigitCall): RecordedPacket[] {
  const { phone, trunk } = call;
  const sent = new Map(phone.rtp.sent.map((packet) => [packet.sequenceNumber, packet]));
  return trunk.rtp.received
    .filter((packet) => packet.payloadType === 0)
    .filter((packet) => {
      const original = sent.get(packet.sequenceNumber);
      return (
        original?.timestamp !== packet.timestamp ||
        original.ssrc !== packet.ssrc ||
        !original.payload.equals(packet.payload)
      );
    });
}

/** Whether no packet came later than two frames behind the one before. */
function keepsTime(packets: readonly RecordedPacket[]): boolean {
  return packets.every(({ atMs }, index) => atMs - (packets[index - 1]?.atMs ?? atMs) <= 40);
}

/** Ticks from the end of each event to the start of the next. */
function pauses(events: readonly ReceivedEvent[]): number[] {
  return events.slice(1).map((event, index) => {
    const before = events[index];
    const last = before?.reports.at(-1)?.durationTicks ?? 0;
    return wrapDistance(before?.timestamp ?? 0, event.timestamp, TIMESTAMP_MODULUS) - last;
  });
}

describe('a key of a KPML phone', () => {
  test('replaces audio for its length, and the audio after it is the phone’s again', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await moreAudio(trunk, 5);
    await phone.press('5');
    await trunk.waitForDigits(1);
    const last = (): RecordedPacket[] => trunk.rtp.received.slice(-7);
    await waitFor('audio of the phone alone', () => {
      const others = changedAudio(call);
      return last().every((packet) => packet.payloadType === 0 && !others.includes(packet));
    });
    const problems = await call.finish();

    const [event] = trunk.events;
    const reports = event?.reports ?? [];
    const updates = reports.filter((report) => !report.isEnd);
    const ends = reports.filter((report) => report.isEnd);
    expect(problems).toEqual([]);
    expect(event).toMatchObject({ digit: '5', ssrc: phone.rtp.ssrc });
    // Four updates, 20 ms apart, where the machine keeps time; never before the start or after the end.
    const durations = updates.map((report) => report.durationTicks);
    expect(durations.length).toBeGreaterThan(0);
    expect(durations).toEqual(durations.toSorted((a, b) => a - b));
    expect(durations[0]).toBe(160);
    expect(durations.at(-1)).toBeLessThanOrEqual(ends[0]?.durationTicks ?? 0);
    expect(new Set(ends.map((report) => report.durationTicks))).toEqual(new Set([800]));
    expect(ends.length).toBeGreaterThanOrEqual(3);
    expect(new Set(reports.map((report) => report.volume))).toEqual(new Set([10]));
    expect(reports.map((report) => report.packet.marker)).toEqual(
      reports.map((_report, index) => index === 0),
    );
    // Numbers and timestamps after the event are the phone's: the offset is back at 0.
    const after = last();
    const changed = changedAudio(call);
    expect(after.map((packet) => packet.payloadType)).toEqual(Array(7).fill(0));
    // Where the machine has stalled the way back is longer: that it ends is all there is to say.
    const { received } = trunk.rtp;
    expect(changed.length).toBeLessThanOrEqual(keepsTime(received) ? 3 : received.length);
    expect(changed.filter((packet) => after.includes(packet))).toEqual([]);
  });

  test('is one of ten back to back: ten timestamps, in order, with pauses between', async () => {
    const stage = await openBrisk();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.keypad.waitForSubscription();
    await phone.keypad.reportRaw('1223334444');
    await trunk.waitForDigits(10);
    await moreAudio(trunk, 8);
    const problems = await call.finish();

    const { events } = trunk;
    expect(problems).toEqual([]);
    expect(trunk.digits).toBe('1223334444');
    expect(new Set(events.map((event) => event.timestamp)).size).toBe(10);
    expect(Math.min(...pauses(events))).toBeGreaterThanOrEqual(40 * 8);
    expect(
      trunk.eventProblems({ durationMs: 40 }).filter((text) => text.includes('lasts')),
    ).toEqual([]);
    expect(call.ledger).toEqual(
      '1223334444'.split('').map((digit) => `caller-to-callee ${digit} notify -> rtp`),
    );
  });

  test('is played before any audio came, and the audio follows', async () => {
    const stage = await open();

    const [phone, trunk] = await Promise.all([
      stage.phone.call({ to: '5551000', via: stage.running.access }).then((call) => {
        call.rtp.stopAudio();
        return call;
      }),
      stage.trunk.answer(),
    ]);
    await phone.press('0');
    await trunk.waitForDigits(1);
    const beforeAudio = trunk.rtp.received.length;
    phone.rtp.startAudio();
    await moreAudio(trunk, 5);
    await phone.hangUp();
    await trunk.waitForEnd();

    expect(trunk.digits).toBe('0');
    expect(trunk.eventProblems({ durationMs: 100 })).toEqual([]);
    expect(trunk.rtp.received.slice(0, beforeAudio).every((p) => p.payload.length === 4)).toBe(
      true,
    );
    const audio = trunk.rtp.received.slice(beforeAudio).filter((p) => p.payloadType === 0);
    expect(audio.length).toBeGreaterThanOrEqual(5);
    expect(phone.problems()).toEqual([]);
  });

  test('is not sent when the trunk’s fmtp leaves it out (A31)', async () => {
    const stage = await open({
      trunkOptions: {
        rewriteSent: (message) => ({
          ...message,
          body: message.body.replace(/^(a=fmtp:101) 0-15/m, '$1 0-9'),
        }),
      },
    });

    const call = await phoneCallsTrunk(stage);
    await call.phone.press('#1');
    await call.trunk.waitForDigits(1);
    await waitFor('the fate of both keys', () => call.ledger.length === 2);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(call.trunk.digits).toBe('1');
    expect(call.ledger).toEqual([
      'caller-to-callee # notify -> !event-not-negotiated',
      'caller-to-callee 1 notify -> rtp',
    ]);
  });
});
