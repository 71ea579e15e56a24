import type { SipRequest, SipResponse } from '../wire/sip-message.ts';

/** Header names to values; a header that stands several times is one value with commas. */
export type SipHeaders = Record<string, string>;

/** How to reach the SIP engine and what to hear from it. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** The server is our own engine, which understands the fields of wire/engine-headers.ts. */
  readonly isEmbedded?: boolean;
  /** Methods to be offered outside dialogs; requests inside dialogs of this connection always arrive. */
  readonly methods: readonly string[];
  onRequest(request: ReceivedRequest): void;
  /** A request, of a peer or of ours, has got its final answer; ACK has none. */
  onAnswered?(answered: AnsweredRequest): void;
  /** `down` means that no request crosses in any dialog of the connection any more. */
  onStateChange?(state: 'up' | 'down'): void;
}

export type Unanswered = 'timeout' | 'unreachable';

/** A request and its final answer, for the statistics. */
export interface AnsweredRequest {
  /** `inbound`: a peer sent the request. */
  readonly direction: 'inbound' | 'outbound';
  readonly method: string;
  readonly status: number;
  /** Nobody gave the answer: it stands for silence, or for a request that could not be sent. */
  readonly unanswered?: Unanswered | undefined;
}

/** A request to send. */
export interface SendOptions {
  readonly method: string;
  /** Request-URI; ignored inside a dialog, whose remote target is used. */
  readonly uri: string;
  readonly headers?: SipHeaders;
  readonly body?: string;
  readonly dialogId?: string;
  /** Where to send the request instead of to its request-URI: `sip:host:port;transport=udp`. */
  readonly nextHop?: string;
}

/** What happens to a request that we sent; `onFailed` ends it, as does a final response. */
export interface SendCallbacks {
  onSent?(sent: SentRequest): void;
  onResponse(response: ReceivedResponse): void;
  /** The server refused the request or the connection went away; `no-dialog` when the dialog is gone. */
  onFailed(reason: string): void;
}

/** A request as it went out. */
export interface SentRequest {
  readonly text: string;
  readonly message: SipRequest | undefined;
  /** Cancels an INVITE; no effect after its final response. `onSent` hears of the CANCEL as it is on the wire. */
  cancel(headers: SipHeaders, onSent?: (text: string) => void): void;
}

/** Where a message came from. */
export interface PeerSource {
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

/** A response to a request of ours. */
export interface ReceivedResponse {
  readonly message: SipResponse;
  readonly text: string;
  readonly dialogId: string;
  /** True for a 408 or 503 that the SIP engine made up, as the peer sent nothing. */
  readonly isMadeUp?: boolean;
  /** Absent for a response that the SIP engine made up. */
  readonly source?: PeerSource | undefined;
  /** Sends the ACK of a 2xx, or the PRACK of a reliable 1xx. */
  acknowledge(body?: string, onSent?: (text: string) => void): void;
}

/** What goes into a response beside the headers copied from the request. */
export interface RespondOptions {
  readonly reason?: string;
  readonly headers?: SipHeaders;
  readonly body?: string;
}

export type RespondOutcome =
  | {
      readonly type: 'sent';
      readonly message: SipResponse;
      readonly text: string;
      readonly dialogId: string;
    }
  | { readonly type: 'failed'; readonly reason: string };

/** A request that arrived. */
export interface ReceivedRequest {
  readonly message: SipRequest;
  /** The message as it came; empty once a final answer has been sent. */
  readonly text: string;
  /** Empty outside dialogs. */
  readonly dialogId: string;
  /** True for a BYE that the SIP engine itself sent (ACK timeout and the like); it takes no answer. */
  readonly isUnsolicited: boolean;
  /** Local `address:port` where a new request arrived, when the server says so. */
  readonly receivedOn: string | undefined;
  readonly source: PeerSource;
  respond(
    status: number,
    options: RespondOptions,
    onOutcome?: (outcome: RespondOutcome) => void,
  ): void;
  /** For an INVITE: the peer gave up before the final response; the 487 is sent by the engine. */
  onCancel(listener: (cancel: SipRequest | undefined, text: string) => void): void;
}

/** A connection to a SIP engine. */
export interface SipConnection {
  /** See {@link ConnectionOptions}. */
  readonly isEmbedded?: boolean;
  readonly hostports: string;
  readonly isUp: boolean;
  send(options: SendOptions, callbacks: SendCallbacks): void;
  close(): void;
}
