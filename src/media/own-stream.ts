/**
 * The stream of our own that a digit begins where none of the sender's has been relayed yet, and
 * that carries the sender's packets from then on. Receivers see one SSRC, numbers without hole or
 * reuse, and timestamps in real time:
 *
 *   in                        a700 a701   | a702 . .  b90 b91     another SSRC (or numbers anew)
 *   out   e1 e2 E3 E4 E5   .  o6   o7     | o8   . .  o9  o10     all with our SSRC
 *
 *            begin(): a digit               carry(): a packet of the sender
 *   none ----------------------> alone ----------------------------------------> carrying
 *     ^ packets pass as they are                     carry(): another SSRC, or a jump  | ^
 *                                                    in the numbers: moved anew        +-+
 *
 * Packets are moved by constants: number and timestamp are chosen at the first packet of a source,
 * every step after it is the sender's. They are moved before `SequenceOffset`, which handles the
 * digits put in later as in any stream. A stream of our own lasts for the rest of the call: a sender
 * that starts again is carried on inside it, since receivers cope badly with a new SSRC.
 */

import { addSequence16, addSequence32, sequenceDistance16 } from '../wire/sequence.ts';
import { rtpSequenceNumber, rtpSsrc, rtpTimestamp, setRtpSequenceNumber } from '../wire/rtp.ts';
import { isSequenceJump, type SequenceOffset } from './sequence-offset.ts';
import type { StreamClock } from './stream-clock.ts';

const TIMESTAMP_AT = 4;
const SSRC_AT = 8;

/** Our first number is at most this, so that our extended numbers are those a receiver counts. */
const MAX_FIRST_NUMBER = 0xffff;

/** How the packets of one source are moved; extended numbers count on beyond 16 bits. */
export interface Carrying {
  readonly type: 'carrying';
  /** SSRC of our stream. */
  readonly ssrc: number;
  /** SSRC of the sender's packets. */
  readonly sourceSsrc: number;
  /** Added to the sender's timestamps. */
  readonly timestampShift: number;
  /** Added to the sender's extended numbers, counted from the first one that was seen. */
  readonly numberShift: number;
  /** The extended number of ours that the source's first packet was given. */
  readonly firstNumber: number;
  /** Packets in our stream before the first one of this source. */
  readonly packetsBefore: number;
  /** The sender's highest number so far. */
  highestIn: number;
  /** The same as an extended number of ours. */
  highest: number;
}

type OwnState =
  | { readonly type: 'none' }
  | { readonly type: 'alone'; readonly ssrc: number; readonly highest: number }
  | Carrying;

export interface OwnStreamOptions {
  readonly numbers: SequenceOffset;
  readonly clock: StreamClock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class OwnStream {
  readonly #options: OwnStreamOptions;
  #state: OwnState = { type: 'none' };
  /** The extended number before our first one. */
  #origin = 0;

  constructor(options: OwnStreamOptions) {
    this.#options = options;
  }

  /** How packets are moved now; `undefined` while they pass as they are, or none has come. */
  get carrying(): Carrying | undefined {
    return this.#state.type === 'carrying' ? this.#state : undefined;
  }

  /** Whether there is a stream of our own: then every packet has to be carried. */
  get hasBegun(): boolean {
    return this.#state.type !== 'none';
  }

  /** Begins the stream with the digit that starts now at `timestamp`; its SSRC. */
  begin(timestamp: number, nowMs: number): number {
    const { numbers, clock, random } = this.#options;
    const ssrc = Math.floor(random() * 2 ** 32);
    this.#origin = Math.floor(random() * MAX_FIRST_NUMBER);
    this.#state = { type: 'alone', ssrc, highest: this.#origin };
    numbers.begin(ssrc, this.#origin);
    clock.set(ssrc, timestamp, nowMs);
    return ssrc;
  }

  /** Moves a packet of the sender into our stream, in place; leaves it as it is where we have none. */
  carry(packet: Buffer, nowMs: number): void {
    const state = this.#state;
    if (state.type === 'none') return;
    const sequenceNumber = rtpSequenceNumber(packet);
    const carrying = continues(state, packet) ? state : this.#switch(state, packet, nowMs);
    const steps = sequenceDistance16(carrying.highestIn, sequenceNumber);
    const number = carrying.highest + steps;
    if (steps > 0) {
      carrying.highestIn = sequenceNumber;
      carrying.highest = number;
    }
    setRtpSequenceNumber(packet, number & 0xffff);
    packet.writeUInt32BE(
      addSequence32(rtpTimestamp(packet), carrying.timestampShift),
      TIMESTAMP_AT,
    );
    packet.writeUInt32BE(carrying.ssrc, SSRC_AT);
  }

  /** Chooses number and time for the first packet of a source. */
  #switch(
    { ssrc, highest }: Exclude<OwnState, { type: 'none' }>,
    packet: Buffer,
    nowMs: number,
  ): Carrying {
    const { numbers, clock } = this.#options;
    const lastNumber = highest + numbers.ahead;
    numbers.carryOn();
    const timestamp = clock.behindLast(nowMs);
    clock.set(ssrc, timestamp, nowMs);
    const sequenceNumber = rtpSequenceNumber(packet);
    const carrying: Carrying = {
      type: 'carrying',
      ssrc,
      sourceSsrc: rtpSsrc(packet),
      timestampShift: addSequence32(timestamp, -rtpTimestamp(packet)),
      numberShift: lastNumber + 1 - sequenceNumber,
      firstNumber: lastNumber + 1,
      packetsBefore: lastNumber - this.#origin,
      highestIn: addSequence16(sequenceNumber, -1),
      highest: lastNumber,
    };
    this.#state = carrying;
    return carrying;
  }
}

/** Whether the packet goes on where the source that is carried was. */
function continues(state: OwnState, packet: Buffer): state is Carrying {
  return (
    state.type === 'carrying' &&
    rtpSsrc(packet) === state.sourceSsrc &&
    !isSequenceJump(sequenceDistance16(state.highestIn, rtpSequenceNumber(packet)))
  );
}
