/** Loss and jitter of one received RTP stream (RFC 3550 §A.1, §A.3, §A.8); a new SSRC starts anew. */

import { sequenceDistance16, sequenceDistance32 } from '../wire/sequence.ts';

/** Jumps beyond these are a restarted sender, not loss or reordering (RFC 3550 §A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** Smoothing of the jitter estimate (RFC 3550 §6.4.1). */
const JITTER_GAIN = 1 / 16;

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

  /** Clock of the stream's timestamps, ticks per second. */
  set clockRate(ticksPerSecond: number) {
    this.#clockRate = ticksPerSecond;
  }

  get lostPackets(): number {
    return this.#earlierLost + Math.max(0, this.#expected - this.#received);
  }

  get jitterMs(): number {
    return (this.#jitterTicks * 1000) / this.#clockRate;
  }

  /** Counts the sequence number of a packet. */
  count(ssrc: number, sequenceNumber: number): void {
    const steps = sequenceDistance16(this.#highest, sequenceNumber);
    if (ssrc !== this.#ssrc || steps > MAX_DROPOUT || steps < -MAX_MISORDER) {
      this.#restart(ssrc, sequenceNumber);
      return;
    }
    this.#received += 1;
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

  #restart(ssrc: number, sequenceNumber: number): void {
    this.#earlierLost = this.lostPackets;
    this.#ssrc = ssrc;
    this.#highest = sequenceNumber;
    this.#expected = 1;
    this.#received = 1;
    this.#jitterTicks = 0;
    this.#lastTransitTicks = undefined;
  }
}
