/**
 * The sequence numbers one direction of a relayed stream leaves with, while digits are put into it
 * or taken out of it.
 *
 * A digit replaces audio: its packets take the next numbers, the audio meanwhile is swallowed.
 * `ahead` is how far our last number is ahead of the sender's; it has to return to 0:
 *
 *   in   50 51 52 -- -- -- 53 54 55 56      audio before, swallowed (53 54), after (55 56)
 *   out  50 51 52 53 54 55          56      three event packets: surplus 1, so 55 is swallowed too
 *   ahead 0  0  0  1  2  3  2  1  0  0      and 56 leaves as it came, byte for byte
 *
 *            digit, no input yet: begin()            first input: carryOn()
 *   empty --------------------------------> own --------------------------+
 *     | first input                                                       |
 *     +---------------------------------------------------------> aligned | <----------+
 *                                                                  next() | |          |
 *                                                                       v v            |
 *              settle(): surplus <= 3, swallowed at once          replacing -----------+
 *              settle(): surplus > 3, audio was silent                |   input passes our number,
 *                                                                     v   deficit filled
 *              leaves with the offset, one packet in 8 swallowed  catching-up -> aligned
 *
 * An absorbed event packet leaves no hole: the offset of an aligned stream goes one down for good.
 * A new SSRC starts at `aligned` with offset 0.
 *
 * In a stream of our own (own-stream.ts) the input comes here with our SSRC and with numbers that
 * continue ours; what is called the sender's above is then that.
 */

import { addSequence16, sequenceDistance16 } from '../wire/sequence.ts';

/** Surplus that is swallowed at once behind a digit: 60 ms of audio. */
const MAX_SWALLOWED_AT_ONCE = 3;

/** While catching up one audio packet in this many is swallowed: a gap that concealment hides. */
const CATCH_UP_SPACING = 8;

/** A digit repeats packets while it plays rather than let the deficit grow beyond this. */
const MAX_DEFICIT = 6;

/** Jumps beyond these are a restarted sender, not loss or reordering (RFC 3550 §A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** Absorbed numbers remembered, so that a late packet from before them keeps its place. */
const ABSORBED_REMEMBERED = 32;

type Phase =
  | { readonly type: 'empty' }
  | { readonly type: 'own' }
  | { readonly type: 'aligned' }
  | { readonly type: 'replacing' }
  | CatchingUp;

interface CatchingUp {
  readonly type: 'catching-up';
  sinceSwallowed: number;
}

/** Instead of an outgoing number: the packet came too late to have one. */
export const LATE = -1;
/** Instead of an outgoing number: the packet makes room for an event packet already sent. */
export const SWALLOWED = -2;

/** Whether a step from the highest number so far says that the sender started its numbers anew. */
export function isSequenceJump(steps: number): boolean {
  return steps > MAX_DROPOUT || steps < -MAX_MISORDER;
}

export class SequenceOffset {
  #phase: Phase = { type: 'empty' };
  #ssrc = 0;
  #highestIn = 0;
  /** Our last number minus `#highestIn`, not wrapped. */
  #ahead = 0;
  /** What is added to the sender's numbers when aligned: 0, or below it after absorbed packets. */
  #offset = 0;
  /** Packets up to this incoming number are late: their outgoing numbers are taken. */
  #lateLimit: number | undefined;
  /** Recently absorbed incoming numbers, newest last. */
  #absorbed: number[] = [];

  #epoch = 0;

  /** SSRC of the outgoing stream; `undefined` before any packet. */
  get ssrc(): number | undefined {
    return this.#phase.type === 'empty' ? undefined : this.#ssrc;
  }

  /** Rises whenever the input begins anew: another SSRC, or a jump in its numbers. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Packets sent minus packets received since the stream began, as far as numbers tell. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Whether packets of the input leave with the number they came here with. */
  get isTransparent(): boolean {
    return this.#ahead === 0 && this.#offset === 0;
  }

