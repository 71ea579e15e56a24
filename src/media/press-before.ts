import { rtpSsrc, rtpTimestamp } from '../wire/rtp.ts';
import { sequenceDistance32 } from '../wire/sequence.ts';
import { MAX_DURATION_TICKS } from '../wire/telephone-event.ts';

/** A press that was reported while its sender was on another stream. */
export interface PressBefore {
  readonly ssrc: number;
  readonly rtpTimestamp: number;
  readonly eventCode: number;
}

/** More segments than a key is held for: what comes later only looks like one. */
const MAX_SEGMENTS = 8;

/** Whether an event packet with `code` goes on with `press`, in its first segment or a later one (RFC 4733 §2.5.1.3). */
export function isOfPress(packet: Buffer, code: number, press: PressBefore): boolean {
  if (code !== press.eventCode || rtpSsrc(packet) !== press.ssrc) return false;
  const ticks = sequenceDistance32(press.rtpTimestamp, rtpTimestamp(packet));
  return (
    ticks >= 0 && ticks <= MAX_SEGMENTS * MAX_DURATION_TICKS && ticks % MAX_DURATION_TICKS === 0
  );
}
