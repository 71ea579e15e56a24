/**
 * The sender's event that is passing now, kept so that it can be ended in its place when the stream goes away,
 * or the receiver is put on hold, in the middle of it: without an end the receiver may hear the tone for good.
 *
 *   none --packet without E--> passing --E, or QUIET_MS without a packet--> none
 *                                 | end(): three end packets in its name
 *                                 v
 *                               ended: its further packets do not pass
 */

import { QUIET_MS } from '../dtmf/digit-detector.ts';
import { RTP_HEADER_BYTES, rtpPayloadType, rtpTimestamp, writeRtpHeader } from '../wire/rtp.ts';
import { addSequence32 } from '../wire/sequence.ts';
import {
  readTelephoneEvent,
  MAX_DURATION_TICKS,
  TELEPHONE_EVENT_BYTES,
  writeTelephoneEvent,
  type TelephoneEvent,
} from '../wire/telephone-event.ts';
import type { SequenceOffset } from './sequence-offset.ts';

/** The final report is sent three times in all (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3;

interface Passing {
  readonly event: TelephoneEvent;
  readonly payloadType: number;
  readonly timestamp: number;
  /** Clock of its duration. */
  readonly clockRate: number;
  readonly lastAtMs: number;
}

export class RelayedEvent {
  #passing: Passing | undefined;
  #ended: Passing | undefined;

  /** Takes an event packet as it leaves: `payload` is its payload, with durations in ticks of `clockRate`. */
  note(packet: Buffer, payload: Buffer, clockRate: number, nowMs: number): void {
    const lastAt = payload.length - TELEPHONE_EVENT_BYTES;
    let timestamp = rtpTimestamp(packet);
    for (let offset = 0; offset < lastAt; offset += TELEPHONE_EVENT_BYTES) {
      // Contiguous events in one packet begin where the one before ends (§2.5.1.5).
      timestamp = addSequence32(timestamp, readTelephoneEvent(payload, offset)?.durationTicks ?? 0);
    }
    const event = readTelephoneEvent(payload, lastAt);
    if (event === undefined || event.isEnd) {
      // Repeats of an older end say nothing about the event that passes now.
      if (event?.code === this.#passing?.event.code) this.#passing = undefined;
      return;
    }
    const payloadType = rtpPayloadType(packet);
    this.#passing = { event, payloadType, timestamp, clockRate, lastAtMs: nowMs };
  }

  /** The end packets of the event that passes at `nowMs`; they take the next numbers of the stream. */
  end(numbers: SequenceOffset, nowMs: number): Buffer[] {
    const passing = this.#passing;
    const { ssrc } = numbers;
    this.#passing = undefined;
    if (passing === undefined || ssrc === undefined) return [];
    if (nowMs - passing.lastAtMs >= QUIET_MS) return [];
    this.#ended = passing;
    const { payloadType, timestamp } = passing;
    const event = { ...passing.event, isEnd: true, durationTicks: durationAt(passing, nowMs) };
    return Array.from({ length: END_PACKETS }, () => {
      const bytes = Buffer.alloc(RTP_HEADER_BYTES + TELEPHONE_EVENT_BYTES);
      const sequenceNumber = numbers.next();
      writeRtpHeader({ marker: false, payloadType, sequenceNumber, timestamp, ssrc }, bytes);
      writeTelephoneEvent(event, bytes, RTP_HEADER_BYTES);
      return bytes;
    });
  }

  /** Whether `packet` with event `code` goes on with an event that was ended here. */
  isEnded(packet: Buffer, code: number): boolean {
    return this.#ended?.timestamp === rtpTimestamp(packet) && this.#ended.event.code === code;
  }
}

/** The tone has lasted longer than it stated last. */
function durationAt({ event, clockRate, lastAtMs }: Passing, nowMs: number): number {
  const sinceTicks = Math.round(((nowMs - lastAtMs) * clockRate) / 1000);
  return Math.min(event.durationTicks + Math.max(1, sinceTicks), MAX_DURATION_TICKS);
}
