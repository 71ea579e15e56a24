/**
 * What the main thread remembers of a stream, so that another relay thread can go on with it.
 *
 *   thread dies   key held down          released now, once; its packets are not reported again
 *                 digit being ended      sent: its whole tone and an end are out
 *                 digit in mid-tone      dropped: some of it is out, so it must not be sent again
 *                 digits not yet begun   wait for the next thread
 */

import { SIDES, type Side } from '../wire/side.ts';
import type {
  DetectedDigit,
  PlayedDigit,
  ReleasedDigit,
  SentDigit,
  StreamUpdate,
} from './media-engine.ts';
import type { LearntSource } from './source-lock.ts';

/** What the next thread has to be told. */
export interface ResumedStream {
  readonly update: StreamUpdate | undefined;
  readonly learnt: Readonly<Partial<Record<Side, LearntSource>>>;
}

/** Digits that nothing more will be heard of. */
export interface SettledDigits {
  readonly sent: readonly SentDigit[];
  readonly dropped: readonly { readonly to: Side; readonly digitId: string }[];
}

/** What ends with the thread. */
export interface CutShort extends SettledDigits {
  readonly released: readonly ReleasedDigit[];
}

interface WaitingDigit {
  readonly to: Side;
  readonly digit: PlayedDigit;
  progress: DigitProgress;
}

/** How much of a digit is out. */
type DigitProgress =
  | { readonly type: 'waiting' }
  | { readonly type: 'sounding' }
  | { readonly type: 'ending'; readonly sent: SentDigit };

const WAITING: DigitProgress = { type: 'waiting' };
const SOUNDING: DigitProgress = { type: 'sounding' };

interface HeardPress {
  readonly digit: DetectedDigit;
  isDown: boolean;
}

export class StreamMemory {
  #update: StreamUpdate | undefined;
  readonly #learnt: Partial<Record<Side, LearntSource>> = {};
  /** In the order they were asked for; those of a side are played in this order. */
  #waiting: WaitingDigit[] = [];
  /** The last press of each side. */
  readonly #heard: Partial<Record<Side, HeardPress>> = {};
  /** The last press of each side that a thread now dead has reported. */
  readonly #before: Partial<Record<Side, DetectedDigit>> = {};

  /** What the stream has been told last and has found out. */
  get resumed(): ResumedStream {
    return { update: this.#update, learnt: { ...this.#learnt } };
  }

  /** Digits nothing is known of yet. */
  get waiting(): readonly Pick<WaitingDigit, 'to' | 'digit'>[] {
    return this.#waiting;
  }

  updated(update: StreamUpdate): void {
    this.#update = update;
  }

  learnt(side: Side, source: LearntSource): void {
    this.#learnt[side] = source;
  }

  ordered(to: Side, digit: PlayedDigit): void {
    this.#waiting.push({ to, digit, progress: WAITING });
  }

  /** The first packet of a digit leaves. */
  started(to: Side, digitId: string): void {
    this.#progressed(to, digitId, SOUNDING);
  }

  /** The first end packet of a digit leaves. */
  ending(sent: SentDigit): void {
    this.#progressed(sent.to, sent.digitId, { type: 'ending', sent });
  }

  /** A digit has been sent or dropped. */
  settled(to: Side, digitId: string): void {
    this.#waiting = this.#waiting.filter(
      (waiting) => waiting.to !== to || waiting.digit.digitId !== digitId,
    );
  }

  /** Whether the press is news: the packets of one may go on behind the death of the thread that reported it. */
  pressed(digit: DetectedDigit): boolean {
    if (this.#isKnown(digit)) return false;
    this.#heard[digit.side] = { digit, isDown: true };
    return true;
  }

  /** Whether the release is news. */
  released(digit: DetectedDigit): boolean {
    if (this.#isKnown(digit)) return false;
    const heard = this.#heard[digit.side];
    if (heard !== undefined && isSamePress(heard.digit, digit)) heard.isDown = false;
    return true;
  }

  /** The thread has died at `atMs`, wall-clock time: ends what must not be done twice. */
  cutShort(atMs: number): CutShort {
    const released: ReleasedDigit[] = [];
    for (const side of SIDES) {
      const heard = this.#heard[side];
      if (heard !== undefined) this.#before[side] = heard.digit;
      if (heard?.isDown === true) {
        heard.isDown = false;
        released.push({ ...heard.digit, durationMs: Math.max(0, atMs - heard.digit.atMs) });
      }
    }
    const begun = this.#waiting.filter(({ progress }) => progress.type !== 'waiting');
    this.#waiting = this.#waiting.filter(({ progress }) => progress.type === 'waiting');
    return { released, ...settledDigits(begun) };
  }

  /** There will be no other thread: every digit is settled. */
  clear(): SettledDigits {
    const waiting = this.#waiting;
    this.#waiting = [];
    return settledDigits(waiting);
  }

  #progressed(to: Side, digitId: string, progress: DigitProgress): void {
    const entry = this.#waiting.find((each) => each.to === to && each.digit.digitId === digitId);
    if (entry !== undefined) entry.progress = progress;
  }

  #isKnown(digit: DetectedDigit): boolean {
    const before = this.#before[digit.side];
    return before !== undefined && isSamePress(before, digit);
  }
}

/** What became of digits that no thread has any more. */
function settledDigits(digits: readonly WaitingDigit[]): SettledDigits {
  const sent: SentDigit[] = [];
  const dropped: { to: Side; digitId: string }[] = [];
  for (const { to, digit, progress } of digits) {
    if (progress.type === 'ending') sent.push(progress.sent);
    else dropped.push({ to, digitId: digit.digitId });
  }
  return { sent, dropped };
}

function isSamePress(a: DetectedDigit, b: DetectedDigit): boolean {
  return a.ssrc === b.ssrc && a.rtpTimestamp === b.rtpTimestamp;
}
