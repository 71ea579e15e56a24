/**
 * RTCP compound packets, read and rewritten in place (RFC 3550 §6).
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|   RC    |      PT       |     length in words - 1       |   one packet of the compound
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Sender report (200): SSRC, NTP time (8), RTP timestamp, packet count at 20, octet count, blocks from 28.
 * Receiver report (201): SSRC, blocks from 8. A block: SSRC, lost (4), extended highest sequence at 8 …,
 * 24 bytes in all.
 *
 * Offsets given to the accessors are those `nextRtcpOffset` walks over.
 */

export const RTCP_SENDER_REPORT = 200;
export const RTCP_RECEIVER_REPORT = 201;

const RTCP_HEADER_BYTES = 8;
const VERSION_MASK = 0xc0;
const VERSION_2 = 0x80;
const REPORT_COUNT_MASK = 0x1f;
const FIRST_PACKET_TYPE = 192;
const LAST_PACKET_TYPE = 223;
const PACKET_COUNT_AT = 20;
const SENDER_BLOCKS_AT = 28;
const RECEIVER_BLOCKS_AT = 8;
const REPORT_BLOCK_BYTES = 24;
const HIGHEST_SEQUENCE_AT = 8;

/** Whether the bytes can be an RTCP compound: version 2, whole first packet, packet type 192–223. */
export function isRtcp(compound: Buffer): boolean {
  if (compound.length < RTCP_HEADER_BYTES) return false;
  if ((compound.readUInt8(0) & VERSION_MASK) !== VERSION_2) return false;
  const packetType = compound.readUInt8(1);
  if (packetType < FIRST_PACKET_TYPE || packetType > LAST_PACKET_TYPE) return false;
  return rtcpPacketBytes(compound, 0) <= compound.length;
}

export function rtcpPacketType(compound: Buffer, offset: number): number {
  return compound.readUInt8(offset + 1);
}

/** SSRC of the sender of the packet at `offset`. */
export function rtcpSenderSsrc(compound: Buffer, offset: number): number {
  return compound.readUInt32BE(offset + 4);
}

/** Length of the packet at `offset` by its own header. */
export function rtcpPacketBytes(compound: Buffer, offset: number): number {
  return (compound.readUInt16BE(offset + 2) + 1) * 4;
}

/**
 * Offset of the packet behind the one at `offset`.
 *
 * @returns `undefined` at the end, and where the rest is no whole packet.
 */
export function nextRtcpOffset(compound: Buffer, offset: number): number | undefined {
  const next = offset + rtcpPacketBytes(compound, offset);
  if (next + RTCP_HEADER_BYTES > compound.length) return undefined;
  return next + rtcpPacketBytes(compound, next) <= compound.length ? next : undefined;
}

/** Moves the packet count of the sender report at `offset`; a packet too short for one is left alone. */
export function shiftSenderPacketCount(compound: Buffer, offset: number, packets: number): void {
  if (rtcpPacketBytes(compound, offset) < SENDER_BLOCKS_AT) return;
  const at = offset + PACKET_COUNT_AT;
  compound.writeUInt32BE((compound.readUInt32BE(at) + packets) >>> 0, at);
}

/** Packet count of the sender report at `offset`; `undefined` when it is too short for one. */
export function senderPacketCount(compound: Buffer, offset: number): number | undefined {
  if (rtcpPacketBytes(compound, offset) < SENDER_BLOCKS_AT) return undefined;
  return compound.readUInt32BE(offset + PACKET_COUNT_AT);
}

/**
 * Moves the extended highest sequence number in each report block about `ssrc` within the
 * sender or receiver report at `offset`; other packet types are left alone.
 */
export function shiftHighestSequence(
  compound: Buffer,
  offset: number,
  ssrc: number,
  steps: number,
): void {
  for (const block of reportBlockOffsets(compound, offset)) {
    if (compound.readUInt32BE(block) !== ssrc) continue;
    const at = block + HIGHEST_SEQUENCE_AT;
    compound.writeUInt32BE((compound.readUInt32BE(at) + steps) >>> 0, at);
  }
}

/** One report block as far as this project reads it (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  readonly extendedHighestSequence: number;
}

/** The whole report blocks of the sender or receiver report at `offset`. */
export function readReportBlocks(compound: Buffer, offset: number): ReportBlock[] {
  return reportBlockOffsets(compound, offset).map((block) => ({
    ssrc: compound.readUInt32BE(block),
    extendedHighestSequence: compound.readUInt32BE(block + HIGHEST_SEQUENCE_AT),
  }));
}

function reportBlockOffsets(compound: Buffer, offset: number): number[] {
  const packetType = rtcpPacketType(compound, offset);
  if (packetType !== RTCP_SENDER_REPORT && packetType !== RTCP_RECEIVER_REPORT) return [];
  const first = packetType === RTCP_SENDER_REPORT ? SENDER_BLOCKS_AT : RECEIVER_BLOCKS_AT;
  const end = offset + rtcpPacketBytes(compound, offset);
  const count = compound.readUInt8(offset) & REPORT_COUNT_MASK;
  const offsets: number[] = [];
  for (let index = 0; index < count; index++) {
    const block = offset + first + index * REPORT_BLOCK_BYTES;
    if (block + REPORT_BLOCK_BYTES > end) break;
    offsets.push(block);
  }
  return offsets;
}
