/** What a recording of received RTP says: which keys arrived, whether each was well formed, whether audio is whole. */

import {
  KEYS,
  parseEvent,
  SEQUENCE_MODULUS,
  TIMESTAMP_MODULUS,
  wrapDistance,
} from './rtp-packet.ts';
import type { EventFields } from './rtp-packet.ts';
import type { RecordedPacket } from './rtp-peer.ts';

const FRAME_TICKS = 160;
const TICKS_PER_MS = 8;
/** Packets that follow sooner came in a burst. */
const BURST_MS = 5;
/** After so much audio some of it has come without delay. */
const SETTLED_PACKETS = 25;

export interface EventReport extends EventFields {
  readonly packet: RecordedPacket;
}

/** All packets of one key press: same SSRC, timestamp and event code. */
export interface ReceivedEvent {
  readonly ssrc: number;
  readonly timestamp: number;
  readonly eventCode: number;
  /** The key, or `?` for codes above 15. */
  readonly digit: string;
  readonly reports: EventReport[];
}

/** Groups the packets of payload type `eventPayloadType` into key presses, in order of their first packet. */
export function receivedEvents(
  packets: readonly RecordedPacket[],
  eventPayloadType: number,
): ReceivedEvent[] {
  const events = new Map<string, ReceivedEvent>();
  for (const packet of packets) {
    if (packet.payloadType !== eventPayloadType) continue;
    const fields = parseEvent(packet.payload);
    if (fields === undefined) continue;
    const { ssrc, timestamp } = packet;
    const { eventCode } = fields;
    const key = `${ssrc} ${timestamp} ${eventCode}`;
    const digit = KEYS[eventCode] ?? '?';
    const event = events.get(key) ?? { ssrc, timestamp, eventCode, digit, reports: [] };
    event.reports.push({ ...fields, packet });
    events.set(key, event);
  }
  return [...events.values()];
}

/** The keys that arrived, in order. */
export function receivedDigits(
  packets: readonly RecordedPacket[],
  eventPayloadType: number,
): string {
  return receivedEvents(packets, eventPayloadType)
    .map((event) => event.digit)
    .join('');
}

export interface EventExpectation {
  /** Tone length every event must have, within one report interval. */
  readonly durationMs?: number;
  readonly endPackets?: number;
  /**
   * Most end packets, default the same. A relay that shares one sequence with audio may repeat the last one; then those
   * that came in a burst are not counted.
   */
  readonly mostEndPackets?: number;
}

/**
 * For keys that a relay puts into running audio: it fills places of swallowed audio with end packets, three when all
 * goes well, more when the machine stalled and audio came in a burst.
 */
export const RELAYED_EVENTS: EventExpectation = { endPackets: 3, mostEndPackets: 30 };

/** Everything that is irregular about one received key press (RFC 4733 §2.5.1); empty when it is perfect. */
export function eventProblems(event: ReceivedEvent, expected: EventExpectation = {}): string[] {
  const problems: string[] = [];
  const { reports } = event;
  const { endPackets = 3, mostEndPackets = endPackets } = expected;
  const ends = reports.filter((report) => report.isEnd);
  const markers = reports.map((report) => report.packet.marker);
  if (markers[0] !== true) problems.push('the first packet has no marker');
  if (markers.slice(1).includes(true)) problems.push('a later packet has the marker');
  const mostCounted = expected.mostEndPackets === undefined ? ends.length : pacedCount(ends);
  if (ends.length < endPackets || mostCounted > mostEndPackets)
    problems.push(`${ends.length} end packets, not ${endPackets}`);
  if (reports.slice(0, -ends.length || undefined).some((report) => report.isEnd)) {
    problems.push('an end packet is followed by an update');
  }
  if (new Set(ends.map((report) => report.durationTicks)).size > 1) {
    problems.push('the end packets differ in duration');
  }
  for (const [index, report] of reports.entries()) {
    const before = reports[index - 1];
    if (report.durationTicks === 0) problems.push(`duration 0 in packet ${index}`);
    if (before === undefined) continue;
    const growth = report.durationTicks - before.durationTicks;
    if (growth < 0) problems.push(`the duration falls in packet ${index}`);
    if (growth === 0 && !(report.isEnd && before.isEnd)) {
      problems.push(`the duration does not rise in packet ${index}`);
    }
    const step = sequenceStep(before.packet, report.packet);
    if (step !== 1) problems.push(`the sequence number steps by ${step} in packet ${index}`);
  }
  const toneMs = (ends[0]?.durationTicks ?? 0) / TICKS_PER_MS;
  if (expected.durationMs !== undefined && Math.abs(toneMs - expected.durationMs) > 20) {
    problems.push(`the tone lasts ${toneMs} ms, not ${expected.durationMs} ms`);
  }
  return problems.map((problem) => `key ${event.digit} at ${event.timestamp}: ${problem}`);
}

