/** The SSRCs in RTCP packets, found and replaced in place (RFC 3550 §6.4–6.7, RFC 4585 §6.1, RFC 3611 §2). */

import { RTCP_RECEIVER_REPORT, RTCP_SENDER_REPORT, rtcpPacketType } from '../wire/rtcp.ts';

const SOURCE_DESCRIPTION = 202;
const APPLICATION_DEFINED = 204;
const TRANSPORT_FEEDBACK = 205;
const PAYLOAD_FEEDBACK = 206;
const EXTENDED_REPORT = 207;

/** Packet types whose second word is the SSRC of who sends them. */
const SENT_BY_SECOND_WORD: ReadonlySet<number> = new Set([
  RTCP_SENDER_REPORT,
  RTCP_RECEIVER_REPORT,
  APPLICATION_DEFINED,
  TRANSPORT_FEEDBACK,
  PAYLOAD_FEEDBACK,
  EXTENDED_REPORT,
]);

const SENDER_AT = 4;
const MEDIA_SOURCE_AT = 8;
const SENDER_BLOCKS_AT = 28;
const RECEIVER_BLOCKS_AT = 8;
const REPORT_BLOCK_BYTES = 24;
const COUNT_MASK = 0x1f;

/** Replaces `from` by `to` as the sender of the packet at `offset`; in source descriptions as the one described. */
export function renameSender(compound: Buffer, offset: number, from: number, to: number): void {
  const packetType = rtcpPacketType(compound, offset);
  if (SENT_BY_SECOND_WORD.has(packetType)) replace(compound, offset + SENDER_AT, from, to);
  if (packetType !== SOURCE_DESCRIPTION) return;
  for (const chunk of descriptionChunks(compound, offset)) replace(compound, chunk, from, to);
}

/** Replaces `from` by `to` as the stream that the feedback packet at `offset` is about. */
export function renameMediaSource(
  compound: Buffer,
  offset: number,
  from: number,
  to: number,
): void {
  const packetType = rtcpPacketType(compound, offset);
  if (packetType !== TRANSPORT_FEEDBACK && packetType !== PAYLOAD_FEEDBACK) return;
  const at = offset + MEDIA_SOURCE_AT;
  if (at + 4 <= packetEnd(compound, offset)) replace(compound, at, from, to);
}

/** Where the whole report blocks about `ssrc` begin in the sender or receiver report at `offset`. */
export function reportBlocksAbout(compound: Buffer, offset: number, ssrc: number): number[] {
  const packetType = rtcpPacketType(compound, offset);
  if (packetType !== RTCP_SENDER_REPORT && packetType !== RTCP_RECEIVER_REPORT) return [];
  const isSender = packetType === RTCP_SENDER_REPORT;
  const end = packetEnd(compound, offset);
  const count = compound.readUInt8(offset) & COUNT_MASK;
  const blocks: number[] = [];
  let block = offset + (isSender ? SENDER_BLOCKS_AT : RECEIVER_BLOCKS_AT);
  for (let index = 0; index < count && block + REPORT_BLOCK_BYTES <= end; index++) {
    if (compound.readUInt32BE(block) === ssrc) blocks.push(block);
    block += REPORT_BLOCK_BYTES;
  }
  return blocks;
}

/** Where the chunks of a source description begin: an SSRC, items, zeros up to the next word. */
function descriptionChunks(compound: Buffer, offset: number): number[] {
  const end = packetEnd(compound, offset);
  const count = compound.readUInt8(offset) & COUNT_MASK;
  const chunks: number[] = [];
  let at = offset + SENDER_AT;
  for (let index = 0; index < count && at + 4 <= end; index++) {
    chunks.push(at);
    let item = at + 4;
    while (item + 1 < end && compound.readUInt8(item) !== 0) {
      item += 2 + compound.readUInt8(item + 1);
    }
    // The zero that ends the items is followed by zeros up to the next word.
    at = item + 4 - ((item - offset) % 4);
  }
  return chunks;
}

function packetEnd(compound: Buffer, offset: number): number {
  return offset + (compound.readUInt16BE(offset + 2) + 1) * 4;
}

function replace(compound: Buffer, at: number, from: number, to: number): void {
  if (compound.readUInt32BE(at) === from) compound.writeUInt32BE(to, at);
}
