/**
 * The generated digits of one direction, one after the other: rtpengine is asked for each once the one before is over.
 *
 *   waiting ... --turn--> asked --taken--> sounding --its time--> sent --pause--> next
 *                          |  ^
 *                          |  '-- nothing heard of the stream yet: again, for at most 2 s
 *                          '--> dropped
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_QUEUED_DIGITS } from '../../dtmf/digit-sender.ts';
import type { DigitDropReason, DroppedDigit, PlayedDigit, SentDigit } from '../media-engine.ts';
import type { Side } from '../../wire/side.ts';

/** How long a digit waits for the stream it goes into to begin. */
const WAIT_LIMIT_MS = 2000;
const WAIT_STEP_MS = 100;

/** How long the end of the stream waits for the digit that sounds. */
const END_LIMIT_MS = 1000;

/** What rtpengine adds: the frame in which it ends an event. */
const END_FRAME_MS = 20;

/** What it plays at least and at most. */
const MIN_PLAYED_MS = 100;
export const MAX_PLAYED_MS = 5000;

/** Pause between digits when nobody says otherwise. */
const DEFAULT_GAP_MS = 60;

/** `not-heard`: later perhaps. */
export type PlayOutcome = 'taken' | 'not-heard' | DigitDropReason;

export interface DigitPlayerOptions {
  readonly to: Side;
  /** Asks for one digit of `durationMs`; may refuse it for a reason. */
  readonly play: (digit: PlayedDigit, durationMs: number) => Promise<PlayOutcome>;
  readonly gapMs: () => number | undefined;
  readonly onSent: (sent: SentDigit) => void;
  readonly onDropped: (dropped: DroppedDigit) => void;
  /** Wall-clock time. */
  readonly nowMs: () => number;
}

export class DigitPlayer {
  readonly #options: DigitPlayerOptions;
  readonly #waiting: PlayedDigit[] = [];
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  /** Digits that rtpengine has taken. */
  #played = 0;

  constructor(options: DigitPlayerOptions) {
    this.#options = options;
  }

  get played(): number {
    return this.#played;
  }

  add(digit: PlayedDigit): void {
    if (this.#stopped.signal.aborted) return this.#drop(digit, 'stream-closed');
    if (this.#waiting.length >= MAX_QUEUED_DIGITS) return this.#drop(digit, 'queue-full');
    this.#waiting.push(digit);
    this.#running ??= this.#run();
  }

  /** Drops what waits; resolves when the digit that sounds is over, at most 1 s later. */
  async stop(reason: DigitDropReason): Promise<void> {
    for (const digit of this.#waiting.splice(0)) this.#drop(digit, reason);
    const running = this.#running;
    if (running === undefined) return;
    const late = new AbortController();
    await Promise.race([running, pause(END_LIMIT_MS, late.signal)]);
    late.abort();
    this.#stopped.abort();
    await running;
  }

  /** Drops what waits and what sounds: nobody plays it any more. */
  cut(reason: DigitDropReason): void {
    for (const digit of this.#waiting.splice(0)) this.#drop(digit, reason);
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    for (;;) {
      const digit = this.#waiting.shift();
      if (digit === undefined) break;
      await this.#one(digit);
    }
    this.#running = undefined;
  }

  async #one(digit: PlayedDigit): Promise<void> {
    const { to, nowMs, gapMs, onSent } = this.#options;
    const askedMs = Math.min(
      MAX_PLAYED_MS,
      Math.max(MIN_PLAYED_MS, digit.durationMs - END_FRAME_MS),
    );
    const outcome = await this.#ask(digit, askedMs);
    if (outcome !== 'taken') return this.#drop(digit, outcome);
    this.#played += 1;
    const firstPacketAtMs = nowMs();
    const isOver = await pause(askedMs + END_FRAME_MS, this.#stopped.signal);
    if (!isOver) return this.#drop(digit, 'stream-closed');
    onSent({
      to,
      digitId: digit.digitId,
      rtpTimestamp: 0,
      firstPacketAtMs,
      endPacketAtMs: firstPacketAtMs + askedMs + END_FRAME_MS,
    });
    if (this.#waiting.length > 0) await pause(gapMs() ?? DEFAULT_GAP_MS, this.#stopped.signal);
  }

  async #ask(digit: PlayedDigit, askedMs: number): Promise<'taken' | DigitDropReason> {
    const { play, nowMs } = this.#options;
    const deadlineMs = nowMs() + WAIT_LIMIT_MS;
    for (;;) {
      if (this.#stopped.signal.aborted) return 'stream-closed';
      const outcome = await play(digit, askedMs);
      if (outcome !== 'not-heard') return outcome;
      if (nowMs() >= deadlineMs) return 'media-inactive';
      await pause(WAIT_STEP_MS, this.#stopped.signal);
    }
  }

  #drop({ digitId }: PlayedDigit, reason: DigitDropReason): void {
    this.#options.onDropped({ to: this.#options.to, digitId, reason });
  }
}

/** @returns false when it was broken off. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
