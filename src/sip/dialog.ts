/**
 * An answered INVITE dialog of ours: requests both ways, one owner, keyed by the SIP engine's dialog id.
 *
 *   state            event                              next
 *   unacknowledged   ACK of the peer                    confirmed    (only where the peer sent the INVITE)
 *   unacknowledged   bye()                              ending       (our BYE waits for the ACK, RFC 3261 §15)
 *   confirmed        bye()                              ending       (our BYE is on its way)
 *   ending           BYE answered or given up           ended
 *   any              BYE received, connection lost      ended
 *
 * Requests of every method may be outstanding at once; the engine matches their answers (RFC 3261 §12.2).
 */
import { getHeader, type SipResponse } from '../wire/sip-message.ts';
import type {
  ReceivedRequest,
  ReceivedResponse,
  SendCallbacks,
  SipConnection,
  SipHeaders,
} from './sip-connection.ts';

/** How long an in-dialog request may stay without final response before it counts as 408, milliseconds. */
const REQUEST_GUARD_MS = 40_000;

/** Methods that refresh the remote target and therefore carry a Contact (RFC 3261 §12.2, RFC 6665 §8.1.1). */
const CONTACT_METHODS = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** What names a dialog (RFC 3261 §12). */
export interface DialogIdentity {
  /** `uas`: the peer sent the INVITE, and owes the ACK. */
  readonly role: 'uac' | 'uas';
  readonly dialogId: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** The Contact that we gave the peer. */
  readonly localContact: string | undefined;
}

/** Records one SIP message of a leg as it was on the wire. */
export type SipTrace = (direction: 'in' | 'out', text: string) => void;

/** Who hears what happens in a dialog; given at its creation so that nothing is missed. */
export interface DialogHandler {
  /** Every request but ACK and BYE; must be answered. */
  onRequest(request: ReceivedRequest): void;
  onAck(body: string): void;
  /** The dialog is over: a BYE (already answered), an engine's own BYE, or the connection is gone. */
  onEnd(by: 'peer' | 'engine' | 'connection', reason: string): void;
  readonly onTrace: SipTrace;
}

/** The final outcome of a request in the dialog; failures without a response carry the status they amount to. */
export interface DialogResponse {
  readonly status: number;
  readonly reason: string;
  readonly message: SipResponse | undefined;
  /** For a 2xx to INVITE: sends the ACK. */
  acknowledge(body?: string): void;
}

/** Body and headers of a request in a dialog. */
export interface DialogRequestOptions {
  readonly headers?: SipHeaders;
  readonly body?: string;
}

export class SipDialog {
  readonly identity: DialogIdentity;
  readonly #connection: SipConnection;
  readonly #handler: DialogHandler;
  readonly #onEnded: (dialog: SipDialog) => void;
  /** Settled by the ACK of the peer, or by the end. */
  readonly #acknowledged = Promise.withResolvers<void>();
  #state: 'unacknowledged' | 'confirmed' | 'ending' | 'ended';

  constructor(
    identity: DialogIdentity,
    connection: SipConnection,
    handler: DialogHandler,
    onEnded: (dialog: SipDialog) => void,
  ) {
    this.identity = identity;
    this.#connection = connection;
    this.#handler = handler;
    this.#onEnded = onEnded;
    this.#state = identity.role === 'uas' ? 'unacknowledged' : 'confirmed';
  }

  /** True from the ACK until one side hangs up. */
  get isConfirmed(): boolean {
    return this.#state === 'confirmed';
  }

