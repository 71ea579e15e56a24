import type { DigestClient } from './digest-client.ts';
import type { DigestPeer } from './digest-sender.ts';
import type { DialogRequestOptions, DialogResponse, SipTrace } from './request-answer.ts';
import type { ReceivedRequest, SipHeaders } from './sip-connection.ts';

/** Where SUBSCRIBE and NOTIFY cross: the dialog of a call, or one that a SUBSCRIBE opened. */
export interface EventDialog {
  /** The next SUBSCRIBE opens a dialog in which the peer counts its requests anew. */
  readonly isUnopened?: boolean;
  /** Sends a request and resolves with its final response; never rejects. */
  request(method: string, options?: DialogRequestOptions): Promise<DialogResponse>;
  respond(
    request: ReceivedRequest,
    status: number,
    options?: { reason?: string; headers?: SipHeaders; body?: string },
  ): void;
}

/** Who hears what happens in a dialog that a SUBSCRIBE opened. */
export interface SubscriptionHandler {
  /** A SUBSCRIBE of the peer in a dialog that it opened, a NOTIFY in one of ours; must be answered. */
  onRequest(request: ReceivedRequest): void;
  /** There is no dialog any more; one of ours may be opened anew. */
  onEnd(): void;
  readonly onTrace: SipTrace;
  /** Answers the challenges of the peer, if it is an agent that we have credentials for. */
  readonly digest?: DigestClient | undefined;
}

/** Answers to SUBSCRIBE or NOTIFY after which their dialog is no more (RFC 6665 §4.1.2.2, §4.2.2). */
const FATAL_ANSWERS: ReadonlySet<number> = new Set([
  404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

/** Of NOTIFY also silence and a challenge that was not or could not be met. */
const FATAL_TO_NOTIFY: ReadonlySet<number> = new Set([401, 407, 408]);

/** Whether a final answer to `method` ends the dialog that a SUBSCRIBE opened. */
export function endsSubscription(method: string, status: number): boolean {
  return FATAL_ANSWERS.has(status) || (method === 'NOTIFY' && FATAL_TO_NOTIFY.has(status));
}

/** Whose challenges are answered in a dialog of `handler`; no request of ours goes there with credentials unasked. */
export function digestPeerOf({ digest }: SubscriptionHandler): DigestPeer | undefined {
  return digest === undefined ? undefined : { client: digest };
}
