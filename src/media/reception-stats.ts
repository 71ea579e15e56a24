/** Loss and jitter of one received RTP stream (RFC 3550 §A.1, §A.3, §A.8); a new SSRC starts anew. */

import type { LaneCount, Transit } from './lane-state.ts';
import { LATE_MS, SampledLoss } from './sampled-loss.ts';
import { sequenceDistance16, sequenceDistance32 } from '../wire/sequence.ts';

/** Jumps beyond these are a restarted sender, not loss or reordering (RFC 3550 §A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** Smoothing of the jitter estimate (RFC 3550 §6.4.1). */
export const JITTER_GAIN = 1 / 16;

/** Behind the end of a sampling whose last count is missing, packets that were overtaken here may still come. */
const UNTOLD_MS = 200;

/** While most packets are counted elsewhere. */
interface Sampling {
  readonly loss: SampledLoss;
  countedAtMs: number;
  /** Packets counted elsewhere behind the last one that came here. */
  unseen: number;
  /** Whether a packet came here since the last count. */
  isSeen: boolean;
  end: SamplingEnd | undefined;
}

/** How it ends: with the next packet that comes here, or, if the last count is missing, once numbers tell no more of it. */
type SamplingEnd =
  | { readonly type: 'told' }
  | { readonly type: 'untold'; readonly untilMs: number };

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
  /** Taken from numbers alone, since they were asked for last. */
  #estimated = 0;
  /** The last hole in the numbers, and what was missing before it. */
  #gap = { atMs: -Infinity, missingBefore: 0 };

  /** Clock of the stream's timestamps, ticks per second. */
  set clockRate(ticksPerSecond: number) {
    this.#clockRate = ticksPerSecond;
  }

  get lostPackets(): number {
    return this.#earlierLost + (this.#ownSampling?.loss.lost ?? this.#missing);
  }

  /** Packets counted elsewhere behind the last one that came here: an estimate. */
  get unseenPackets(): number {
    return Math.round(this.#ownSampling?.unseen ?? 0);
  }

  /** Packets that no count has told of, only the numbers of those behind them; asked for once. */
  takeEstimated(): number {
    const estimated = this.#estimated;
    this.#estimated = 0;
    return estimated;
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
    if (steps > 0) {
      if (steps > 1) this.#noteGap(nowMs);
      this.#highest = sequenceNumber;
      this.#expected += steps;
    }
    if (this.#sampling !== undefined) this.#sample(this.#sampling, steps, nowMs);
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
    if (this.#ssrc === undefined) return;
    // What is missing since a moment may still come.
    const { atMs, missingBefore } = this.#gap;
    const missing = nowMs - atMs < LATE_MS ? missingBefore : this.#missing;
    const lost = this.#ownSampling?.loss.lost ?? Math.min(missing, this.#missing);
    const loss = new SampledLoss(this.#ssrc, lost);
    this.#sampling = { loss, countedAtMs: nowMs, unseen: 0, isSeen: false, end: undefined };
  }

  /** `packets` were counted elsewhere since the last time, in a count asked for at `askedAtMs`. */
  countElsewhere(packets: number, askedAtMs: number, nowMs: number): void {
    const sampling = this.#ownSampling;
    if (sampling === undefined) return;
    this.#received += packets;
    const sinceMs = Math.max(0, nowMs - this.#countedAtMs);
    const periodMs = nowMs - sampling.countedAtMs;
    if (sampling.isSeen) sampling.unseen = packets * Math.min(1, sinceMs / Math.max(1, periodMs));
    else sampling.unseen += packets;
    sampling.isSeen = false;
    sampling.countedAtMs = nowMs;
    sampling.loss.counted(packets, askedAtMs);
  }

  /** What was counted elsewhere since the last time will never be known: numbers have to tell. */
  missCount(nowMs: number): void {
    const sampling = this.#ownSampling;
    if (sampling === undefined) return;
    sampling.end = { type: 'untold', untilMs: nowMs + UNTOLD_MS };
    this.#estimate(sampling);
  }

  /** All packets come here again, the next one included. */
  endSampling(): void {
    if (this.#ownSampling === undefined) this.#sampling = undefined;
    else this.#ownSampling.end ??= { type: 'told' };
  }

  /** The sampling, if it is of this stream and not of the one before. */
  get #ownSampling(): Sampling | undefined {
    const sampling = this.#sampling;
    return sampling?.loss.ssrc === this.#ssrc ? sampling : undefined;
  }

  #sample(sampling: Sampling, steps: number, nowMs: number): void {
    const { loss, end } = sampling;
    if (sampling !== this.#ownSampling) return;
    if (end === undefined) {
      sampling.isSeen = true;
      if (steps > 0) loss.came(this.#missingByNumbers, nowMs);
      else loss.cameLate();
    } else if (end.type === 'untold') {
      this.#estimate(sampling);
      if (nowMs >= end.untilMs) this.#sampling = undefined;
    } else if (steps > 0) {
      this.#sampling = undefined;
    }
  }

  /** Takes what is missing beyond what is lost for certain as received. */
  #estimate({ loss }: Sampling): void {
    const untold = Math.max(0, this.#missingByNumbers - loss.lost);
    this.#received += untold;
    this.#estimated += untold;
  }

  #noteGap(nowMs: number): void {
    const { atMs, missingBefore } = this.#gap;
    const isNear = nowMs - atMs < LATE_MS;
    this.#gap = { atMs: nowMs, missingBefore: isNear ? missingBefore : this.#missing };
  }

  get #missing(): number {
    return Math.max(0, this.#missingByNumbers);
  }

  /** What is missing of the packets up to the last one here; below 0 where others were counted behind it. */
  get #missingByNumbers(): number {
    return this.#expected - this.#received;
  }

  #restart(ssrc: number, sequenceNumber: number): void {
    this.#earlierLost = this.lostPackets;
    // Should it come back, its packets are still counted elsewhere.
    this.#restartSampling();
    this.#gap = { atMs: -Infinity, missingBefore: 0 };
    this.#ssrc = ssrc;
    this.#highest = sequenceNumber;
    this.#expected = 1;
    this.#received = 1;
    this.#jitterTicks = 0;
    this.#lastTransitTicks = undefined;
  }

  #restartSampling(): void {
    const sampling = this.#sampling;
    if (sampling === undefined) return;
    if (sampling.end !== undefined) {
      this.#sampling = undefined;
      return;
    }
    sampling.loss.restart();
    sampling.unseen = 0;
    sampling.isSeen = true;
  }
}
