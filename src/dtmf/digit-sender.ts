/**
 * Paces the generated digits of one direction as telephone-event packets (RFC 4733 §2.5.1).
 *
 * One digit of 100 ms at 20 ms per packet, 8 kHz, and the earliest start of the next (gap 60 ms):
 *
 *   at ms   0    20    40    60    80   100   120        160
 *   ticks 160   320   480   640   800   800   800        160
 *   flags   M                       E     E     E          M
 *
 * The first packet leaves at once and states one interval, never 0. Each packet lies on the grid
 * start + n * interval; a late poll leaves packets out rather than sending them in a burst. A tone
 * longer than 0xFFFF ticks goes on in segments: the packet with 0xFFFF is sent three times as well,
 * on the grid, then the next segment counts from a timestamp 0xFFFF later, without marker.
 *
 *           poll, due                    tone over             third end packet
 *   idle -------------> sounding -----------------------> ending ----------> idle
 *                           |  segment full      ^
 *                           +-- filled segment --+  (two repeats, then sounding again)
 *
 * No timers inside: `poll` gives one packet when one is due at `nowMs`; `nextAtMs` says when to come back.
 */

import { addSequence32 } from '../wire/sequence.ts';
import { MAX_DURATION_TICKS } from '../wire/telephone-event.ts';

/** Digits that may wait behind the one playing; more than a person can dial ahead. */
export const MAX_QUEUED_DIGITS = 128;

/** Least tone and pause a receiver must recognise (ITU-T Q.24, cited in RFC 4733 §2.5.1). */
export const MIN_TONE_MS = 40;
export const MIN_GAP_MS = 40;

/** The final report is sent three times in all (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3;

/** A packet is due when its time is this near: timers of whole milliseconds fire that early. */
const DUE_SLACK_MS = 0.5;

export interface SenderOptions {
  /** Clock of the event durations, ticks per second. */
  readonly clockRate: number;
  readonly packetIntervalMs: number;
  /** Least pause between two digits; the repeats of the end may make it longer. */
  readonly gapMs: number;
}

export interface QueuedDigit {
  readonly digitId: string;
  readonly eventCode: number;
  readonly durationMs: number;
}

/** One packet to send now, in this order. */
export interface DigitPacket {
  readonly digitId: string;
  readonly eventCode: number;
  /** Set on the first packet of the digit only. */
  readonly marker: boolean;
  readonly isEnd: boolean;
  /** Whether this is the first of the end packets. */
  readonly isFirstEnd: boolean;
  readonly durationTicks: number;
  /** Start of the segment: the same in all packets of it. */
  readonly rtpTimestamp: number;
  /** Start of the digit. */
  readonly digitTimestamp: number;
}

interface Sounding {
  readonly digit: QueuedDigit;
  readonly options: SenderOptions;
  readonly startedAtMs: number;
  readonly digitTimestamp: number;
  readonly totalTicks: number;
  /** Ticks of the full segments before the running one. */
  earlierTicks: number;
  /** Duration of the packet sent last, within the running segment; 0 before the first. */
  sentTicks: number;
  /** Repeats of a full segment still to send. */
  segmentRepeats: number;
  endsSent: number;
  nextAtMs: number;
}

type SenderState =
  | { readonly type: 'idle'; /** Earliest start of the next digit. */ readonly notBeforeMs: number }
  | { readonly type: 'playing'; readonly sounding: Sounding };

export class DigitSender {
  #options: SenderOptions;
  #state: SenderState = { type: 'idle', notBeforeMs: -Infinity };
  #queue: QueuedDigit[] = [];
  #heldUntilMs = -Infinity;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Whether a digit is between its first packet and its last end packet. */
  get isPlaying(): boolean {
    return this.#state.type === 'playing';
  }

  /** Whether a digit is playing or waiting. */
  get isBusy(): boolean {
    return this.isPlaying || this.#queue.length > 0;
  }

  /** When `poll` wants to be called; `undefined` when there is nothing to send. */
  get nextAtMs(): number | undefined {
    return this.isBusy ? this.#dueMs : undefined;
  }

