/**
 * What the call needs from a media engine, whoever implements it: anchored streams with one local
 * port pair per leg, told after every offer/answer what to do, reporting digits back.
 *
 * `RelayPool` implements it with worker threads of this process.
 */

import type { Side } from '../wire/side.ts';
import type { Digit } from '../wire/telephone-event.ts';
import type { PressBefore } from './press-before.ts';
import type { MediaCounters } from './relay-counters.ts';

export interface MediaEngine {
  /** Binds one RTP/RTCP port pair per leg; nothing flows before the first `update`. */
  openStream(request: OpenStreamRequest): Promise<MediaStream | MediaFailure>;
  /** Closes every stream and thread. */
  close(): Promise<void>;
  /** The ranges of a new configuration, of all realms; an engine that has ports of its own takes no notice. */
  serve(ranges: readonly LegPorts[]): void;
  /** Port pairs that can be handed out now, by realm; a realm appears with its first stream. */
  readonly portsFree: Record<string, number>;
  /** Threads that died and were noticed, since the start. */
  readonly workerRestarts: number;
  /** The servers that carry the streams, in the order of the configuration; absent: this process carries them. */
  readonly engineNodes?: readonly EngineNodeState[] | undefined;
}

export interface EngineNodeState {
  /** From the configuration, such as `192.0.2.1:2223`. */
  readonly name: string;
  /** It answers. */
  readonly isUp: boolean;
  /** Calls of ours that are on it. */
  readonly calls: number;
  /** It has refused a call lately: new ones go to the others, as long as there are any. */
  readonly isResting?: boolean | undefined;
}

export interface OpenStreamRequest {
  readonly streamId: string;
  readonly caller: LegPorts;
  readonly callee: LegPorts;
  readonly listener: MediaListener;
  /** A secret that the streams of one call share: what its sources are called by in RTCP. One of its own if not given. */
  readonly nameKey?: string | undefined;
}

/** Where the ports of one leg come from. */
export interface LegPorts {
  readonly realm: string;
  /** Local IPv4 or IPv6 address to bind. */
  readonly address: string;
  readonly portMin: number;
  readonly portMax: number;
  /** Address for the SDP when peers see another one than `address`. */
  readonly advertised?: string | undefined;
}

/**
 * Why no stream was opened, one reason per cause:
 * `no-ports` our own calls use the whole range, `ports-resting` what they do not use was given back only
 * now, `ports-taken` other programs hold the ports, `address-unavailable` this host has no such address,
 * `no-descriptors` this process may open no more sockets, `worker-lost` the relay thread died, `engine-down` no media
 * server answers, `engine-refused` the one that was asked takes no more calls, or not this one.
 */
export const MEDIA_FAILURES = [
  'no-ports',
  'ports-resting',
  'ports-taken',
  'address-unavailable',
  'no-descriptors',
  'worker-lost',
  'engine-down',
  'engine-refused',
] as const;

export interface MediaFailure {
  readonly type: 'failure';
  readonly reason: (typeof MEDIA_FAILURES)[number];
  /** What the media server says, for people; neither digits nor SDP in it. */
  readonly detail?: string;
}

