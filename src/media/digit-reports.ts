/** What the main thread is told of the outputs of a relay that are not packets, in its own clock. */

import type { Side } from '../wire/side.ts';
import type { FinishedDigit } from './injection.ts';
import type { SentDigit } from './media-engine.ts';
import type { RelayOutput } from './relay-output.ts';
import type { RelayEvent } from './relay-protocol.ts';

export class DigitReports {
  readonly #clockOriginMs: number;

  /** `clockOriginMs`: wall-clock time at 0 of the times of the outputs. */
  constructor(clockOriginMs: number) {
    this.#clockOriginMs = clockOriginMs;
  }

  /** The report of a digit whose first end packet leaves at `nowMs`. */
  sentDigit(to: Side, finished: FinishedDigit, nowMs: number): SentDigit {
    const { digitId, rtpTimestamp } = finished;
    const firstPacketAtMs = this.#clockOriginMs + finished.firstPacketAtMs;
    const endPacketAtMs = this.#clockOriginMs + nowMs;
    return { to, digitId, rtpTimestamp, firstPacketAtMs, endPacketAtMs };
  }

  eventOf(streamKey: number, output: Exclude<RelayOutput, { type: 'packet' }>): RelayEvent {
    if (output.type === 'digitDropped') {
      const { to, digitId, reason } = output;
      return { type: 'digitDropped', streamKey, dropped: { to, digitId, reason } };
    }
    if (output.type === 'sourceLearnt') {
      return { type: 'sourceLearnt', streamKey, side: output.side, learnt: output.learnt };
    }
    const { side, output: detected } = output;
    const { digit, eventCode, ssrc, rtpTimestamp } = detected;
    const atMs = this.#clockOriginMs + detected.atMs;
    const fields = { side, digit, eventCode, ssrc, rtpTimestamp, atMs };
    if (detected.type === 'pressed') return { type: 'digitPressed', streamKey, digit: fields };
    const { durationMs } = detected;
    return { type: 'digitReleased', streamKey, digit: { ...fields, durationMs } };
  }
}
