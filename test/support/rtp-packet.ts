/**
 * RTP as the test peers speak it: a codec of their own, so that an error in the product's codec is not mirrored.
 *
 *  V=2 P X CC | M PT | sequence number | timestamp | SSRC | payload
 */

/** The keys, each at the index of its event code (RFC 4733 §3.2). */
export const KEYS = '0123456789*#ABCD';

const FIXED_HEADER_BYTES = 12;

export interface RtpFields {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

export interface EventFields {
  readonly eventCode: number;
  readonly isEnd: boolean;
  readonly volume: number;
  /** In RTP timestamp ticks. */
  readonly durationTicks: number;
}

/** The bytes of one packet without CSRC, extension or padding. */
export function buildRtp(fields: RtpFields): Buffer {
  const header = Buffer.alloc(FIXED_HEADER_BYTES);
  header[0] = 2 << 6;
  header[1] = (fields.marker ? 128 : 0) + fields.payloadType;
  header.writeUInt16BE(fields.sequenceNumber % 65_536, 2);
  header.writeUInt32BE(fields.timestamp % 4_294_967_296, 4);
  header.writeUInt32BE(fields.ssrc, 8);
  return Buffer.concat([header, fields.payload]);
}

/** @returns `undefined` for anything that is no whole RTP packet. */
export function parseRtp(bytes: Buffer): RtpFields | undefined {
  if (bytes.length < FIXED_HEADER_BYTES) return undefined;
  const first = bytes.readUInt8(0);
  if (Math.floor(first / 64) !== 2) return undefined;
  let start = FIXED_HEADER_BYTES + (first % 16) * 4;
  if (first & 16) {
    if (bytes.length < start + 4) return undefined;
    start += 4 + bytes.readUInt16BE(start + 2) * 4;
  }
  const padding = first & 32 ? bytes.readUInt8(bytes.length - 1) : 0;
  const end = bytes.length - padding;
  if (end < start) return undefined;
  const second = bytes.readUInt8(1);
  return {
    payloadType: second % 128,
    marker: second >= 128,
    sequenceNumber: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    payload: Buffer.from(bytes.subarray(start, end)),
  };
}

/** The four bytes of a telephone-event report (RFC 4733 §2.3). */
export function buildEvent(fields: EventFields): Buffer {
  const flags = (fields.isEnd ? 128 : 0) + fields.volume;
  const ticks = fields.durationTicks;
  return Buffer.from([fields.eventCode, flags, Math.floor(ticks / 256), ticks % 256]);
}

/** @returns `undefined` unless the payload is exactly one report. */
export function parseEvent(payload: Buffer): EventFields | undefined {
  if (payload.length !== 4) return undefined;
  const [eventCode = 0, flags = 0, high = 0, low = 0] = payload;
  return { eventCode, isEnd: flags >= 128, volume: flags % 64, durationTicks: high * 256 + low };
}

/** Signed distance from `from` to `to` of a counter that wraps at `modulus`. */
export function wrapDistance(from: number, to: number, modulus: number): number {
  const forward = (((to - from) % modulus) + modulus) % modulus;
  return forward >= modulus / 2 ? forward - modulus : forward;
}

export const SEQUENCE_MODULUS = 65_536;
export const TIMESTAMP_MODULUS = 4_294_967_296;
