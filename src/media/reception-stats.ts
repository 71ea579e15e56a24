/** Loss and jitter of one received RTP stream (RFC 3550 §A.1, §A.3, §A.8); a new SSRC starts anew. */

import type { LaneCount, Transit } from './lane-state.ts';
import { sequenceDistance16, sequenceDistance32 } from '../wire/sequence.ts';

/** Jumps beyond these are a restarted sender, not loss or reordering (RFC 3550 §A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** Smoothing of the jitter estimate (RFC 3550 §6.4.1). */
export const JITTER_GAIN = 1 / 16;

/** What was lost, where only samples come here: off by what arrived between the last one and the count. */
const COUNT_SLACK = 3;

/** While most packets are counted elsewhere. */
interface Sampling {
  /** Of this stream, by the last count. */
  lost: number;
  countedAtMs: number;
  /** Packets counted elsewhere behind the last one that came here. */
  unseen: number;
  /** Whether a packet came here since the last count. */
  isSeen: boolean;
  /** The next packet that comes here ends it. */
  isEnding: boolean;
}

export class ReceptionStats {
  #ssrc: number | undefined;
  #highest = 0;
  #expected = 0;
  #received = 0;
  /** Of the streams before this one. */
  #earlierLost = 0;
  #lastTransitTicks: number | undefined;
  #jitterTicks = 0;
  #clockRate = 8000;
  #countedAtMs = 0;
  #sampling: Sampling | undefined;

  /** Clock of the stream's timestamps, ticks per second. */
  set clockRate(ticksPerSecond: number) {
    this.#clockRate = ticksPerSecond;
  }

  get lostPackets(): number {
    return this.#earlierLost + (this.#sampling?.lost ?? this.#missing);
  }

  /** Packets counted elsewhere behind the last one that came here: an estimate. */
  get unseenPackets(): number {
    return Math.round(this.#sampling?.unseen ?? 0);
  }

  get jitterMs(): number {
    return (this.#jitterTicks * 1000) / this.#clockRate;
  }

  /** Counts the sequence number of a packet. */
  count(ssrc: number, sequenceNumber: number, nowMs: number): void {
    this.#countedAtMs = nowMs;
    const steps = sequenceDistance16(this.#highest, sequenceNumber);
    if (ssrc !== this.#ssrc || steps > MAX_DROPOUT || steps < -MAX_MISORDER) {
      this.#restart(ssrc, sequenceNumber);
      return;
    }
    this.#received += 1;
    if (this.#sampling !== undefined) this.#sample(this.#sampling, steps);
    if (steps > 0) {
      this.#highest = sequenceNumber;
      this.#expected += steps;
    }
  }

  /** Measures the arrival of a packet whose timestamp is that of its first sample. */
  measure(timestamp: number, nowMs: number): void {
    const arrivalTicks = Math.round((nowMs * this.#clockRate) / 1000) >>> 0;
    const transitTicks = sequenceDistance32(timestamp, arrivalTicks);
    if (this.#lastTransitTicks !== undefined) {
      const change = Math.abs(sequenceDistance32(this.#lastTransitTicks, transitTicks));
      this.#jitterTicks += (change - this.#jitterTicks) * JITTER_GAIN;
    }
    this.#lastTransitTicks = transitTicks;
  }

  /** How the last packet came, if it was `sequenceNumber` of `ssrc` and all packets come here. */
  transitBehind(ssrc: number, sequenceNumber: number): Transit | undefined {
    const ticks = this.#lastTransitTicks;
    const isLast = ssrc === this.#ssrc && sequenceNumber === this.#highest;
    if (!isLast || ticks === undefined || this.#sampling !== undefined) return undefined;
    return { ticks, jitterTicks: this.#jitterTicks, clockRate: this.#clockRate };
  }

  /** Counts packets in a row behind the last one. */
  countLane({ packets, sequenceNumber, atMs, transit }: LaneCount): void {
    this.#received += packets;
    this.#expected += packets;
    this.#highest = sequenceNumber;
    this.#countedAtMs = atMs;
    this.#lastTransitTicks = transit.ticks;
    this.#jitterTicks = transit.jitterTicks;
  }

  /** From now on most packets are counted elsewhere, and the others come here. */
  beginSampling(nowMs: number): void {
    const lost = this.#missing;
    this.#sampling = { lost, countedAtMs: nowMs, unseen: 0, isSeen: false, isEnding: false };
  }

  /** `packets` were counted elsewhere since the last time. */
  countElsewhere(packets: number, nowMs: number): void {
    this.#received += packets;
    const sampling = this.#sampling;
    if (sampling === undefined) return;
    const sinceMs = Math.max(0, nowMs - this.#countedAtMs);
    const periodMs = nowMs - sampling.countedAtMs;
    if (sampling.isSeen) sampling.unseen = packets * Math.min(1, sinceMs / Math.max(1, periodMs));
    else sampling.unseen += packets;
    sampling.isSeen = false;
    sampling.countedAtMs = nowMs;
    const lost = Math.floor(this.#missingBy(sampling.unseen)) - COUNT_SLACK;
    sampling.lost = Math.max(sampling.lost, lost);
  }

  /** All packets come here again, the next one included. */
  endSampling(): void {
    if (this.#sampling !== undefined) this.#sampling.isEnding = true;
  }

  #sample(sampling: Sampling, steps: number): void {
    if (sampling.isEnding && steps > 0) this.#sampling = undefined;
    else sampling.isSeen = true;
  }

  get #missing(): number {
    return Math.max(0, this.#missingBy(0));
  }

  /** What is missing of the packets up to the last one here, `unseen` of those received being behind it. */
  #missingBy(unseen: number): number {
    return this.#expected - this.#received + unseen;
  }

  #restart(ssrc: number, sequenceNumber: number): void {
    this.#earlierLost = this.lostPackets;
    this.#sampling = undefined;
    this.#ssrc = ssrc;
    this.#highest = sequenceNumber;
    this.#expected = 1;
    this.#received = 1;
    this.#jitterTicks = 0;
    this.#lastTransitTicks = undefined;
  }
}
