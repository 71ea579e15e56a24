/**
 * Keeps RTCP plausible while one direction has sent more or fewer packets than its sender did:
 * sender reports count our packets, reports about the stream speak of the sender's own numbers.
 * Nothing is touched while the numbers are the sender's.
 */

import {
  nextRtcpOffset,
  RTCP_SENDER_REPORT,
  rtcpPacketType,
  rtcpSenderSsrc,
  shiftHighestSequence,
  shiftSenderPacketCount,
} from '../wire/rtcp.ts';
import type { SequenceOffset } from './sequence-offset.ts';

/** Rewrites `compound` in place; `sent` numbers what its sender sends, `heard` what it reports about. */
export function adjustRtcp(compound: Buffer, sent: SequenceOffset, heard: SequenceOffset): void {
  if (sent.ahead === 0 && heard.ahead === 0) return;
  let offset: number | undefined = 0;
  while (offset !== undefined) {
    const isSenderReport = rtcpPacketType(compound, offset) === RTCP_SENDER_REPORT;
    if (isSenderReport && rtcpSenderSsrc(compound, offset) === sent.ssrc) {
      shiftSenderPacketCount(compound, offset, sent.ahead);
    }
    if (heard.ssrc !== undefined) {
      shiftHighestSequence(compound, offset, heard.ssrc, -heard.ahead);
    }
    offset = nextRtcpOffset(compound, offset);
  }
}