  /** Changes clock, interval or gap from the next digit on. */
  configure(options: SenderOptions): void {
    this.#options = options;
  }

  /** Queues a digit; `false` when the queue is full. A tone shorter than 40 ms is lengthened to that. */
  enqueue(digit: QueuedDigit): boolean {
    if (this.#queue.length >= MAX_QUEUED_DIGITS) return false;
    this.#queue.push(digit);
    return true;
  }

  /** Lets no digit begin before `heldUntilMs`: somebody else's event is on the stream. The last call counts. */
  holdUntil(heldUntilMs: number): void {
    this.#heldUntilMs = heldUntilMs;
  }

  /** Takes the waiting digits out of the queue; a playing one goes on. */
  clear(): QueuedDigit[] {
    const cleared = this.#queue;
    this.#queue = [];
    return cleared;
  }

  /**
   * The packet due at `nowMs`, if any.
   *
   * @param rtpTimestamp the stream's time at `nowMs`: the timestamp of a digit that begins now.
   */
  poll(nowMs: number, rtpTimestamp: number): DigitPacket | undefined {
    if (nowMs < this.#dueMs - DUE_SLACK_MS) return undefined;
    if (this.#state.type === 'playing') return this.#next(this.#state.sounding, nowMs);
    const digit = this.#queue.shift();
    if (digit === undefined) return undefined;
    const sounding = startSounding(digit, this.#options, nowMs, rtpTimestamp);
    this.#state = { type: 'playing', sounding };
    return this.#next(sounding, nowMs);
  }

  /**
   * One packet more of the playing digit, off the grid: an update as long as the tone is by now,
   * or the end once more. `undefined` when none is playing or it has not begun.
   */
  extra(nowMs: number): DigitPacket | undefined {
    if (this.#state.type !== 'playing') return undefined;
    const { sounding } = this.#state;
    const isEnd = sounding.endsSent > 0;
    if (!isEnd && sounding.segmentRepeats === 0) {
      const ticks = elapsedTicks(sounding, nowMs) - sounding.earlierTicks;
      const limit = Math.min(remainingTicks(sounding), MAX_DURATION_TICKS);
      const least = sounding.sentTicks + 1;
      // Behind a stall the tone is over already: small steps leave room for more such updates.
      const stated = ticks < limit ? Math.max(ticks, least) : least;
      sounding.sentTicks = Math.min(stated, limit - 1);
    }
    return packetOf(sounding, { marker: false, isEnd, isFirstEnd: false });
  }

  /** Ends the playing digit at once: the end packets it still owes, to be sent back to back. */
  finishNow(nowMs: number): DigitPacket[] {
    if (this.#state.type !== 'playing') return [];
    const { sounding } = this.#state;
    const packets: DigitPacket[] = [];
    if (sounding.endsSent === 0) shorten(sounding, nowMs);
    while (sounding.endsSent < END_PACKETS) packets.push(endPacket(sounding));
    this.#stop(sounding, nowMs);
    return packets;
  }

  /** When the playing digit goes on, or the next one may begin. */
  get #dueMs(): number {
    if (this.#state.type === 'playing') return this.#state.sounding.nextAtMs;
    return Math.max(this.#state.notBeforeMs, this.#heldUntilMs);
  }

  #next(sounding: Sounding, nowMs: number): DigitPacket {
    const { startedAtMs, options } = sounding;
    const steps = Math.floor((nowMs - startedAtMs + DUE_SLACK_MS) / options.packetIntervalMs);
    sounding.nextAtMs = startedAtMs + (steps + 1) * options.packetIntervalMs;
    const packet = nextPacket(sounding, steps);
    if (sounding.endsSent >= END_PACKETS) this.#stop(sounding, nowMs);
    return packet;
  }

  #stop(sounding: Sounding, nowMs: number): void {
    const { options, startedAtMs } = sounding;
    const playedTicks = sounding.earlierTicks + sounding.sentTicks;
    const toneEndMs = startedAtMs + (playedTicks * 1000) / options.clockRate;
    // The pause lasts as long as the two repeats at least, so that events never overlap.
    const pauseMs = Math.max(
      options.gapMs,
      MIN_GAP_MS,
      (END_PACKETS - 1) * options.packetIntervalMs,
    );
    this.#state = { type: 'idle', notBeforeMs: Math.max(toneEndMs + pauseMs, nowMs) };
  }
}

function startSounding(
  digit: QueuedDigit,
  options: SenderOptions,
  nowMs: number,
  rtpTimestamp: number,
): Sounding {
  const durationMs = Math.max(digit.durationMs, MIN_TONE_MS);
  return {
    digit,
    options,
    startedAtMs: nowMs,
    digitTimestamp: rtpTimestamp,
    totalTicks: Math.round((durationMs * options.clockRate) / 1000),
    earlierTicks: 0,
    sentTicks: 0,
    segmentRepeats: 0,
    endsSent: 0,
    nextAtMs: nowMs,
  };
}

/** The packet on grid position `steps` (0 is the first). */
function nextPacket(sounding: Sounding, steps: number): DigitPacket {
  if (sounding.segmentRepeats > 0) {
    sounding.segmentRepeats -= 1;
    const repeat = packetOf(sounding, { marker: false, isEnd: false, isFirstEnd: false });
    if (sounding.segmentRepeats === 0) startSegment(sounding);
    return repeat;
  }
  const { options } = sounding;
  const marker = sounding.earlierTicks === 0 && sounding.sentTicks === 0;
  const elapsed = ((steps + 1) * options.packetIntervalMs * options.clockRate) / 1000;
  const ticks = Math.round(elapsed) - sounding.earlierTicks;
  const remaining = remainingTicks(sounding);
  if (remaining > MAX_DURATION_TICKS && ticks >= MAX_DURATION_TICKS) {
    sounding.segmentRepeats = END_PACKETS - 1;
    sounding.sentTicks = MAX_DURATION_TICKS;
  } else if (ticks >= remaining) {
    sounding.sentTicks = remaining;
    return { ...endPacket(sounding), marker };
  } else {
    sounding.sentTicks = Math.max(ticks, sounding.sentTicks);
  }
  return packetOf(sounding, { marker, isEnd: false, isFirstEnd: false });
}

function endPacket(sounding: Sounding): DigitPacket {
  sounding.endsSent += 1;
  const isFirstEnd = sounding.endsSent === 1;
  return packetOf(sounding, { marker: false, isEnd: true, isFirstEnd });
}

function startSegment(sounding: Sounding): void {
  sounding.earlierTicks += MAX_DURATION_TICKS;
  sounding.sentTicks = 0;
}

/** Ends the tone where it is by now, longer than stated last, but no receiver knows tones under 40 ms. */
function shorten(sounding: Sounding, nowMs: number): void {
  const leastTicks = Math.round((MIN_TONE_MS * sounding.options.clockRate) / 1000);
  const ticks = Math.max(elapsedTicks(sounding, nowMs), leastTicks) - sounding.earlierTicks;
  const limit = Math.min(remainingTicks(sounding), MAX_DURATION_TICKS);
  sounding.sentTicks = Math.min(Math.max(ticks, sounding.sentTicks + 1), limit);
}

/** Ticks since the start of the digit, ahead by one interval as all durations are. */
function elapsedTicks({ startedAtMs, options }: Sounding, nowMs: number): number {
  const elapsedMs = nowMs - startedAtMs + options.packetIntervalMs;
  return Math.round((elapsedMs * options.clockRate) / 1000);
}

/** Ticks from the start of the running segment to the end of the tone. */
function remainingTicks(sounding: Sounding): number {
  return sounding.totalTicks - sounding.earlierTicks;
}

function packetOf(
  sounding: Sounding,
  flags: Pick<DigitPacket, 'marker' | 'isEnd' | 'isFirstEnd'>,
): DigitPacket {
  const { digit, digitTimestamp, earlierTicks } = sounding;
  return {
    digitId: digit.digitId,
    eventCode: digit.eventCode,
    ...flags,
    durationTicks: sounding.sentTicks,
    rtpTimestamp: addSequence32(digitTimestamp, earlierTicks),
    digitTimestamp,
  };
}
