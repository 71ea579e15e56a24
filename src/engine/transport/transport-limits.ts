import { DEFAULT_MESSAGE_LIMITS } from '../../wire/sip-message.ts';
import type { SipMessageLimits } from '../../wire/sip-message.ts';

/** Bounds that keep one peer from using up the engine. */
export interface TransportLimits {
  readonly message: SipMessageLimits;
  /** Stream connections open at the same time, in both directions, on one listen point. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** A connection without any byte for so long is closed. */
  readonly idleTimeoutMs: number;
  /** The first and last byte of one message on a stream may lie so far apart. */
  readonly partialMessageTimeoutMs: number;
  /** What may wait for a peer that reads slowly; beyond that its connection is dropped. */
  readonly sendQueueBytes: number;
  /** Datagram paths watched for ICMP errors at the same time on one listen point. */
  readonly watchedPaths: number;
  /** A watched path rests so long after its last request before it is given up. */
  readonly pathIdleMs: number;
  readonly resolveTimeoutMs: number;
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  message: DEFAULT_MESSAGE_LIMITS,
  connections: 4096,
  connectTimeoutMs: 4000,
  idleTimeoutMs: 900_000,
  partialMessageTimeoutMs: 30_000,
  sendQueueBytes: 1_048_576,
  watchedPaths: 256,
  pathIdleMs: 40_000,
  resolveTimeoutMs: 4000,
};
