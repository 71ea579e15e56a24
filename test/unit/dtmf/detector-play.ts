/** Plays telephone-event packets to a detector and writes down what it says. */
import { DigitDetector, QUIET_MS, type DetectorOutput } from '../../../src/dtmf/digit-detector.ts';
import { addSequence16, addSequence32 } from '../../../src/wire/sequence.ts';
import {
  eventOfDigit,
  TELEPHONE_EVENT_BYTES,
  writeTelephoneEvent,
  type Digit,
} from '../../../src/wire/telephone-event.ts';

/** Timestamps to start from: around every wrap. */
export const STARTS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fc00, 0xffff_ffff];

export interface Sent {
  readonly atMs: number;
  readonly timestamp: number;
  readonly code: number;
  readonly isEnd?: boolean;
  readonly durationTicks: number;
  readonly sequenceNumber: number;
  readonly marker?: boolean;
  readonly ssrc?: number;
}

export interface Options {
  readonly repairMovedEnd?: boolean;
  readonly mergeWindowMs?: number;
  readonly clockRate?: number;
}

export function createDetector(options: Options = {}): DigitDetector {
  return new DigitDetector({
    clockRate: 8000,
    repairMovedEnd: true,
    mergeWindowMs: 0,
    ...options,
  });
}

export function feed(detector: DigitDetector, sent: Sent): DetectorOutput[] {
  const payload = Buffer.alloc(TELEPHONE_EVENT_BYTES);
  const { code, isEnd = false, durationTicks } = sent;
  writeTelephoneEvent({ code, isEnd, volume: 10, durationTicks }, payload);
  return [
    ...detector.expire(sent.atMs),
    ...detector.receive(
      {
        ssrc: sent.ssrc ?? 1,
        sequenceNumber: sent.sequenceNumber,
        rtpTimestamp: sent.timestamp,
        marker: sent.marker ?? false,
        payload,
      },
      sent.atMs,
    ),
  ];
}

/** [ms, timestamp offset, digit, flags: M marker E end, durationTicks, sequence number (default: counts on)] */
export type Row = [number, number, Digit, string, number, number?];

/** Plays rows from `start`, then waits for the timeout. */
export function play(start: number, rows: readonly Row[], options: Options = {}): DetectorOutput[] {
  const detector = createDetector(options);
  const outputs: DetectorOutput[] = [];
  let sequenceNumber = (start - 1) & 0xffff;
  let lastMs = 0;
  for (const [atMs, offset, digit, flags, durationTicks, sequenceOffset] of rows) {
    sequenceNumber = addSequence16(sequenceNumber, 1);
    lastMs = atMs;
    outputs.push(
      ...feed(detector, {
        atMs,
        timestamp: addSequence32(start, offset),
        code: eventOfDigit(digit),
        isEnd: flags.includes('E'),
        marker: flags.includes('M'),
        durationTicks,
        sequenceNumber:
          sequenceOffset === undefined
            ? sequenceNumber
            : addSequence16(start & 0xffff, sequenceOffset),
      }),
    );
  }
  return [...outputs, ...detector.expire(lastMs + QUIET_MS)];
}

/** `5` pressed, `5/100` released after 100 ms. */
export function describeOutputs(outputs: readonly DetectorOutput[]): string {
  return outputs
    .map((output) =>
      output.type === 'pressed' ? output.digit : `${output.digit}/${Math.round(output.durationMs)}`,
    )
    .join(' ');
}

// Every case runs from several start timestamps so that wrap-around is always covered.

/** Repeatable numbers in [0, 1) (a 32-bit xorshift). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
