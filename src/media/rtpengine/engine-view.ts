/** What rtpengine says about a call (`query`, and the answer to `delete`), as far as it is of use and can be believed. */

import { z } from 'zod';
import { createCounters, type MediaCounters } from '../relay-counters.ts';
import { otherSide, SIDES, type Side } from '../../wire/side.ts';
import type { NgDictionary } from './rtpengine-node.ts';

const count = z.number().int().min(0);

const streamSchema = z.object({
  SSRC: z.number().int().optional(),
  'last packet': count.optional(),
  endpoint: z.object({ address: z.string(), port: z.number().int() }).optional(),
  flags: z.array(z.string()).optional(),
  stats: z.object({ packets: count, bytes: count, errors: count }),
});

const tagSchema = z.object({
  medias: z.array(z.object({ streams: z.array(streamSchema) })),
});

const identitySchema = z.object({
  created: count.optional(),
  tags: z.object({ caller: z.object({ label: z.string().optional() }).optional() }).optional(),
});

/** One leg, by what came from its peer. */
export interface LegView {
  readonly packets: number;
  readonly bytes: number;
  /** Packets that were not taken: wrong source, or nowhere to go. */
  readonly errors: number;
  readonly rtcpPackets: number;
  /** When the last RTP packet came, by the clock of rtpengine's host; whole seconds. */
  readonly lastPacketAtMs: number | undefined;
  /** Of the RTP that came last. */
  readonly ssrc: number | undefined;
  /** `address:port` of the peer's RTP, once a packet has come from it. */
  readonly source: string | undefined;
}

export type EngineView = Readonly<Record<Side, LegView>>;

/** @returns `undefined` when the answer has no such call, or lacks what it should have. */
export function readEngineView(answer: NgDictionary): EngineView | undefined {
  const read = z.object({ tags: z.record(z.string(), z.unknown()) }).safeParse(answer);
  if (!read.success) return undefined;
  const caller = legView(read.data.tags['caller']);
  const callee = legView(read.data.tags['callee']);
  return caller === undefined || callee === undefined ? undefined : { caller, callee };
}

/** Of the call that rtpengine tells of: the label of its caller, and the second it was begun in by rtpengine's clock. */
export function readIdentity(answer: NgDictionary): string {
  const read = identitySchema.safeParse(answer).data;
  return `${read?.created} ${read?.tags?.caller?.label}`;
}

function legView(tag: unknown): LegView | undefined {
  const read = tagSchema.safeParse(tag);
  const [rtp, rtcp] = read.data?.medias[0]?.streams ?? [];
  if (rtp === undefined) return undefined;
  const { stats, endpoint, flags = [], SSRC } = rtp;
  const lastPacketAtSeconds = rtp['last packet'];
  const isHeard = stats.packets > 0 && flags.includes('confirmed');
  return {
    ...stats,
    rtcpPackets: rtcp?.stats.packets ?? 0,
    lastPacketAtMs:
      stats.packets > 0 && lastPacketAtSeconds !== undefined
        ? lastPacketAtSeconds * 1000
        : undefined,
    ssrc: SSRC,
    source: isHeard && endpoint !== undefined ? formatEndpoint(endpoint) : undefined,
  };
}

function formatEndpoint({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What a stream itself knows beside rtpengine. */
export interface OwnCounts {
  readonly quietMs: number;
  readonly oneWayMs: number;
  readonly injectedPackets: number;
  /** Whether the source is learnt rather than given by SDP. */
  readonly isSourceLearnt: boolean;
}

/**
 * The counters of a stream. rtpengine counts what it takes from each side; what is sent to a peer is taken to be what the
 * other one sent, and losses and jitter stay 0.
 */
export function countersOf(
  view: EngineView | undefined,
  own: Readonly<Record<Side, OwnCounts>>,
): MediaCounters {
  const counters = createCounters();
  for (const side of SIDES) {
    const leg = counters[side];
    const { quietMs, oneWayMs, injectedPackets, isSourceLearnt } = own[side];
    Object.assign(leg, { quietMs, oneWayMs, injectedPackets });
    if (view === undefined) continue;
    const { packets, bytes, errors, rtcpPackets, source } = view[side];
    const from = view[otherSide(side)];
    leg.receivedPackets = packets;
    leg.receivedBytes = bytes;
    leg.receivedRtcpPackets = rtcpPackets;
    leg.sentPackets = from.packets;
    leg.sentBytes = from.bytes;
    leg.sentRtcpPackets = from.rtcpPackets;
    leg.source = source;
    leg.isSourceLearnt = source !== undefined && isSourceLearnt;
    leg.dropped['unknown-source'] = errors;
  }
  return counters;
}