  /** Sends a request and resolves with its final response; never rejects. */
  request(method: string, options: DialogRequestOptions = {}): Promise<DialogResponse> {
    return new Promise((resolve) => {
      const guard = setTimeout(() => resolve(withoutResponse('timeout')), REQUEST_GUARD_MS);
      const settle = (response: DialogResponse): void => {
        clearTimeout(guard);
        resolve(response);
      };
      const callbacks: SendCallbacks = {
        onSent: (sent) => this.#handler.onTrace('out', sent.text),
        onResponse: (response) => this.#answered(response, settle),
        onFailed: (reason) => settle(withoutResponse(reason)),
      };
      const headers = this.#withContact(method, options.headers ?? {});
      const body = options.body === undefined ? {} : { body: options.body };
      const dialogId = this.identity.dialogId;
      this.#connection.send(
        { method, uri: 'sip:placeholder', dialogId, headers, ...body },
        callbacks,
      );
    });
  }

  /** Sends BYE once, not before the ACK of the peer; resolves when it is answered or given up. */
  async bye(headers: SipHeaders = {}): Promise<void> {
    if (this.#state === 'ending' || this.#state === 'ended') return;
    const mustWait = this.#state === 'unacknowledged';
    this.#state = 'ending';
    if (mustWait) await this.#acknowledged.promise;
    if (this.#isEnded()) return;
    await this.request('BYE', { headers });
    this.#end();
  }

  /** Takes a request that arrived in this dialog. */
  receive(request: ReceivedRequest): void {
    this.#handler.onTrace('in', request.text);
    const method = request.message.method;
    if (method === 'ACK') {
      if (this.#state === 'unacknowledged') this.#state = 'confirmed';
      this.#acknowledged.resolve();
      this.#handler.onAck(request.message.body.toString());
      return;
    }
    if (method === 'BYE') {
      this.#receiveBye(request);
      return;
    }
    if (this.#state === 'ending' || this.#state === 'ended') {
      request.respond(481, {}, this.traceOutcome);
      return;
    }
    this.#handler.onRequest(request);
  }

  /** Answers a request of this dialog; a 2xx gets our Contact where the method refreshes targets. */
  respond(
    request: ReceivedRequest,
    status: number,
    options: { reason?: string; headers?: SipHeaders; body?: string } = {},
  ): void {
    const isSuccess = status >= 200 && status < 300;
    const given = options.headers ?? {};
    const headers = isSuccess ? this.#withContact(request.message.method, given) : given;
    request.respond(status, { ...options, headers }, this.traceOutcome);
  }

  /** The connection is gone and the dialog with it. */
  lost(): void {
    if (this.#state === 'ended') return;
    this.#end();
    this.#handler.onEnd('connection', 'connection to the SIP engine lost');
  }

  /** Records the text of a response once it is sent. */
  readonly traceOutcome = (outcome: { type: string; text?: string }): void => {
    if (outcome.type === 'sent') this.#handler.onTrace('out', outcome.text ?? '');
  };

  #receiveBye(request: ReceivedRequest): void {
    const wasOpen = this.#state === 'confirmed' || this.#state === 'unacknowledged';
    if (this.#state !== 'ended') this.#end();
    if (wasOpen) {
      const reason = getHeader(request.message, 'Reason') ?? '';
      // Before the answer: with it the dialog is gone, and last NOTIFYs can no longer be sent.
      this.#handler.onEnd(request.isUnsolicited ? 'engine' : 'peer', reason);
    }
    if (!request.isUnsolicited) request.respond(200, {}, this.traceOutcome);
  }

  #answered(response: ReceivedResponse, settle: (response: DialogResponse) => void): void {
    this.#handler.onTrace('in', response.text);
    const { status, reason } = response.message;
    if (status < 200) return;
    const acknowledge = (body?: string): void => {
      response.acknowledge(body, (text) => this.#handler.onTrace('out', text));
    };
    settle({ status, reason, message: response.message, acknowledge });
  }

  #withContact(method: string, headers: SipHeaders): SipHeaders {
    const contact = this.identity.localContact;
    if (contact === undefined || !CONTACT_METHODS.has(method)) return headers;
    return { Contact: contact, ...headers };
  }

  #isEnded(): boolean {
    return this.#state === 'ended';
  }

  #end(): void {
    this.#state = 'ended';
    this.#acknowledged.resolve();
    this.#onEnded(this);
  }
}

/** What a request without any response amounts to (RFC 3261 §8.1.3.1, §12.2.1.2). */
function withoutResponse(reason: string): DialogResponse {
  const status = statusWithoutResponse(reason);
  return { status, reason, message: undefined, acknowledge: () => undefined };
}

function statusWithoutResponse(reason: string): number {
  if (reason === 'no-dialog') return 481;
  if (reason === 'timeout') return 408;
  return 503;
}
