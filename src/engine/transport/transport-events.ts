import type { Flow } from './flow.ts';

/** What the transports report upwards. None of these may throw. */
export interface TransportEvents {
  /** Asked before anything else is done with a message; absent: all are let in. */
  isAdmitted?(bytes: Buffer, remoteAddress: string): boolean;
  /** Asked about a stream connection of a peer that has `open` others; absent: it may stay. */
  isConnectionAdmitted?(remoteAddress: string, open: number): boolean;
  /** One datagram, or one message of a stream. */
  onMessage(bytes: Buffer, flow: Flow): void;
  /**
   * A stream lost its rhythm and is closed after the answer, if any: `head` is the start line and header fields
   * of the message that caused it.
   */
  onBroken(head: Buffer | undefined, problem: { reason: string; status: number }, flow: Flow): void;
  /** What was sent on this path did not or will not arrive: ICMP error, connection lost. */
  onPathFailure(flow: Flow, reason: string): void;
  /** A TLS handshake came to nothing; only the first ones of each period are told. */
  onHandshakeFailed?(failure: HandshakeFailure): void;
}

export interface HandshakeFailure {
  readonly direction: 'inbound' | 'outbound';
  /** `host:port` of the peer. */
  readonly remote: string;
  readonly reason: string;
}

/** Whether bytes were handed to the network, and on which path. */
export type SendOutcome =
  | { readonly type: 'sent'; readonly flow: Flow }
  | { readonly type: 'failed'; readonly reason: string };

/** The end point of a message, names already resolved. */
export interface RemotePoint {
  readonly address: string;
  readonly port: number;
  readonly connectionId?: number;
  /** The name `address` was found by; TLS checks it. */
  readonly host?: string;
}
