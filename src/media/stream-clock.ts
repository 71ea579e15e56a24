/**
 * The time of one RTP stream, received or begun by us: what timestamp a packet would carry now.
 *
 * Extrapolated from the last packet by the wall clock, so that it is right in silence too (DTX, hold).
 */

import { addSequence16, addSequence32, sequenceDistance32 } from '../wire/sequence.ts';
import { rtpSequenceNumber, rtpSsrc, rtpTimestamp } from '../wire/rtp.ts';
import type { LaneCount } from './lane-state.ts';

/** Steps beyond this are silence between talk spurts, not the length of a packet. */
const MAX_PACKET_TIME_MS = 200;

/** Of the first two bytes of a packet. */
export const WITHOUT_MARKER = 0xff7f;

/** Of no packet: whatever comes is not the next one in a row. */
const NO_SEQUENCE_NUMBER = -1;

/** A packet as it is expected. */
export interface NextPacket {
  readonly ssrc: number;
  /** Its first two bytes, without the marker. */
  readonly head: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  /** By which its timestamp is behind that of the packet before. */
  readonly ticks: number;
}

export class StreamClock {
  #clockRate = 8000;
  #ssrc: number | undefined;
  #timestamp = 0;
  #atMs = 0;
  #nextSequenceNumber = NO_SEQUENCE_NUMBER;
  #head = 0;
  #packetTimeMs: number | undefined;

  get clockRate(): number {
    return this.#clockRate;
  }

  /** Ticks per second of the audio timestamps. */
  set clockRate(ticksPerSecond: number) {
    this.#clockRate = ticksPerSecond;
  }

  /** The stream observed last; `undefined` before the first packet. */
  get ssrc(): number | undefined {
    return this.#ssrc;
  }

  /** The first two bytes of the last packet, without its marker. */
  get head(): number {
    return this.#head;
  }

  /** Audio in one packet, by the timestamps; `undefined` until two packets in a row were seen. */
  get packetTimeMs(): number | undefined {
    return this.#packetTimeMs;
  }

  /** What the next packet is if the stream goes on as in its last two packets; `undefined` where that cannot be said. */
  get next(): NextPacket | undefined {
    const ssrc = this.#ssrc;
    const packetTimeMs = this.#packetTimeMs;
    const sequenceNumber = this.#nextSequenceNumber;
    if (ssrc === undefined || packetTimeMs === undefined || sequenceNumber < 0) return undefined;
    const ticks = Math.round((packetTimeMs * this.#clockRate) / 1000);
    const timestamp = addSequence32(this.#timestamp, ticks);
    return { ssrc, head: this.#head, sequenceNumber, timestamp, ticks };
  }

  /** Takes the last of packets in a row. */
  jump({ sequenceNumber, timestamp, atMs }: LaneCount): void {
    this.#timestamp = timestamp;
    this.#atMs = atMs;
    this.#nextSequenceNumber = addSequence16(sequenceNumber, 1);
  }

  /** Sets the clock: stream `ssrc` is at `timestamp` now. */
  set(ssrc: number, timestamp: number, nowMs: number): void {
    this.#ssrc = ssrc;
    this.#timestamp = timestamp;
    this.#atMs = nowMs;
    this.#nextSequenceNumber = NO_SEQUENCE_NUMBER;
    this.#packetTimeMs = undefined;
  }

  /** Takes an audio packet. */
  observe(packet: Buffer, nowMs: number): void {
    const ssrc = rtpSsrc(packet);
    const timestamp = rtpTimestamp(packet);
    const sequenceNumber = rtpSequenceNumber(packet);
    if (ssrc !== this.#ssrc) {
      this.#ssrc = ssrc;
      this.#packetTimeMs = undefined;
    } else if (sequenceNumber === this.#nextSequenceNumber) {
      const ticks = sequenceDistance32(this.#timestamp, timestamp);
      const packetTimeMs = (ticks * 1000) / this.#clockRate;
      if (packetTimeMs > 0 && packetTimeMs <= MAX_PACKET_TIME_MS) this.#packetTimeMs = packetTimeMs;
    } else if (sequenceDistance32(this.#timestamp, timestamp) < 0) {
      // A late packet says nothing new about now.
      return;
    }
    this.#head = packet.readUInt16BE(0) & WITHOUT_MARKER;
    this.#timestamp = timestamp;
    this.#atMs = nowMs;
    this.#nextSequenceNumber = addSequence16(sequenceNumber, 1);
  }

  /** The stream's timestamp at `nowMs`; meaningless before the first packet. */
  at(nowMs: number): number {
    const elapsedTicks = Math.round(((nowMs - this.#atMs) * this.#clockRate) / 1000);
    return addSequence32(this.#timestamp, elapsedTicks);
  }

  /** Like `at`, for audio that joins the stream: behind the whole packet before it. */
  behindLast(nowMs: number): number {
    const packetTicks = Math.round(((this.#packetTimeMs ?? 0) * this.#clockRate) / 1000);
    const least = addSequence32(this.#timestamp, packetTicks);
    const now = this.at(nowMs);
    return sequenceDistance32(now, least) > 0 ? least : now;
  }
}
