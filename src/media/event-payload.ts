/** The payloads of packets, seen as telephone-events. */

import { readRtpPayload, rtpPayloadType } from '../wire/rtp.ts';
import { rescaleDuration, TELEPHONE_EVENT_BYTES } from '../wire/telephone-event.ts';
import type { EventMedia } from './media-engine.ts';

/** Fixed payload types below this cannot be events (RFC 3551 §6). */
const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;

/** Brings the durations of `payload` from the clock of one format to that of another. */
export function rescale(
  payload: Buffer,
  from: EventMedia | undefined,
  to: EventMedia | undefined,
): void {
  if (from === undefined || to === undefined || from.clockRate === to.clockRate) return;
  for (let offset = 0; offset < payload.length; offset += TELEPHONE_EVENT_BYTES) {
    rescaleDuration(payload, offset, from.clockRate, to.clockRate);
  }
}

/** Bytes of the payload of a packet; 0 when it cannot be read. */
export function payloadOctets(packet: Buffer): number {
  return readRtpPayload(packet)?.length ?? 0;
}

/** Whether a packet of an unknown payload type looks like one event report. */
export function isLikeEvent(packet: Buffer): boolean {
  if (rtpPayloadType(packet) < FIRST_DYNAMIC_PAYLOAD_TYPE) return false;
  return readRtpPayload(packet)?.length === TELEPHONE_EVENT_BYTES;
}