/** Our own end of one leg, as it is written in SDP. */
export interface LocalMedia {
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

export interface MediaStream {
  readonly type: 'stream';
  readonly streamId: string;
  readonly local: Readonly<Record<Side, LocalMedia>>;
  /** After every completed offer/answer: both legs and both directions at once. */
  update(update: StreamUpdate): void;
  /** Queues one digit towards `to`, behind the one that is playing. */
  playDigit(to: Side, digit: PlayedDigit): void;
  /** Ends a running event first, then gives the ports back; they rest before reuse. Idempotent. */
  close(): Promise<MediaCounters>;
  counters(): Promise<MediaCounters>;
}

export interface PlayedDigit {
  readonly digitId: string;
  readonly eventCode: number;
  readonly durationMs: number;
}

export interface StreamUpdate {
  readonly legs: Readonly<Record<Side, LegMedia>>;
  /** What happens to telephone-events, by the side that sends them. */
  readonly events: Readonly<Record<Side, EventHandling>>;
}

/** Address of a peer's media; only IP addresses are sent to, a host name counts as unknown. */
export interface RemoteMedia {
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

export interface LegMedia {
  /**
   * `rtp` (the default) is read and renumbered; `srtp` and `datagrams` (anything else over UDP) pass byte for byte:
   * no digits are seen in them and none put in. The same on both legs.
   */
  readonly transport?: 'rtp' | 'srtp' | 'datagrams' | undefined;
  /**
   * Where the peer's media is: what it sends comes from there, what it is sent goes there.
   * `undefined`: nothing either way (no SDP yet, port 0). During an old-style hold (c=0.0.0.0) it is
   * where the peer was before, `undefined` when that is not known.
   */
  readonly remote: RemoteMedia | undefined;
  /** `sdp`: packets count only from `remote`; `learn-once`: the source is learnt at the start (NAT). */
  readonly mediaSource: 'sdp' | 'learn-once';
  /** IP address the peer's signalling comes from: with `learn-once` its media likely does too (one NAT for both). */
  readonly signalledFrom?: string | undefined;
  /** Whether RTP may be sent to this peer (its direction is sendrecv or recvonly). */
  readonly maySend: boolean;
  /** Whether RTCP may be; not during an old-style hold (RFC 3264 §8.4). Default true. */
  readonly maySendRtcp?: boolean | undefined;
  readonly audio: AudioMedia;
  /** telephone-event as negotiated on this leg; `undefined` when it is not. */
  readonly event: EventMedia | undefined;
  /** telephone-event of further clock rates, for the codecs of those rates (RFC 4733 §2.1). */
  readonly otherEvents?: readonly EventMedia[] | undefined;
  /** Payload types received from this leg and what they are on the other leg; unlisted numbers stay. */
  readonly payloadTypeMap: readonly (readonly [from: number, to: number])[];
  /** Least pause after a generated digit; the engine's default when absent. */
  readonly digitGapMs?: number | undefined;
  /** Spacing of generated event packets; packet time of the audio (at most 50 ms) when absent. */
  readonly digitPacketIntervalMs?: number | undefined;
  /** Count end packets with a moved timestamp as repeats (events this leg sends). Default true. */
  readonly repairMovedEnd?: boolean | undefined;
  /** Merge the same digit within this time (events this leg sends). Default 0: off. */
  readonly mergeWindowMs?: number | undefined;
  /** A press of this peer that was reported on another stream: its packets go no further. */
  readonly pressBefore?: PressBefore | undefined;
}

export interface AudioMedia {
  readonly payloadTypes: readonly number[];
  /** Of the codec that is expected: the first one agreed. */
  readonly clockRate: number;
  /** Voice codecs of other rates that may come as well, by payload type. */
  readonly otherClockRates?: readonly (readonly [payloadType: number, clockRate: number])[];
  readonly packetTimeMs: number;
}

export interface EventMedia {
  /** Number this peer expects in events sent to it. */
  readonly sendPayloadType: number;
  /** Numbers that mean telephone-event when this peer sends them. */
  readonly receivePayloadTypes: readonly number[];
  readonly clockRate: number;
  /** Event codes this peer accepts. */
  readonly events: readonly number[];
}

/** What happens to the telephone-events one side sends. */
export interface EventHandling {
  readonly mode: 'relay' | 'absorb';
  /** Whether presses are reported to the listener. */
  readonly detect: boolean;
}

/** One key press found in RTP. `atMs` is wall-clock time (scale of Date.now, with fractions). */
export interface DetectedDigit {
  readonly side: Side;
  readonly digit: Digit | 'R';
  readonly eventCode: number;
  readonly ssrc: number;
  readonly rtpTimestamp: number;
  readonly atMs: number;
}

export interface ReleasedDigit extends DetectedDigit {
  readonly durationMs: number;
}

/** A generated digit whose first end packet the socket took; wall-clock times. */
export interface SentDigit {
  readonly to: Side;
  readonly digitId: string;
  readonly rtpTimestamp: number;
  readonly firstPacketAtMs: number;
  readonly endPacketAtMs: number;
}

export type DigitDropReason =
  | 'queue-full'
  | 'event-not-negotiated'
  | 'media-inactive'
  | 'stream-closed'
  | 'relay-restart';

export interface DroppedDigit {
  readonly to: Side;
  readonly digitId: string;
  readonly reason: DigitDropReason;
}

/** What shows where the packets of a stream come from. */
export type MediaObservation =
  /** The first packet of `side` since its media was agreed upon. */
  | { readonly type: 'heard'; readonly side: Side; readonly source: string }
  /** `side` is not where its SDP says, and is believed to be at `source`. */
  | { readonly type: 'learnt'; readonly side: Side; readonly source: string }
  /** Of both peers, neither on hold, only `from` has sent for a while. */
  | { readonly type: 'one-way'; readonly from: Side }
  /** That is over. */
  | { readonly type: 'both-ways' };

export type StreamLoss = 'worker-lost' | 'engine-lost';

/** Reports of one stream; called in the order things happened. */
export interface MediaListener {
  digitPressed(digit: DetectedDigit): void;
  digitReleased(digit: ReleasedDigit): void;
  digitSent(sent: SentDigit): void;
  digitDropped(dropped: DroppedDigit): void;
  /** No RTP from either side for the inactivity time; reported once per quiet spell. */
  inactive(info: { readonly quietMs: number }): void;
  /**
   * The stream is gone, its ports are already given back. `worker-lost`: its thread died and no other could go on with
   * it; `engine-lost`: the media server that carried it is down, was started anew, or will not go on with it.
   */
  lost(reason: StreamLoss): void;
  /** For people only; nothing depends on it. */
  observed?(observation: MediaObservation): void;
}
