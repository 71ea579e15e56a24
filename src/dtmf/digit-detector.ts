/**
 * Turns the redundant telephone-event packets of one RTP stream into single key presses.
 *
 * All reports of one press carry the same RTP timestamp; the last one is sent three times
 * (RFC 4733 §2.2.1, §2.5.1.4). Example at 50 ms per packet, 8 kHz:
 *
 *   timestamp  end  duration
 *        1000   0        400      pressed
 *        1000   0        800
 *        1000   1       1200      released
 *        1000   1       1200      (repeat, ignored)
 *        1000   1       1200      (repeat, ignored)
 *        3400   0        400      pressed (next one)
 *
 * What a packet means, first match counts; "known" is any of the last presses or segments:
 *
 *   packet                                                   meaning
 *   known (ssrc, timestamp, event), M, behind its E repeats  new press with a reused timestamp
 *   known (ssrc, timestamp, event)                           update, end or repeat of that press
 *   timestamp and sequence number older than the latest      late packet of an old press, ignored
 *   timestamp = segment + n * 0xFFFF, same event, no E yet   next segment of a long press (§2.5.1.3)
 *   E, no M, timestamp inside the last press, seq beside it  end packet with a moved timestamp
 *   same event within the merge window                       sender that moves every timestamp
 *   anything else                                            new press; a running one ends
 *
 *            packet of a new press              E, audio behind its end, 150 ms of
 *   idle ------------------------> pressed     silence, another press or SSRC
 *     ^                               |
 *     +------------- released --------+
 *
 * The marker bit is never needed. No timers inside: the caller passes `nowMs` and calls `expire`
 * at `expiresAtMs`.
 */

import { addSequence32, sequenceDistance16, sequenceDistance32 } from '../wire/sequence.ts';
import {
  digitOfEvent,
  FLASH_EVENT_CODE,
  isTelephoneEventPayload,
  MAX_DURATION_TICKS,
  readTelephoneEvent,
  TELEPHONE_EVENT_BYTES,
  type Digit,
} from '../wire/telephone-event.ts';

/** Silence that ends a press: three packet intervals of 50 ms (RFC 4733 §2.5.2.2). */
export const QUIET_MS = 150;

/** Presses and segments remembered; late repeats come at most a few events later. */
const HISTORY_LENGTH = 16;

/** More blocks than this in one packet is no keypad; each block costs a history entry. */
const MAX_BLOCKS = 8;

/** The end packet and its two repeats: a marker behind them is a new press. */
const END_PACKETS = 3;

/** A sequence number further back than this is a restarted stream, not reordering (RFC 3550 §A.1). */
const MAX_MISORDER = 100;

/** How far beside the press the sequence number of a moved end packet may be. */
const MOVED_END_REACH = 5;
/** The last repeats of a press follow so closely behind a press that overtook them. */
const LAST_REPEATS_REACH = 10;

/** How far a stated duration may run ahead of the arrival times: five lost packets of 50 ms. */
const DURATION_SLACK_MS = 250;

export interface DetectorOptions {
  /** Clock of the event durations, ticks per second, where a packet does not say. */
  readonly clockRate: number;
  /** Count E-only packets with a timestamp inside the press before them as its repeats. */
  readonly repairMovedEnd: boolean;
  /** Merge the same event within this time into one press; 0 is off. */
  readonly mergeWindowMs: number;
}

export interface EventPacket {
  readonly ssrc: number;
  readonly sequenceNumber: number;
  readonly rtpTimestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
  /** Clock of the durations in this packet; that of the options when absent. */
  readonly clockRate?: number | undefined;
}

interface DetectorOutputFields {
  readonly digit: Digit | 'R';
  readonly eventCode: number;
  readonly ssrc: number;
  /** Of the first segment: the same in `pressed` and `released`. */
  readonly rtpTimestamp: number;
  readonly atMs: number;
}

export type DetectorOutput =
  | ({ readonly type: 'pressed' } & DetectorOutputFields)
  | ({ readonly type: 'released'; readonly durationMs: number } & DetectorOutputFields);

/** One block of a packet, with the timestamp it stands for. */
interface Report {
  readonly code: number;
  readonly timestamp: number;
  readonly durationTicks: number;
  readonly isEnd: boolean;
  readonly packet: EventPacket;
}

/** One press; several history entries may point to it (segments, moved timestamps). */
interface Press {
  readonly digit: Digit | 'R';
  readonly code: number;
  readonly ssrc: number;
  readonly firstTimestamp: number;
  readonly startedAtMs: number;
  readonly clockRate: number;
  /** Start of the running segment. */
  segmentTimestamp: number;
  /** Ticks of the segments before the running one. */
  earlierTicks: number;
  durationTicks: number;
  /** Growth between the last two updates, a measure of the packet interval. */
  stepTicks: number;
  lastAtMs: number;
  lastSequenceNumber: number;
  /** Sequence number of the first E packet; `undefined` while none was seen. */
  endSequenceNumber: number | undefined;
}

