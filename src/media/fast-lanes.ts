/**
 * The short way of audio that goes on as it did: packets of one source in a row, each with the timestamp that its place
 * says. A lane is one direction of a stream; what it has to know of a packet to let it pass, and what it counts, lies in
 * 64 bytes beside those of other lanes, where the long way reads some thirty objects.
 *
 *   closed --open(what the next packet looks like)--> open --take(that packet)--> open
 *                                                      '--take(any other)--> open; the long way has to take it
 *
 * Whoever opens a lane collects its count before the long way sees the direction again.
 */

import {
  RTP_HEADER_BYTES,
  rtpSequenceNumber,
  rtpSsrc,
  rtpTimestamp,
  setRtpPayloadType,
  setRtpSequenceNumber,
} from '../wire/rtp.ts';
import type { LaneCount, LaneStart } from './lane-state.ts';
import { JITTER_GAIN } from './reception-stats.ts';
import { WITHOUT_MARKER } from './stream-clock.ts';

/** Of one lane: a line of the caches. */
const LANE_BYTES = 64;
const WORDS = LANE_BYTES / Int32Array.BYTES_PER_ELEMENT;
const FLOATS = LANE_BYTES / Float64Array.BYTES_PER_ELEMENT;

/** Where in the 32-bit words of a lane … */
const HEAD = 0;
const SSRC = 1;
const NEXT_NUMBER = 2;
const NEXT_TIMESTAMP = 3;
const TICKS = 4;
const CLOCK_RATE = 5;
const PACKETS = 6;
const BYTES = 7;
const TRANSIT = 8;
/** 1 when something of the packet changes; then the next two. */
const IS_CHANGED = 9;
const NUMBER_OFFSET = 10;
const PAYLOAD_TYPE = 11;
/** … and in its 64-bit floats. */
const AT_MS = 6;
const JITTER = 7;

/** The head of no packet. */
const CLOSED = -1;

const PAYLOAD_TYPE_MASK = 0x7f;

/** Lanes of one thread: more directions take the long way. */
const MAX_LANES = 16_384;

export class FastLanes {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #free: number[] = [];
  #used = 0;

  constructor(limit = MAX_LANES) {
    const memory = new ArrayBuffer(limit * LANE_BYTES);
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
  }

  /** A lane that nobody has; `undefined` when there is none. */
  reserve(): number | undefined {
    const again = this.#free.pop();
    if (again !== undefined) return again;
    if (WORDS * this.#used >= this.#words.length) return undefined;
    this.#used += 1;
    return this.#used - 1;
  }

  /** Gives back a lane that is closed and counted. */
  release(lane: number): void {
    this.close(lane);
    this.#free.push(lane);
  }

  /** From now on `take` takes what `start` says. */
  open(lane: number, start: LaneStart): void {
    const at = WORDS * lane;
    const words = this.#words;
    const { transit } = start;
    words[at + SSRC] = start.ssrc;
    words[at + NEXT_NUMBER] = start.nextSequenceNumber;
    words[at + NEXT_TIMESTAMP] = start.nextTimestamp;
    words[at + TICKS] = start.ticks;
    words[at + CLOCK_RATE] = transit.clockRate;
    words[at + PACKETS] = 0;
    words[at + BYTES] = 0;
    words[at + TRANSIT] = transit.ticks;
    const isChanged =
      start.numberOffset !== 0 || start.payloadType !== (start.head & PAYLOAD_TYPE_MASK);
    words[at + IS_CHANGED] = isChanged ? 1 : 0;
    words[at + NUMBER_OFFSET] = start.numberOffset;
    words[at + PAYLOAD_TYPE] = start.payloadType;
    this.#floats[FLOATS * lane + JITTER] = transit.jitterTicks;
    words[at + HEAD] = start.head;
  }

  /** Takes nothing more; what was counted stays. */
  close(lane: number): void {
    this.#words[WORDS * lane + HEAD] = CLOSED;
  }

  /**
   * Whether the packet is the one that is next, at `nowMs`: then it is counted, and is to leave as it is now, changed in
   * place where numbers or payload type have to be. If not, nothing has happened.
   */
  take(lane: number, packet: Buffer, nowMs: number): boolean {
    const at = WORDS * lane;
    const words = this.#words;
    if (packet.length < RTP_HEADER_BYTES) return false;
    const head = packet.readUInt16BE(0);
    const sequenceNumber = rtpSequenceNumber(packet);
    const timestamp = rtpTimestamp(packet) | 0;
    if ((head & WITHOUT_MARKER) !== words[at + HEAD]) return false;
    if (sequenceNumber !== words[at + NEXT_NUMBER]) return false;
    if (timestamp !== words[at + NEXT_TIMESTAMP]) return false;
    if ((rtpSsrc(packet) | 0) !== words[at + SSRC]) return false;
    words[at + NEXT_NUMBER] = (sequenceNumber + 1) & 0xffff;
    words[at + NEXT_TIMESTAMP] = timestamp + (words[at + TICKS] ?? 0);
    words[at + PACKETS] = (words[at + PACKETS] ?? 0) + 1;
    words[at + BYTES] = (words[at + BYTES] ?? 0) + packet.length;
    this.#measure(lane, timestamp, nowMs);
    if (words[at + IS_CHANGED] === 0) return true;
    setRtpSequenceNumber(packet, (sequenceNumber + (words[at + NUMBER_OFFSET] ?? 0)) & 0xffff);
    setRtpPayloadType(packet, words[at + PAYLOAD_TYPE] ?? 0);
    return true;
  }

  /** What has passed since this was asked last; `undefined`: nothing. */
  collect(lane: number): LaneCount | undefined {
    const at = WORDS * lane;
    const words = this.#words;
    const word = (index: number): number => words[at + index] ?? 0;
    const packets = word(PACKETS);
    if (packets === 0) return undefined;
    const count: LaneCount = {
      packets,
      bytes: word(BYTES),
      sequenceNumber: (word(NEXT_NUMBER) - 1) & 0xffff,
      timestamp: (word(NEXT_TIMESTAMP) - word(TICKS)) >>> 0,
      atMs: this.#floats[FLOATS * lane + AT_MS] ?? 0,
      transit: {
        ticks: word(TRANSIT),
        jitterTicks: this.#floats[FLOATS * lane + JITTER] ?? 0,
        clockRate: word(CLOCK_RATE),
      },
    };
    words[at + PACKETS] = 0;
    words[at + BYTES] = 0;
    return count;
  }

  /** As ReceptionStats does. */
  #measure(lane: number, timestamp: number, nowMs: number): void {
    const at = WORDS * lane;
    const words = this.#words;
    const floats = this.#floats;
    const arrivalTicks = Math.round((nowMs * (words[at + CLOCK_RATE] ?? 0)) / 1000) | 0;
    const transitTicks = (arrivalTicks - timestamp) | 0;
    const change = Math.abs((transitTicks - (words[at + TRANSIT] ?? 0)) | 0);
    const jitterAt = FLOATS * lane + JITTER;
    const jitterTicks = floats[jitterAt] ?? 0;
    floats[jitterAt] = jitterTicks + (change - jitterTicks) * JITTER_GAIN;
    floats[FLOATS * lane + AT_MS] = nowMs;
    words[at + TRANSIT] = transitTicks;
  }
}
