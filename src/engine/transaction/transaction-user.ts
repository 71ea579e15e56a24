import type { OwnAnswers } from './own-answers.ts';
import type { RefusedCall } from './refused-calls.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { DropReport } from '../transport/drop-journal.ts';
import type { Destination, Flow, ListenPoint } from '../transport/flow.ts';
import type { OpenPort } from '../transport/open-port.ts';
import type { PortSettings } from '../transport/transport-limits.ts';

/** What became of a message handed to the transports: the bytes as sent and the path they took, or why not. */
export type SendResult =
  | { readonly type: 'sent'; readonly bytes: Buffer; readonly flow: Flow }
  | { readonly type: 'failed'; readonly reason: string };

/** The layer above the transactions. Called back with what is new; retransmissions never get here. */
export interface TransactionUser {
  /** A new request; its top Via already carries `received` and `rport`. The user sends the 100 to an INVITE. */
  onRequest(transaction: ServerTransaction, request: SipRequest, flow: Flow): void;
  /** An ACK to a 2xx, each time it arrives. An ACK to any other final response ends in the layer. */
  onAck(request: SipRequest, flow: Flow): void;
  /** A CANCEL that matches `invite`; the layer has already answered it 200. The user answers the INVITE 487. */
  onCancel(cancel: SipRequest, invite: ServerTransaction, flow: Flow): void;
  /** A response no client transaction waits for: a 2xx that comes after its transaction has ended. */
  onStrayResponse(response: SipResponse, flow: Flow): void;
}

/** A request from the network and its answers. */
export interface ServerTransaction {
  /** UUID. */
  readonly id: string;
  readonly request: SipRequest;
  readonly flow: Flow;
  /** To tag of the answers; a user that answers with another one says so here. */
  localTag: string;
  /** True once a final response has been given to `send`. */
  readonly hasFinal: boolean;
  /**
   * Sends a provisional or final response. Retransmission of non-2xx finals is the layer's duty; a 2xx to
   * an INVITE is repeated by the user, who calls `send` again with the same 2xx (RFC 6026 §7.1).
   * A second, different final response fails.
   */
  send(response: SipResponse): Promise<SendResult>;
}

/** Receives what happens to one request that was sent. */
export interface ClientHandler {
  /** The request has left for the first time; `bytes` is its text with our Via. */
  onSent?(bytes: Buffer, flow: Flow): void;
  /** Every 1xx, the final response, and to INVITE every further 2xx (repeated or forked) for 64*T1. */
  onResponse(response: SipResponse, flow: Flow): void;
  /** No final response came in time (64*T1 after a CANCEL as well). A late 2xx to INVITE may still follow. */
  onTimeout(): void;
  /** The request could not be delivered; nothing else follows. */
  onTransportError(reason: string): void;
}

/** A request we sent. */
export interface ClientTransaction {
  /** UUID. */
  readonly id: string;
  /** The request as sent, with our Via. */
  readonly request: SipRequest;
  /**
   * Cancels an INVITE; `headers` (Reason and the like) are added to the CANCEL.
   * 'waiting': no 1xx has come yet, the CANCEL goes out with the first one. 'too-late': it already has a final response.
   */
  cancel(headers: readonly SipHeader[]): 'sent' | 'waiting' | 'too-late';
}

/** An own address that a request to some destination would carry in Via and Contact. */
export type LocalPoint = ListenPoint;

/** The listen points of a layer, which may change while it runs. */
export interface ServedPorts {
  /** Served no more; they go on for what is under way on them. */
  readonly retiring: readonly OpenPort[];
  /** Takes new requests on `ports` from now on and on no others; those left out are retiring. */
  serve(ports: readonly OpenPort[], settings: PortSettings): void;
  /** Nothing is under way on a retiring port any more. */
  leave(port: OpenPort): Promise<void>;
}

/** RFC 3261 §17 transactions on a set of listen points. */
export interface TransactionLayer {
  /** Sends `request` (without our Via) in a new client transaction. Callbacks never come before this returns. */
  sendRequest(
    request: SipRequest,
    destination: Destination,
    handler: ClientHandler,
  ): ClientTransaction;
  /** Sends the ACK for a 2xx, a transaction of its own without answer. With the same `branch` it is the same ACK again. */
  sendAck(request: SipRequest, destination: Destination, branch?: string): Promise<SendResult>;
  /** Which own address a request to `destination` would carry; undefined if none of ours can reach it. */
  localFor(destination: Destination): Promise<LocalPoint | undefined>;
  /** Whether the connection of `flow` stands; false for datagrams. */
  isConnected(flow: Flow): boolean;
  readonly admission: TransactionAdmission;
  /** Requests answered in place of the user, or before it would hear of them; refused calls left out. */
  readonly ownAnswers: OwnAnswers;
  /** What has happened so far. */
  readonly counters: Readonly<TransactionCounters>;
  /** The bound listen points: those served in the order they were asked for, then the retiring ones. */
  readonly listenPoints: readonly ListenPoint[];
  readonly ports: ServedPorts;
  /** New calls refused since the report before, as the application can take no more. */
  takeRefusedCalls(): readonly RefusedCall[];
  /** Closes sockets and timers; running transactions end without a callback. */
  close(): Promise<void>;
}

/** Who is let in, for the layer above: it names the peers and hears what was dropped. */
export interface TransactionAdmission {
  /** IP addresses and CIDR networks of the peers that come first, in place of those named before. */
  setKnownPeers(networks: readonly string[]): void;
  /** What was dropped since the report before; `undefined` for nothing. */
  takeDropReport(): DropReport | undefined;
}

/** Messages and incidents since the start. */
export interface TransactionCounters {
  messagesReceived: number;
  /** Requests and responses handed to the network, repeats included. */
  messagesSent: number;
  /** Repeated requests and responses that ended in a transaction. */
  repeatsAbsorbed: number;
  malformed: number;
  /** Requests whose User-Agent names a scanner; they get no answer. */
  scanners: number;
  /** Requests that arrived a second time on another way (482). */
  merged: number;
  /** Requests refused since too many transactions run (503). */
  overload: number;
  strayResponses: number;
  /** Exceptions of the layer above: each one ended a transaction. */
  bugs: number;
}

/** Base times of RFC 3261 §17; all others are multiples of them. */
export interface TimerValues {
  /** Round-trip estimate: first retransmission; 64 times this ends a transaction without answer. */
  readonly t1Ms: number;
  /** Longest pause between retransmissions of non-INVITE requests and of responses to INVITE. */
  readonly t2Ms: number;
  /** How long a message may stay in the network. */
  readonly t4Ms: number;
}
