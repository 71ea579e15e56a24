/**
 * Keeps RTCP true to the RTP of both directions where what leaves is not what came:
 *
 *                                    digits put in            our own stream (own-stream.ts)
 *   SSRC of the sender's packets     -                        ours; a BYE is left alone, since the
 *                                                             stream goes on without that source
 *   sender report, packet count      packets we sent          and those before the source came
 *   sender report, octet count       the same in octets, and for good: sent-octets.ts
 *   sender report, RTP timestamp     -                        moved as in RTP
 *   report about the stream          in the sender's numbers  and with the sender's SSRC; one about
 *                                                             the time before the source is left
 *                                                             alone, its SSRC means nothing to it
 *
 * Nothing is touched where both directions leave as they came.
 */

import {
  nextRtcpOffset,
  RTCP_SENDER_REPORT,
  rtcpPacketType,
  rtcpSenderSsrc,
  senderPacketCount,
  shiftHighestSequence,
  shiftSenderPacketCount,
} from '../wire/rtcp.ts';
import { addSequence32 } from '../wire/sequence.ts';
import { renameMediaSource, renameSender, reportBlocksAbout } from './rtcp-names.ts';
import type { Carrying, OwnStream } from './own-stream.ts';
import type { SentOctets } from './sent-octets.ts';
import type { SequenceOffset } from './sequence-offset.ts';

const REPORT_TIMESTAMP_AT = 16;
const OCTET_COUNT_AT = 24;
const HIGHEST_SEQUENCE_AT = 8;

/** What RTCP has to know of a direction. */
export interface SentStream {
  readonly numbers: SequenceOffset;
  readonly own: OwnStream;
  readonly octets: SentOctets;
}

/** Rewrites `compound` in place; `sent` is what its sender sends, `heard` what it reports about. */
export function adjustRtcp(compound: Buffer, sent: SentStream, heard: SentStream): void {
  if (isUntouched(sent) && isUntouched(heard)) return;
  let offset: number | undefined = 0;
  while (offset !== undefined) {
    adjustSender(compound, offset, sent);
    adjustReports(compound, offset, heard);
    offset = nextRtcpOffset(compound, offset);
  }
}

function isUntouched({ numbers, own, octets }: SentStream): boolean {
  return numbers.ahead === 0 && own.carrying === undefined && octets.shift === 0;
}

function adjustSender(
  compound: Buffer,
  offset: number,
  { numbers, own, octets }: SentStream,
): void {
  const { carrying } = own;
  const sourceSsrc = carrying?.sourceSsrc ?? numbers.ssrc;
  const isReport = rtcpPacketType(compound, offset) === RTCP_SENDER_REPORT;
  if (isReport && rtcpSenderSsrc(compound, offset) === sourceSsrc) {
    shiftSenderPacketCount(compound, offset, numbers.ahead + (carrying?.packetsBefore ?? 0));
    shiftOctetCount(compound, offset, octets.shift);
    if (carrying !== undefined) shiftReportTime(compound, offset, carrying.timestampShift);
  }
  if (carrying !== undefined) renameSender(compound, offset, carrying.sourceSsrc, carrying.ssrc);
}

function adjustReports(compound: Buffer, offset: number, { numbers, own }: SentStream): void {
  const { carrying } = own;
  if (carrying === undefined) {
    if (numbers.ssrc === undefined) return;
    shiftHighestSequence(compound, offset, numbers.ssrc, -numbers.ahead);
    return;
  }
  for (const block of reportBlocksAbout(compound, offset, carrying.ssrc)) {
    restoreReport(compound, block, numbers.ahead, carrying);
  }
  renameMediaSource(compound, offset, carrying.ssrc, carrying.sourceSsrc);
}

/** Brings a report block about our stream into the names and numbers of the sender it carries. */
function restoreReport(compound: Buffer, block: number, ahead: number, carrying: Carrying): void {
  const at = block + HIGHEST_SEQUENCE_AT;
  const number = compound.readUInt32BE(at) - ahead;
  if (number < carrying.firstNumber) return;
  compound.writeUInt32BE(carrying.sourceSsrc, block);
  compound.writeUInt32BE((number - carrying.numberShift) >>> 0, at);
}

function shiftOctetCount(compound: Buffer, offset: number, octets: number): void {
  if (senderPacketCount(compound, offset) === undefined) return;
  const at = offset + OCTET_COUNT_AT;
  // Nobody has sent less than nothing: a sender whose count began anew behind our back.
  compound.writeUInt32BE(Math.max(0, compound.readUInt32BE(at) + octets) >>> 0, at);
}

function shiftReportTime(compound: Buffer, offset: number, ticks: number): void {
  // A report that says no packet count is too short for the rest as well.
  if (senderPacketCount(compound, offset) === undefined) return;
  const at = offset + REPORT_TIMESTAMP_AT;
  compound.writeUInt32BE(addSequence32(compound.readUInt32BE(at), ticks), at);
}
