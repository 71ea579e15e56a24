/**
 * Packets that nobody but the ends can read or may change: SRTP, DTLS and STUN beside it, fax over UDPTL, data
 * channels. They pass byte for byte, from the peer alone; no digits are found in them and none put in.
 */

import { isRtp, rtpSequenceNumber, rtpSsrc } from '../wire/rtp.ts';
import type { RelayLeg } from './relay-leg.ts';
import type { RelayVerdict } from './relay-direction.ts';
import type { PacketSource } from './source-lock.ts';

/** The verdict on a datagram on the RTP port of `from`. */
export function relayOpaque(
  legs: { readonly from: RelayLeg; readonly to: RelayLeg },
  packet: Buffer,
  source: PacketSource,
  nowMs: number,
): RelayVerdict {
  const { from, to } = legs;
  const { counters } = from;
  if (!from.lock.acceptRtp(source, nowMs)) {
    counters.dropped[from.refuse(source)] += 1;
    return 'drop';
  }
  counters.receivedPackets += 1;
  counters.receivedBytes += packet.length;
  from.lastReceivedAtMs = nowMs;
  const isMedia = from.transport === 'srtp' && isRtp(packet);
  // The header of SRTP is in clear (RFC 3711 §3.1).
  if (isMedia) from.reception.count(rtpSsrc(packet), rtpSequenceNumber(packet), nowMs);
  if (!to.lock.hasRemote) {
    counters.dropped['no-remote'] += 1;
    return 'drop';
  }
  // Keys are agreed on and addresses are checked during a hold as well.
  if (isMedia && !to.canSend) {
    counters.dropped['media-inactive'] += 1;
    return 'drop';
  }
  to.counters.sentPackets += 1;
  to.counters.sentBytes += packet.length;
  return 'forward';
}
