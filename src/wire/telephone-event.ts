/**
 * Telephone-event RTP payload: one key press as 4 bytes (RFC 4733 §2.3).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     event     |E|R| volume    |          duration             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * A payload may hold several such blocks, one contiguous event after the other (§2.5.1.5).
 */

/** The DTMF keys, each at the index of its event code (RFC 4733 §3.2). */
// oxfmt-ignore
export const ALL_DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'] as const;
export type Digit = (typeof ALL_DIGITS)[number];

/** Flash hook: defined by RFC 2833, reserved by RFC 4733, `R` in KPML (RFC 4730 §3.6.2). */
export const FLASH_EVENT_CODE = 16;

/** Bytes of one report. */
export const TELEPHONE_EVENT_BYTES = 4;

/** The longest duration one report can carry; longer events go on in a new segment (RFC 4733 §2.5.1.3). */
export const MAX_DURATION_TICKS = 0xffff;

const END_BIT = 0x80;
const VOLUME_MASK = 0x3f;

export interface TelephoneEvent {
  /** Event code, 0–255; 0–15 are the DTMF digits (RFC 4733 §3.2). */
  readonly code: number;
  readonly isEnd: boolean;
  /** Tone level in dBm0 with the sign dropped: 0 is loudest, 63 quietest. */
  readonly volume: number;
  /** How long the event has lasted so far, in RTP timestamp ticks (1/8000 s at 8 kHz). */
  readonly durationTicks: number;
}

/** The event code of `digit`, 0–15. */
export function eventOfDigit(digit: Digit): number {
  return ALL_DIGITS.indexOf(digit);
}

/** The key of event `code`; `undefined` for anything but 0–15. */
export function digitOfEvent(code: number): Digit | undefined {
  return ALL_DIGITS[code];
}

/**
 * Reads the report at `offset` of `payload`.
 *
 * @returns `undefined` when fewer than 4 bytes are there; further bytes are ignored.
 */
export function readTelephoneEvent(payload: Buffer, offset = 0): TelephoneEvent | undefined {
  if (payload.length < offset + TELEPHONE_EVENT_BYTES) return undefined;
  const flags = payload.readUInt8(offset + 1);
  return {
    code: payload.readUInt8(offset),
    isEnd: (flags & END_BIT) !== 0,
    volume: flags & VOLUME_MASK,
    durationTicks: payload.readUInt16BE(offset + 2),
  };
}

/**
 * Writes `event` at `offset` of `target`.
 *
 * @throws RangeError when a field does not fit its width or `target` is too short.
 */
export function writeTelephoneEvent(event: TelephoneEvent, target: Buffer, offset = 0): void {
  if (event.volume > VOLUME_MASK) throw new RangeError(`volume ${event.volume} exceeds 63`);
  target.writeUInt8(event.code, offset);
  target.writeUInt8((event.isEnd ? END_BIT : 0) | event.volume, offset + 1);
  target.writeUInt16BE(event.durationTicks, offset + 2);
}

/** Whether `payload` has the length of one or more whole reports. */
export function isTelephoneEventPayload(payload: Buffer): boolean {
  return payload.length > 0 && payload.length % TELEPHONE_EVENT_BYTES === 0;
}

/** Event code of the report at `offset`, without reading the rest. */
export function telephoneEventCode(payload: Buffer, offset = 0): number {
  return payload.readUInt8(offset);
}

/**
 * Converts the duration of the report at `offset` from one clock to another, in place.
 * A result beyond 0xFFFF is cut to 0xFFFF.
 */
export function rescaleDuration(
  payload: Buffer,
  offset: number,
  fromClockRate: number,
  toClockRate: number,
): void {
  const ticks = Math.round((payload.readUInt16BE(offset + 2) * toClockRate) / fromClockRate);
  payload.writeUInt16BE(Math.min(ticks, MAX_DURATION_TICKS), offset + 2);
}