interface HistoryEntry {
  readonly timestamp: number;
  readonly press: Press;
}

export class DigitDetector {
  readonly #options: DetectorOptions;
  /** Newest last. */
  readonly #history: HistoryEntry[] = [];
  /** The press that has not been released yet. */
  #running: Press | undefined;
  /** The press reported last, running or not. */
  #latest: Press | undefined;

  constructor(options: DetectorOptions) {
    this.#options = options;
  }

  /** Whether a press has begun and not been released. */
  get isPressed(): boolean {
    return this.#running !== undefined;
  }

  /** When `expire` wants to be called; `undefined` when no press is running. */
  get expiresAtMs(): number | undefined {
    return this.#running === undefined ? undefined : this.#running.lastAtMs + QUIET_MS;
  }

  /** Takes one telephone-event packet; payloads that are no event reports give nothing. */
  receive(packet: EventPacket, nowMs: number): DetectorOutput[] {
    const { payload } = packet;
    if (!isTelephoneEventPayload(payload)) return [];
    if (payload.length > MAX_BLOCKS * TELEPHONE_EVENT_BYTES) return [];
    const outputs: DetectorOutput[] = [];
    let timestamp = packet.rtpTimestamp;
    let offset = 0;
    let event = readTelephoneEvent(payload, offset);
    while (event !== undefined) {
      const { code, durationTicks } = event;
      offset += TELEPHONE_EVENT_BYTES;
      // A block with another one behind it is over: the next begins where it ends (RFC 4733 §2.5.1.5).
      const isEnd = event.isEnd || offset < payload.length;
      // Duration 0 is for states, which no digit is (§2.3.5).
      if (durationTicks > 0) {
        this.#receiveReport({ code, timestamp, durationTicks, isEnd, packet }, nowMs, outputs);
      }
      timestamp = addSequence32(timestamp, durationTicks);
      event = readTelephoneEvent(payload, offset);
    }
    return outputs;
  }

  /** Takes the timestamp of an audio packet: one that lies behind the running press ends it. */
  audio(ssrc: number, rtpTimestamp: number, nowMs: number): DetectorOutput[] {
    const running = this.#running;
    if (running === undefined || running.ssrc !== ssrc) return [];
    // One packet interval of grace: some senders send audio beside the event.
    const endTicks = running.durationTicks + running.stepTicks;
    if (sequenceDistance32(running.segmentTimestamp, rtpTimestamp) < endTicks) return [];
    return this.#releaseInto([], nowMs);
  }

  /** Ends a press that went silent; does nothing before `expiresAtMs`. */
  expire(nowMs: number): DetectorOutput[] {
    const dueMs = this.expiresAtMs;
    return dueMs === undefined || nowMs < dueMs ? [] : this.#releaseInto([], nowMs);
  }

  /** Ends a running press at once: the stream is going away. */
  finish(nowMs: number): DetectorOutput[] {
    return this.#releaseInto([], nowMs);
  }

  #receiveReport(report: Report, nowMs: number, outputs: DetectorOutput[]): void {
    const digit = report.code === FLASH_EVENT_CODE ? 'R' : digitOfEvent(report.code);
    if (digit === undefined) return;
    const known = this.#find(report);
    if (known !== undefined && !isReusedTimestamp(known, report)) {
      this.#update(known, report, nowMs, outputs);
      return;
    }
    if (known === undefined) {
      if (this.#isLate(report)) return;
      const press = this.#continued(report, nowMs);
      if (press !== undefined) {
        this.#remember({ timestamp: report.timestamp, press });
        this.#update(press, report, nowMs, outputs);
        return;
      }
    }
    this.#press(digit, report, nowMs, outputs);
  }

