/**
 * RTP packets, read and rewritten in place (RFC 3550 §5.1).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           synchronization source (SSRC) identifier            |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |            contributing sources, CC times 4 bytes             |
 * |       header extension: profile, length in words, words       |
 * |                            payload                            |
 * |                    padding, its size last                     |
 *
 * Every accessor but `isRtp` expects a packet that `isRtp` accepted.
 */

/** Bytes of the fixed header. */
export const RTP_HEADER_BYTES = 12;

const VERSION_MASK = 0xc0;
const VERSION_2 = 0x80;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const CSRC_COUNT_MASK = 0x0f;
const MARKER_BIT = 0x80;
const PAYLOAD_TYPE_MASK = 0x7f;

/** With the marker bit these payload types read as RTCP packet types 192–223 (RFC 5761 §4). */
const FIRST_RTCP_PAYLOAD_TYPE = 64;
const LAST_RTCP_PAYLOAD_TYPE = 95;

/** Whether the bytes can be an RTP packet: version 2, whole fixed header, not RTCP. */
export function isRtp(packet: Buffer): boolean {
  if (packet.length < RTP_HEADER_BYTES) return false;
  if ((packet.readUInt8(0) & VERSION_MASK) !== VERSION_2) return false;
  const payloadType = packet.readUInt8(1) & PAYLOAD_TYPE_MASK;
  return payloadType < FIRST_RTCP_PAYLOAD_TYPE || payloadType > LAST_RTCP_PAYLOAD_TYPE;
}

export function rtpMarker(packet: Buffer): boolean {
  return (packet.readUInt8(1) & MARKER_BIT) !== 0;
}

export function rtpPayloadType(packet: Buffer): number {
  return packet.readUInt8(1) & PAYLOAD_TYPE_MASK;
}

/** Replaces the payload type; the marker stays as it is. */
export function setRtpPayloadType(packet: Buffer, payloadType: number): void {
  packet.writeUInt8((packet.readUInt8(1) & MARKER_BIT) | (payloadType & PAYLOAD_TYPE_MASK), 1);
}

export function rtpSequenceNumber(packet: Buffer): number {
  return packet.readUInt16BE(2);
}

export function setRtpSequenceNumber(packet: Buffer, sequenceNumber: number): void {
  packet.writeUInt16BE(sequenceNumber, 2);
}

export function rtpTimestamp(packet: Buffer): number {
  return packet.readUInt32BE(4);
}

export function rtpSsrc(packet: Buffer): number {
  return packet.readUInt32BE(8);
}

/**
 * Where the payload begins, contributing sources and header extension skipped.
 *
 * @returns `undefined` when the header says more than the packet holds.
 */
export function rtpPayloadStart(packet: Buffer): number | undefined {
  const first = packet.readUInt8(0);
  let start = RTP_HEADER_BYTES + (first & CSRC_COUNT_MASK) * 4;
  if ((first & EXTENSION_BIT) !== 0) {
    if (start + 4 > packet.length) return undefined;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  return start <= packet.length ? start : undefined;
}

/**
 * The payload without header and padding, as a view of the same bytes.
 *
 * @returns `undefined` when header or padding say more than the packet holds.
 */
export function readRtpPayload(packet: Buffer): Buffer | undefined {
  const start = rtpPayloadStart(packet);
  if (start === undefined) return undefined;
  if ((packet.readUInt8(0) & PADDING_BIT) === 0) return packet.subarray(start);
  const paddingBytes = packet.readUInt8(packet.length - 1);
  const end = packet.length - paddingBytes;
  return paddingBytes > 0 && end >= start ? packet.subarray(start, end) : undefined;
}

/** The fields of a packet without contributing sources, extension and padding. */
export interface RtpHeader {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/**
 * Writes the fixed header at the start of `target`.
 *
 * @throws RangeError when a field does not fit its width or `target` is too short.
 */
export function writeRtpHeader(header: RtpHeader, target: Buffer): void {
  if (header.payloadType > PAYLOAD_TYPE_MASK) {
    throw new RangeError(`payload type ${header.payloadType} exceeds 127`);
  }
  target.writeUInt32BE(header.ssrc, 8);
  target.writeUInt32BE(header.timestamp, 4);
  target.writeUInt16BE(header.sequenceNumber, 2);
  target.writeUInt8((header.marker ? MARKER_BIT : 0) | header.payloadType, 1);
  target.writeUInt8(VERSION_2, 0);
}
