/**
 * The generated digits of one direction, one after the other: rtpengine is asked for each once the one before is over.
 *
 *   waiting ... --turn--> asked --taken--> sounding --its time, and the packets for it--> sent --pause--> next
 *                          |  ^               '-- no packets: taken back
 *                          |  '-- nothing heard of the stream yet: again
 *                          '--> dropped, 2 s after it came at the earliest (packets that do not come) or at once
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_QUEUED_DIGITS } from '../../dtmf/digit-sender.ts';
import type { DigitDropReason, DroppedDigit, PlayedDigit, SentDigit } from '../media-engine.ts';
import type { Side } from '../../wire/side.ts';

/** How long a digit waits for the stream it goes into to begin, or to go on, since it came. */
const WAIT_LIMIT_MS = 2000;
const WAIT_STEP_MS = 100;

/**
 * How much later than expected the packets of a digit may come in any case, and for each millisecond of it: some of those
 * that carry it may be lost on their way. How often is looked.
 */
const LATE_LIMIT_MS = 300;
const LATE_SHARE = 0.25;
const LATE_STEP_MS = 30;

/** How long the end of the stream waits for the digit that sounds. */
const END_LIMIT_MS = 1000;

/** What rtpengine adds: the frame in which it ends an event. */
const END_FRAME_MS = 20;

/** What it plays at least and at most. */
const MIN_PLAYED_MS = 100;
const MAX_PLAYED_MS = 5000;

/** Pause between digits when nobody says otherwise. */
const DEFAULT_GAP_MS = 60;

/** `waiting`: for packets of the audio it replaces. Otherwise why it will not leave. */
export type DigitState = 'out' | 'waiting' | DigitDropReason;

/** A digit that rtpengine has taken. */
export interface TakenDigit {
  readonly state: () => Promise<DigitState>;
  /** Has it forgotten; what has not left yet does not leave any more. */
  readonly takeBack: () => Promise<void>;
  /** Nobody asks for it any more. Idempotent. */
  readonly over: () => void;
}

/** `not-heard`: later perhaps. */
export type PlayOutcome = TakenDigit | 'not-heard' | DigitDropReason;

interface Waiting extends PlayedDigit {
  /** Until when it waits for packets. */
  readonly patientUntilMs: number;
}

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
  readonly #waiting: Waiting[] = [];
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  /** Digits that have left. */
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
    const patientUntilMs = this.#options.nowMs() + WAIT_LIMIT_MS;
    this.#waiting.push({ ...digit, patientUntilMs });
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

  async #one(digit: Waiting): Promise<void> {
    const { to, nowMs, gapMs, onSent } = this.#options;
    const askedMs = Math.min(
      MAX_PLAYED_MS,
      Math.max(MIN_PLAYED_MS, digit.durationMs - END_FRAME_MS),
    );
    const taken = await this.#ask(digit, askedMs);
    if (typeof taken === 'string') return this.#drop(digit, taken);
    const soundsMs = askedMs + END_FRAME_MS;
    const takenAtMs = nowMs();
    const state = await this.#sound(taken, soundsMs, digit.patientUntilMs);
    taken.over();
    if (state !== 'out') return this.#drop(digit, state);
    this.#played += 1;
    const lateMs = nowMs() - takenAtMs - soundsMs;
    const firstPacketAtMs = takenAtMs + (lateMs > LATE_LIMIT_MS ? lateMs : 0);
    onSent({
      to,
      digitId: digit.digitId,
      rtpTimestamp: 0,
      firstPacketAtMs,
      endPacketAtMs: firstPacketAtMs + soundsMs,
    });
    if (this.#waiting.length > 0) await pause(gapMs() ?? DEFAULT_GAP_MS, this.#stopped.signal);
  }

  /** Waits until a digit is out; takes it back when it is not in time. */
  async #sound(
    taken: TakenDigit,
    soundsMs: number,
    patientUntilMs: number,
  ): Promise<'out' | DigitDropReason> {
    const { nowMs } = this.#options;
    const endsAtMs = nowMs() + soundsMs;
    const lateUntilMs = endsAtMs + LATE_LIMIT_MS + soundsMs * LATE_SHARE;
    let pauseMs = soundsMs;
    for (;;) {
      if (!(await pause(pauseMs, this.#stopped.signal))) return 'stream-closed';
      const state = await taken.state();
      if (state !== 'waiting') return state;
      if (nowMs() >= Math.max(lateUntilMs, patientUntilMs)) {
        await taken.takeBack();
        return 'media-inactive';
      }
      pauseMs = nowMs() < lateUntilMs ? LATE_STEP_MS : WAIT_STEP_MS;
    }
  }

  async #ask(digit: Waiting, askedMs: number): Promise<TakenDigit | DigitDropReason> {
    const { play, nowMs } = this.#options;
    for (;;) {
      if (this.#stopped.signal.aborted) return 'stream-closed';
      const outcome = await play(digit, askedMs);
      if (outcome !== 'not-heard') return outcome;
      if (nowMs() >= digit.patientUntilMs) return 'media-inactive';
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
