/** What one stream has received, sent and dropped, per leg. */

import type { Side } from '../wire/side.ts';

/** Why a received packet went no further; also the metric labels. */
export const DROP_REASONS = [
  'not-rtp',
  'not-rtcp',
  'malformed',
  'unknown-source',
  'no-remote',
  'media-inactive',
  'late',
  'replaced-by-digit',
  'event-absorbed',
  'event-not-accepted',
  'bad-event-length',
  'digit-queue-full',
  'not-taken',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** Counters of one leg: `received…` came from its peer, `sent…` went to it. */
export interface LegCounters {
  receivedPackets: number;
  receivedBytes: number;
  sentPackets: number;
  sentBytes: number;
  receivedRtcpPackets: number;
  sentRtcpPackets: number;
  /** Telephone-event packets among the received ones. */
  eventPackets: number;
  /** Four-byte payloads on a number that is neither audio nor event here: digits nobody negotiated, dropped. */
  unnegotiatedEventPackets: number;
  /** Event packets generated towards this peer. */
  injectedPackets: number;
  /** RTP packets of this peer that never arrived, by sequence numbers (RFC 3550 §A.3). */
  lostPackets: number;
  /** Time in which of both peers, neither on hold, only this one sent; judged each second. */
  oneWayMs: number;
  /** Interarrival jitter of this peer's RTP (RFC 3550 §6.4.1). */
  jitterMs: number;
  /** `address:port` this peer's RTP is accepted from; `undefined` until locked. */
  source: string | undefined;
  /** Whether `source` was learnt rather than given by SDP. */
  isSourceLearnt: boolean;
  /** `address:port` of the last packet from anybody else. */
  lastStranger: string | undefined;
  /** Since the last accepted RTP packet of this peer (or the start of the stream). */
  quietMs: number;
  dropped: Record<DropReason, number>;
}

export type MediaCounters = Record<Side, LegCounters>;

/** Counters at zero. */
export function createLegCounters(): LegCounters {
  return {
    receivedPackets: 0,
    receivedBytes: 0,
    sentPackets: 0,
    sentBytes: 0,
    receivedRtcpPackets: 0,
    sentRtcpPackets: 0,
    eventPackets: 0,
    unnegotiatedEventPackets: 0,
    injectedPackets: 0,
    lostPackets: 0,
    oneWayMs: 0,
    jitterMs: 0,
    source: undefined,
    isSourceLearnt: false,
    lastStranger: undefined,
    quietMs: 0,
    dropped: {
      'not-rtp': 0,
      'not-rtcp': 0,
      malformed: 0,
      'unknown-source': 0,
      'no-remote': 0,
      'media-inactive': 0,
      late: 0,
      'replaced-by-digit': 0,
      'event-absorbed': 0,
      'event-not-accepted': 0,
      'bad-event-length': 0,
      'digit-queue-full': 0,
      'not-taken': 0,
    },
  };
}

/** Counters of both legs at zero. */
export function createCounters(): MediaCounters {
  return { caller: createLegCounters(), callee: createLegCounters() };
}

/** What two threads have counted one after the other; what is no count is the later one's. */
export function addCounters(
  before: MediaCounters | undefined,
  after: MediaCounters,
): MediaCounters {
  if (before === undefined) return after;
  return {
    caller: addLegCounters(before.caller, after.caller),
    callee: addLegCounters(before.callee, after.callee),
  };
}

const COUNTS = [
  'receivedPackets',
  'receivedBytes',
  'sentPackets',
  'sentBytes',
  'receivedRtcpPackets',
  'sentRtcpPackets',
  'eventPackets',
  'unnegotiatedEventPackets',
  'injectedPackets',
  'lostPackets',
  'oneWayMs',
] as const;

function addLegCounters(before: LegCounters, after: LegCounters): LegCounters {
  const sum: LegCounters = { ...after, dropped: { ...after.dropped } };
  for (const count of COUNTS) sum[count] += before[count];
  for (const reason of DROP_REASONS) sum.dropped[reason] += before.dropped[reason];
  return sum;
}