/** How many of them did not come in one go with the one before. */
function pacedCount(reports: readonly EventReport[]): number {
  const times = reports.map(({ packet }) => packet.atMs);
  return times.filter((atMs, index) => atMs - (times[index - 1] ?? -Infinity) >= BURST_MS).length;
}

export interface StreamExpectation {
  readonly audioPayloadType?: number;
  readonly eventPayloadType?: number;
  /** Most that the stream's clock may stray from the clock of arrival for good; a late packet alone is no fault. */
  readonly clockToleranceMs?: number;
}

/**
 * Everything irregular about one direction as a whole: changes of SSRC, holes and re-use in the sequence numbers,
 * unknown payload types, audio timestamps that go back, leave the frame raster or stray from real time.
 * A stream that is late for a while and catches up has met a machine that stalls, not a wrong clock.
 */
export function streamProblems(
  packets: readonly RecordedPacket[],
  expected: StreamExpectation = {},
): string[] {
  const { audioPayloadType = 0, eventPayloadType, clockToleranceMs = 150 } = expected;
  const problems: string[] = [];
  let lastAudio: RecordedPacket | undefined;
  for (const [index, packet] of packets.entries()) {
    const before = packets[index - 1];
    const name = `packet ${index} (seq ${packet.sequenceNumber})`;
    if (before !== undefined) {
      if (packet.ssrc !== before.ssrc) problems.push(`${name} has another SSRC`);
      const step = sequenceStep(before, packet);
      if (step !== 1) problems.push(`${name} steps by ${step}`);
    }
    if (packet.payloadType === audioPayloadType) {
      if (lastAudio !== undefined) {
        problems.push(...audioProblems(lastAudio, packet).map((p) => `${name} ${p}`));
      }
      lastAudio = packet;
    } else if (packet.payloadType !== eventPayloadType) {
      problems.push(`${name} has payload type ${packet.payloadType}`);
    }
  }
  const audio = packets.filter(({ payloadType }) => payloadType === audioPayloadType);
  return [...problems, ...clockProblems(audio, clockToleranceMs)];
}

/**
 * What a machine that stalls does to a call, and no fault of the SBC: audio that ends late by some seconds, and
 * updates of an event that repeat a duration because audio came in a burst.
 */
export function isStall(problem: string): boolean {
  return /strays by -\d{1,4} ms$|the duration does not rise in packet \d+$/.test(problem);
}

/**
 * Where the stream's clock shifts against the clock of arrival: the least delay of all packets from there on differs
 * from the least delay before. Undelayed packets tell the clocks apart, delayed ones do not.
 */
function clockProblems(audio: readonly RecordedPacket[], toleranceMs: number): string[] {
  const delaysMs = arrivalDelaysMs(audio);
  const leastAfter = [...delaysMs];
  for (let index = delaysMs.length - 2; index >= 0; index -= 1) {
    leastAfter[index] = Math.min(delaysMs[index] ?? 0, leastAfter[index + 1] ?? 0);
  }
  let leastBefore = delaysMs[0] ?? 0;
  for (const [index, delayMs] of delaysMs.entries()) {
    // Early against packets that may all have been held up says nothing yet.
    const earlyMs = index < SETTLED_PACKETS ? 0 : leastBefore - delayMs;
    const shiftMs = Math.min(0, leastBefore - (leastAfter[index] ?? 0)) + Math.max(0, earlyMs);
    if (Math.abs(shiftMs) > toleranceMs) {
      return [
        `packet ${index} (seq ${audio[index]?.sequenceNumber}) strays by ${Math.round(shiftMs)} ms`,
      ];
    }
    leastBefore = Math.min(leastBefore, delayMs);
  }
  return [];
}

/** How much later than the first packet each one came, by its own timestamp. */
function arrivalDelaysMs(audio: readonly RecordedPacket[]): number[] {
  let streamMs = 0;
  return audio.map((packet, index) => {
    const before = audio[index - 1] ?? packet;
    streamMs += wrapDistance(before.timestamp, packet.timestamp, TIMESTAMP_MODULUS) / TICKS_PER_MS;
    return packet.atMs - (audio[0]?.atMs ?? 0) - streamMs;
  });
}

function audioProblems(before: RecordedPacket, packet: RecordedPacket): string[] {
  const ticks = wrapDistance(before.timestamp, packet.timestamp, TIMESTAMP_MODULUS);
  if (ticks <= 0) return [`goes back by ${-ticks} ticks`];
  return ticks % FRAME_TICKS === 0 ? [] : [`leaves the frame raster (${ticks} ticks)`];
}

function sequenceStep(before: RecordedPacket, packet: RecordedPacket): number {
  return wrapDistance(before.sequenceNumber, packet.sequenceNumber, SEQUENCE_MODULUS);
}