  /** The newest press that holds the report's (ssrc, timestamp, event). */
  #find(report: Report): Press | undefined {
    for (let index = this.#history.length - 1; index >= 0; index--) {
      const entry = this.#history[index];
      if (entry === undefined || entry.timestamp !== report.timestamp) continue;
      const { press } = entry;
      if (press.code === report.code && press.ssrc === report.packet.ssrc) return press;
    }
    return undefined;
  }

  #isLate(report: Report): boolean {
    const latest = this.#latest;
    if (latest === undefined || latest.ssrc !== report.packet.ssrc) return false;
    const steps = sequenceDistance16(latest.lastSequenceNumber, report.packet.sequenceNumber);
    if (sequenceDistance32(latest.firstTimestamp, report.timestamp) >= 0) return false;
    const isReordered = steps < 0 && steps >= -MAX_MISORDER;
    // The last repeats may go out behind the next press; without any other packet they come too late.
    const isOvertaken = !report.packet.marker && steps > 0 && steps <= LAST_REPEATS_REACH;
    return isReordered || isOvertaken;
  }

  /** The latest press when the report goes on with it under another timestamp. */
  #continued(report: Report, nowMs: number): Press | undefined {
    const latest = this.#latest;
    if (latest === undefined) return undefined;
    if (latest.code !== report.code || latest.ssrc !== report.packet.ssrc) return undefined;
    const ticks = sequenceDistance32(latest.segmentTimestamp, report.timestamp);
    const isSegment = ticks > 0 && ticks % MAX_DURATION_TICKS === 0;
    if (isSegment && latest.endSequenceNumber === undefined) {
      latest.earlierTicks += ticks;
      latest.segmentTimestamp = report.timestamp;
      latest.durationTicks = 0;
      return latest;
    }
    if (this.#options.repairMovedEnd && isMovedEnd(latest, report, ticks)) return latest;
    return nowMs - latest.lastAtMs < this.#options.mergeWindowMs ? latest : undefined;
  }

  #update(press: Press, report: Report, nowMs: number, outputs: DetectorOutput[]): void {
    const { packet } = report;
    if (sequenceDistance16(press.lastSequenceNumber, packet.sequenceNumber) > 0) {
      press.lastSequenceNumber = packet.sequenceNumber;
    }
    if (report.isEnd) press.endSequenceNumber ??= packet.sequenceNumber;
    // Merged packets count too, so that a sender which moves every timestamp stays one press.
    press.lastAtMs = nowMs;
    if (press !== this.#running) return;
    // Where the timestamp moves (merge window) it says more about the length than the duration does.
    const ticks = sequenceDistance32(press.segmentTimestamp, report.timestamp);
    const growth = (ticks === 0 ? report.durationTicks : ticks) - press.durationTicks;
    if (growth > 0) {
      press.stepTicks = growth;
      press.durationTicks += growth;
    }
    if (report.isEnd) this.#releaseInto(outputs, nowMs);
  }

  #press(digit: Digit | 'R', report: Report, nowMs: number, outputs: DetectorOutput[]): void {
    this.#releaseInto(outputs, nowMs);
    const { code, timestamp, durationTicks, packet } = report;
    const press: Press = {
      digit,
      code,
      ssrc: packet.ssrc,
      firstTimestamp: timestamp,
      startedAtMs: nowMs,
      clockRate: packet.clockRate ?? this.#options.clockRate,
      segmentTimestamp: timestamp,
      earlierTicks: 0,
      durationTicks,
      stepTicks: durationTicks,
      lastAtMs: nowMs,
      lastSequenceNumber: packet.sequenceNumber,
      endSequenceNumber: report.isEnd ? packet.sequenceNumber : undefined,
    };
    this.#running = press;
    this.#latest = press;
    this.#remember({ timestamp, press });
    outputs.push({ type: 'pressed', ...outputFields(press, nowMs) });
    if (report.isEnd) this.#releaseInto(outputs, nowMs);
  }

  #releaseInto(outputs: DetectorOutput[], nowMs: number): DetectorOutput[] {
    const press = this.#running;
    if (press === undefined) return outputs;
    this.#running = undefined;
    const statedMs = ((press.earlierTicks + press.durationTicks) * 1000) / press.clockRate;
    // Some senders state nonsense durations; nobody presses longer than packets have been coming.
    const seenMs = press.lastAtMs - press.startedAtMs;
    const durationMs = Math.min(statedMs, seenMs + DURATION_SLACK_MS);
    outputs.push({ type: 'released', durationMs, ...outputFields(press, nowMs) });
    return outputs;
  }

  #remember(entry: HistoryEntry): void {
    this.#history.push(entry);
    if (this.#history.length > HISTORY_LENGTH) this.#history.shift();
  }
}

/** A marker behind the three end packets of a finished press: the same key, same timestamp, again. */
function isReusedTimestamp(known: Press, report: Report): boolean {
  const { marker, sequenceNumber } = report.packet;
  if (!marker || known.endSequenceNumber === undefined) return false;
  return sequenceDistance16(known.endSequenceNumber, sequenceNumber) >= END_PACKETS;
}

function isMovedEnd(latest: Press, report: Report, ticks: number): boolean {
  if (!report.isEnd || report.packet.marker) return false;
  if (ticks <= 0) return false;
  if (ticks > latest.durationTicks) {
    // Without an E the press may have lasted one interval longer than its last update says; the end says so.
    if (latest.endSequenceNumber !== undefined || ticks > report.durationTicks) return false;
    if (report.durationTicks > latest.durationTicks + latest.stepTicks) return false;
  }
  const steps = sequenceDistance16(latest.lastSequenceNumber, report.packet.sequenceNumber);
  return Math.abs(steps) <= MOVED_END_REACH;
}

function outputFields(press: Press, atMs: number): DetectorOutputFields {
  const { digit, code: eventCode, ssrc, firstTimestamp: rtpTimestamp } = press;
  return { digit, eventCode, ssrc, rtpTimestamp, atMs };
}
