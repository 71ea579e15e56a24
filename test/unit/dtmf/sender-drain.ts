/** Drives a digit sender in virtual time. */
import {
  DigitSender,
  type DigitPacket,
  type QueuedDigit,
  type SenderOptions,
} from '../../../src/dtmf/digit-sender.ts';
import { addSequence32 } from '../../../src/wire/sequence.ts';

export interface Sent extends DigitPacket {
  readonly atMs: number;
}

export function createSender(options: Partial<SenderOptions> = {}): DigitSender {
  return new DigitSender({ clockRate: 8000, packetIntervalMs: 20, gapMs: 60, ...options });
}

/** Polls when asked to until nothing is left; stream time runs from `start` at 0 ms. */
export function drain(sender: DigitSender, clockRate = 8000, start = 0): Sent[] {
  const sent: Sent[] = [];
  let nowMs = 0;
  for (;;) {
    const nextAtMs = sender.nextAtMs;
    if (nextAtMs === undefined) return sent;
    nowMs = Math.max(nowMs, nextAtMs);
    const packet = sender.poll(nowMs, addSequence32(start, Math.round((nowMs * clockRate) / 1000)));
    if (packet !== undefined) sent.push({ ...packet, atMs: nowMs });
  }
}

export function digit(durationMs: number, digitId = 'a'): QueuedDigit {
  return { digitId, eventCode: 5, durationMs };
}

/** `0 160M` is: at 0 ms, 160 ticks, marker; `E` is the end bit. */
export function describeSent(sent: readonly Sent[]): string[] {
  return sent.map(
    ({ atMs, durationTicks, marker, isEnd }) =>
      `${atMs} ${durationTicks}${marker ? 'M' : ''}${isEnd ? 'E' : ''}`,
  );
}
