import { DEFAULT_MESSAGE_LIMITS } from '../../wire/sip-message.ts';
import type { SipMessageLimits } from '../../wire/sip-message.ts';
import { NO_RATE_LIMITS } from './message-gate.ts';
import type { RateLimits } from './message-gate.ts';
import type { TlsSettings } from './tls-settings.ts';

/** Bounds that keep one peer from using up the engine. */
export interface TransportLimits {
  readonly message: SipMessageLimits;
  /** Head and body together. */
  readonly messageBytes: number;
  readonly rates: RateLimits;
  /** Stream connections open at the same time, in both directions, on one listen point. */
  readonly connections: number;
  /** Those of one source that is no known peer; further ones are closed as they come. */
  readonly connectionsPerSource: number;
  readonly connectTimeoutMs: number;
  /** TLS handshakes of others under way at the same time on one listen point; more push out the oldest. */
  readonly handshakes: number;
  readonly handshakeTimeoutMs: number;
  /** Connections we opened are pinged so often (RFC 5626 §4.4.1); 0 for never. */
  readonly pingIntervalMs: number;
  /** A peer that has answered pings before may take so long for the next answer. */
  readonly pongTimeoutMs: number;
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

/** How a listen point treats its connections. */
export interface PortSettings {
  readonly limits: TransportLimits;
  /** Needed by TLS. */
  readonly tls?: TlsSettings | undefined;
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  message: DEFAULT_MESSAGE_LIMITS,
  messageBytes: DEFAULT_MESSAGE_LIMITS.headBytes + DEFAULT_MESSAGE_LIMITS.bodyBytes,
  rates: NO_RATE_LIMITS,
  connections: 4096,
  connectionsPerSource: 4096,
  connectTimeoutMs: 4000,
  handshakes: 256,
  handshakeTimeoutMs: 5000,
  pingIntervalMs: 0,
  pongTimeoutMs: 10_000,
  idleTimeoutMs: 900_000,
  partialMessageTimeoutMs: 30_000,
  sendQueueBytes: 1_048_576,
  watchedPaths: 256,
  pathIdleMs: 40_000,
  resolveTimeoutMs: 4000,
};
