/**
 * An INVITE dialog of ours: requests both ways, one owner, keyed by the SIP engine's dialog id and the peer's tag.
 *
 *   state            event                              next
 *   early            2xx, ours or the peer's            unacknowledged or confirmed
 *   early            refusal, CANCEL, BYE               ended
 *   early            another branch answered            abandoned    (nothing is sent any more)
 *   unacknowledged   ACK of the peer                    confirmed    (only where the peer sent the INVITE)
 *   unacknowledged   bye()                              ending       (our BYE waits for the ACK, RFC 3261 §15)
 *   confirmed        bye()                              ending       (our BYE is on its way)
 *   ending           BYE answered or given up           ended
 *   any              BYE received, connection lost      ended
 *
 * Requests of every method may be outstanding at once; the engine matches their answers (RFC 3261 §12.2).
 */
import { ownText } from '../wire/own-bytes.ts';
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

/** What is known of a dialog before the 2xx (RFC 3261 §12.1). */
export interface EarlyDialog {
  /** To header of our requests, which says which branch of a forked INVITE they are for. */
  readonly to?: string;
}

/** Enters a new dialog in the table of the stack; with `early` one that is not answered yet. */
export type AddDialog = (
  identity: DialogIdentity,
  handler: DialogHandler,
  early?: EarlyDialog,
) => SipDialog;

/** Who hears what happens in a dialog; given at its creation so that nothing is missed. */
export interface DialogHandler {
  /** Every request but ACK and BYE, early ones too; must be answered. */
  onRequest(request: ReceivedRequest, dialog: SipDialog): void;
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
  #identity: DialogIdentity;
  readonly #connection: SipConnection;
  readonly #handler: DialogHandler;
  readonly #onEnded: (dialog: SipDialog) => void;
  /** Settled by the ACK of the peer, or by the end. */
  readonly #acknowledged = Promise.withResolvers<void>();
  #state: 'early' | 'unacknowledged' | 'confirmed' | 'ending' | 'ended' | 'abandoned';
  /** Only while the dialog is early. */
  #early: EarlyDialog | undefined;

  constructor(
    identity: DialogIdentity,
    connection: SipConnection,
    handler: DialogHandler,
    onEnded: (dialog: SipDialog) => void,
  ) {
    this.#identity = ownIdentity(identity);
    this.#connection = connection;
    this.#handler = handler;
    this.#onEnded = onEnded;
    this.#state = answeredState(identity);
  }

  get identity(): DialogIdentity {
    return this.#identity;
  }

  /** True until the 2xx, or until there will be none. */
  get isEarly(): boolean {
    return this.#state === 'early';
  }

  /** True from the ACK until one side hangs up. */
  get isConfirmed(): boolean {
    return this.#state === 'confirmed';
  }

  /** Makes a new dialog an early one. */
  begin(early: EarlyDialog): void {
    this.#state = 'early';
    this.#early = early;
  }

  /** The 2xx of an early dialog; `identity` is what it says. */
  confirm(identity: DialogIdentity): void {
    if (this.#state !== 'early') return;
    this.#identity = ownIdentity(identity);
    this.#state = answeredState(identity);
    this.#early = undefined;
  }

  /** The INVITE of an early dialog was refused or given up; last NOTIFYs may still be sent. */
  endEarly(): void {
    if (this.#state === 'early') this.#end();
  }

  /** Another branch than that of an early dialog was answered. */
  abandon(): void {
    if (this.#state !== 'early') return;
    this.#end();
    this.#state = 'abandoned';
  }

  /** Sends a request and resolves with its final response; never rejects. */
  request(method: string, options: DialogRequestOptions = {}): Promise<DialogResponse> {
    if (this.#state === 'abandoned') return Promise.resolve(withoutResponse('no-dialog'));
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
      const branch = this.#early?.to === undefined ? {} : { To: this.#early.to };
      const headers = { ...this.#withContact(method, options.headers ?? {}), ...branch };
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
    if (!this.#isOpen()) return;
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
    if (!this.#isOpen() && this.#state !== 'early') {
      request.respond(481, {}, this.traceOutcome);
      return;
    }
    this.#handler.onRequest(request, this);
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
    if (this.#state === 'ended' || this.#state === 'abandoned') return;
    this.#end();
    this.#handler.onEnd('connection', 'connection to the SIP engine lost');
  }

  /** Records the text of a response once it is sent. */
  readonly traceOutcome = (outcome: { type: string; text?: string }): void => {
    if (outcome.type === 'sent') this.#handler.onTrace('out', outcome.text ?? '');
  };

  #receiveBye(request: ReceivedRequest): void {
    const wasOpen = this.#isOpen();
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

  /** Answered, and nobody has hung up. */
  #isOpen(): boolean {
    return this.#state === 'unacknowledged' || this.#state === 'confirmed';
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

/** What the 2xx makes of a dialog: only the one who sent it waits for an ACK. */
function answeredState({ role }: DialogIdentity): 'unacknowledged' | 'confirmed' {
  return role === 'uas' ? 'unacknowledged' : 'confirmed';
}

/** The parts of messages that name a dialog, without the rest of those messages. */
function ownIdentity(identity: DialogIdentity): DialogIdentity {
  const { callId, localTag, remoteTag, localContact } = identity;
  return {
    ...identity,
    callId: ownText(callId),
    localTag: ownText(localTag),
    remoteTag: ownText(remoteTag),
    localContact: localContact === undefined ? undefined : ownText(localContact),
  };
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