  /** Event packets missing to bring the offset back; asked while a digit plays and at its end. */
  get deficit(): number {
    if (this.#phase.type !== 'replacing') return 0;
    return Math.max(0, Math.min(this.#offset, 0) - this.#ahead);
  }

  /** Whether the deficit is too large to be filled at the end of the digit. */
  get isDeficitFull(): boolean {
    return this.deficit >= MAX_DEFICIT;
  }

  /** The number packet `sequenceNumber` of the input leaves with, or `LATE`, or `SWALLOWED`. */
  forward(ssrc: number, sequenceNumber: number): number {
    const phase = this.#phase;
    const steps = sequenceDistance16(this.#highestIn, sequenceNumber);
    if (ssrc !== this.#ssrc || isSequenceJump(steps) || phase.type === 'empty') {
      return this.#adopt(ssrc, sequenceNumber);
    }
    if (phase.type === 'aligned') return this.#forwardAligned(sequenceNumber, steps);
    if (phase.type === 'catching-up') return this.#forwardCatchingUp(phase, sequenceNumber, steps);
    return this.#forwardSettling(sequenceNumber, steps);
  }

  /** Notes a packet of the input that a playing digit replaces. */
  swallow(ssrc: number, sequenceNumber: number): void {
    if (ssrc === this.#ssrc) this.#advance(sequenceDistance16(this.#highestIn, sequenceNumber));
  }

  /** Notes an event packet of the input that does not go out, without a digit playing. */
  absorb(ssrc: number, sequenceNumber: number): void {
    const isRepeat = ssrc === this.#ssrc && sequenceNumber === this.#highestIn;
    const number = this.forward(ssrc, sequenceNumber);
    // Late ones leave the hole they had, swallowed ones have been accounted for.
    if (number < 0 || isRepeat || sequenceNumber !== this.#highestIn) return;
    this.#ahead -= 1;
    if (this.#phase.type === 'catching-up') return;
    this.#offset -= 1;
    this.#absorbed.push(sequenceNumber);
    if (this.#absorbed.length > ABSORBED_REMEMBERED) this.#absorbed.shift();
  }

  /** What is added to the number behind `sequenceNumber` and to all that follow in a row; `undefined`: that may change. */
  offsetBehind(ssrc: number, sequenceNumber: number): number | undefined {
    const isLast = ssrc === this.#ssrc && sequenceNumber === this.#highestIn;
    const isPlain = this.#phase.type === 'aligned' && this.#lateLimit === undefined;
    return isLast && isPlain ? this.#offset : undefined;
  }

  /** The input has gone on in a row up to `sequenceNumber`, with the numbers that `offsetBehind` says. */
  jump(sequenceNumber: number): void {
    this.#highestIn = sequenceNumber;
  }

  /** `packets` of the input have gone by elsewhere, with the numbers they had. */
  skip(packets: number): void {
    if (this.#phase.type !== 'aligned' || !this.isTransparent) return;
    this.#highestIn = addSequence16(this.#highestIn, packets);
  }

  /** Begins a stream of our own, before any input: the first number is behind `sequenceNumber`. */
  begin(ssrc: number, sequenceNumber: number): void {
    this.#adopt(ssrc, sequenceNumber);
    this.#phase = { type: 'own' };
  }

  /** Lets input continue a stream of our own: it has to come with the number behind our last one. */
  carryOn(): void {
    this.#adopt(this.#ssrc, addSequence16(this.#highestIn, this.#ahead));
    this.#phase = { type: 'replacing' };
  }

  /** The number of the next packet of our own, in a stream that has begun. */
  next(): number {
    if (this.#phase.type !== 'own') this.#phase = { type: 'replacing' };
    this.#ahead += 1;
    return addSequence16(this.#highestIn, this.#ahead);
  }

  #adopt(ssrc: number, sequenceNumber: number): number {
    this.#phase = { type: 'aligned' };
    this.#epoch += 1;
    this.#ssrc = ssrc;
    this.#highestIn = sequenceNumber;
    this.#ahead = 0;
    this.#offset = 0;
    this.#lateLimit = undefined;
    this.#absorbed = [];
    return sequenceNumber;
  }

  /** Takes `steps` numbers of the input without sending any. */
  #advance(steps: number): void {
    if (steps <= 0 || steps > MAX_DROPOUT) return;
    this.#highestIn = addSequence16(this.#highestIn, steps);
    this.#ahead -= steps;
  }

  #forwardAligned(sequenceNumber: number, steps: number): number {
    if (steps > 0) {
      this.#highestIn = sequenceNumber;
      if (this.#lateLimit !== undefined) this.#ageLateLimit(this.#lateLimit);
      return addSequence16(sequenceNumber, this.#offset);
    }
    if (this.#lateLimit !== undefined && sequenceDistance16(this.#lateLimit, sequenceNumber) <= 0) {
      return LATE;
    }
    return addSequence16(sequenceNumber, this.#offset + this.#absorbedBehind(sequenceNumber));
  }

  /** After a digit: passes as soon as the sender's number is past ours. */
  #forwardSettling(sequenceNumber: number, steps: number): number {
    if (steps <= 0) return LATE;
    const surplus = this.#ahead - (steps - 1);
    if (this.#ahead <= 0 || surplus <= 0) {
      // Numbers lost on the way in are lost on the way out as well.
      const floor = Math.min(this.#offset, 0);
      this.#align(Math.max(floor, Math.min(this.#ahead, 0)), sequenceNumber);
      return addSequence16(sequenceNumber, this.#offset);
    }
    if (surplus <= MAX_SWALLOWED_AT_ONCE) {
      this.#advance(steps);
      return SWALLOWED;
    }
    this.#offset = 0;
    const phase: CatchingUp = { type: 'catching-up', sinceSwallowed: 0 };
    this.#phase = phase;
    return this.#forwardCatchingUp(phase, sequenceNumber, steps);
  }

  #forwardCatchingUp(phase: CatchingUp, sequenceNumber: number, steps: number): number {
    if (steps <= 0) return LATE;
    // Lost packets close the distance at no cost.
    this.#ahead -= Math.min(steps - 1, this.#ahead);
    this.#highestIn = sequenceNumber;
    phase.sinceSwallowed += 1;
    if (this.#ahead > 0 && phase.sinceSwallowed >= CATCH_UP_SPACING) {
      phase.sinceSwallowed = 0;
      this.#ahead -= 1;
      return SWALLOWED;
    }
    if (this.#ahead === 0) this.#align(0, sequenceNumber);
    return addSequence16(sequenceNumber, this.#ahead);
  }

  #align(offset: number, sequenceNumber: number): void {
    this.#phase = { type: 'aligned' };
    this.#offset = offset;
    this.#ahead = offset;
    this.#highestIn = sequenceNumber;
    this.#lateLimit = addSequence16(sequenceNumber, -1);
    this.#absorbed = [];
  }

  #ageLateLimit(lateLimit: number): void {
    if (sequenceDistance16(lateLimit, this.#highestIn) > MAX_MISORDER) this.#lateLimit = undefined;
  }

  #absorbedBehind(sequenceNumber: number): number {
    let count = 0;
    for (const absorbed of this.#absorbed) {
      if (sequenceDistance16(sequenceNumber, absorbed) > 0) count += 1;
    }
    return count;
  }
}
