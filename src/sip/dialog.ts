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
 *   answered         connection lost                    held         (nothing crosses; the peer believes in it still)
 *   held             bye(), connection back or given up ended        (lost-dialogs.ts releases the peer)
 *   any              BYE received, early: connection lost  ended
 *
 * Requests of every method may be outstanding at once; the engine matches their answers (RFC 3261 §12.2).
 */
import { ownText } from '../wire/own-bytes.ts';
import { getHeader, type SipRequest } from '../wire/sip-message.ts';
import { Acknowledgement } from './acknowledgement.ts';
import type { ReceivedRequest, SipConnection, SipHeaders } from './sip-connection.ts';
import type { DigestClient } from './digest-client.ts';
import type { DigestPeer } from './digest-sender.ts';
import { type DialogRefresh, isRefreshing, withRefresh } from './dialog-refresh.ts';
import { isNotifyForUs } from './event-type.ts';
import { contactUriOf } from './remote-point.ts';
import { cseqOf } from './request-number.ts';
import {
  type DialogRequestOptions,
  type DialogResponse,
  sendAndWait,
  type SipTrace,
  withoutResponse,
} from './request-answer.ts';

/** Methods that refresh the remote target and therefore carry a Contact (RFC 3261 §12.2, RFC 6665 §8.1.1). */
const CONTACT_METHODS = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

export type { DialogRequestOptions, DialogResponse, SipTrace } from './request-answer.ts';

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
  /** Where the peer is reached: the URI of its Contact. */
  readonly remoteTarget?: string | undefined;
  /** URI of the first proxy on the way there, if there is one (RFC 3261 §12.1). */
  readonly firstRoute?: string | undefined;
  /** Route values of the whole way, that proxy first. */
  readonly routeSet?: readonly string[] | undefined;
  /** The URIs of From and To in our requests (RFC 3261 §12.2.1.1). */
  readonly localUri?: string | undefined;
  readonly remoteUri?: string | undefined;
}

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
  /** `cseq` says which INVITE of the peer is acknowledged; `undefined` when the ACK has none that can be read. */
  onAck(body: string, cseq: number | undefined): void;
  /** The dialog is over: a BYE (already answered), an engine's own BYE, or the connection is gone. */
  onEnd(by: 'peer' | 'engine' | 'connection', reason: string, bye?: SipRequest): void;
  readonly onTrace: SipTrace;
  /** Answers the challenges of the peer, if it is an agent that we have credentials for. */
  readonly digest?: DigestClient | undefined;
  /** The session timer of the dialog, once it is answered. */
  readonly refresh?: DialogRefresh | undefined;
}

/** What goes into an answer of ours. */
export interface DialogAnswerOptions {
  readonly reason?: string;
  readonly headers?: SipHeaders;
  readonly body?: string;
  /** It has not left: the request was cancelled, or its transaction is over. */
  readonly onFailed?: () => void;
}

export class SipDialog {
  #identity: DialogIdentity;
  readonly #connection: SipConnection;
  #handler: DialogHandler;
  /** The peer has accepted a SUBSCRIBE of ours in it. */
  #hasSubscribed = false;
  readonly #onEnded: (dialog: SipDialog) => void;
  /** Settled by the ACK of the peer, or by the end. */
  readonly #acknowledgement = new Acknowledgement();
  #state: 'early' | 'unacknowledged' | 'confirmed' | 'ending' | 'held' | 'ended' | 'abandoned';
  #isUnreleased = false;
  /** What our BYE says. */
  #parting: SipHeaders | undefined;
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

  /** True once the peer may have something to notify us of. */
  get hasSubscribed(): boolean {
    return this.#hasSubscribed;
  }

  /** Records a message that belongs to the leg, though not to this dialog. */
  get trace(): SipTrace {
    return this.#handler.onTrace;
  }

  /** What answers the challenges of the peer. */
  get digest(): DigestClient | undefined {
    return this.#handler.digest;
  }

  /** True from the ACK until one side hangs up. */
  get isConfirmed(): boolean {
    return this.#state === 'confirmed';
  }

  /** The headers of the BYE that we sent or would have sent. */
  get parting(): SipHeaders {
    return this.#parting ?? {};
  }

  /** From now on another call has this dialog. */
  handOver(handler: DialogHandler): void {
    this.#handler = handler;
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
    const refresh = this.#refreshOf(method);
    return refresh === undefined
      ? this.#send(method, options)
      : this.#sendRefresh(method, options, refresh);
  }

  async #sendRefresh(
    method: string,
    options: DialogRequestOptions,
    refresh: DialogRefresh,
  ): Promise<DialogResponse> {
    const send = (): Promise<DialogResponse> => {
      const headers = withRefresh(options.headers ?? {}, refresh.requestHeaders());
      return this.#send(method, { ...options, headers });
    };
    const response = await send();
    return refresh.tooShort(response.message) ? send() : response;
  }

  #send(method: string, options: DialogRequestOptions): Promise<DialogResponse> {
    if (this.#state === 'abandoned') return Promise.resolve(withoutResponse('no-dialog'));
    // Forks share the dialog id, and so do both ends of a dialog that a proxy leads back to us: the tag tells.
    const to = this.#early?.to ?? `<sip:placeholder@localhost>;tag=${this.#identity.remoteTag}`;
    const headers = { ...this.#withContact(method, options.headers ?? {}), To: to };
    const body = options.body === undefined ? {} : { body: options.body };
    const { dialogId } = this.#identity;
    const { onTrace } = this.#handler;
    const traceSent = (text: string): void => onTrace('out', text);
    return sendAndWait(
      this.#connection,
      { method, uri: 'sip:placeholder', dialogId, headers, ...body },
      {
        onTrace: (...traced) => {
          onTrace(...traced);
          options.onTrace?.(...traced);
        },
        onSent: (sent) => {
          options.onSent?.(sent);
          void options.cancelled?.then((given) => sent.cancel(given, traceSent));
        },
        digest: this.#digestPeer(),
        onFinal: ({ message }) => {
          // In the turn of the answer: a NOTIFY may come in the next frame.
          if (method === 'BYE') this.#end();
          if (message.status >= 300) return;
          if (method === 'SUBSCRIBE' || method === 'REFER') this.#hasSubscribed = true;
          this.#refreshTarget(method, contactUriOf(message));
          this.#refreshOf(method)?.accepted(message);
        },
      },
    );
  }

  /** Sends BYE once, not before the ACK of the peer; resolves when it is answered or given up. */
  async bye(headers: SipHeaders = {}): Promise<void> {
    this.#parting ??= headers;
    if (this.#state === 'held') this.#end();
    if (!this.#isOpen()) return;
    const mustWait = this.#state === 'unacknowledged';
    this.#state = 'ending';
    if (mustWait) await this.#acknowledgement.wait();
    if (this.#isEnded()) return;
    const { message, reason } = await this.request('BYE', { headers });
    if (this.#isEnded()) return;
    this.#isUnreleased = message === undefined && reason === 'connection-lost';
    this.#end();
  }

  /** Takes a request that arrived in this dialog. */
  receive(request: ReceivedRequest): void {
    this.#handler.onTrace('in', request.text, request.source);
    const method = request.message.method;
    this.#refreshTarget(method, contactUriOf(request.message));
    if (method === 'ACK') {
      if (this.#state === 'unacknowledged') this.#state = 'confirmed';
      this.#acknowledgement.settle();
      this.#handler.onAck(request.message.body.toString(), cseqOf(request.message));
      return;
    }
    if (method === 'BYE') {
      this.#receiveBye(request);
      return;
    }
    if (!this.#isOpen() && this.#state !== 'early') {
      // The last word of a subscription may come behind the BYE (RFC 6665 §4.5.2).
      const isLastWord = this.#hasSubscribed && isNotifyForUs(request.message);
      request.respond(isLastWord ? 200 : 481, {}, this.traceOutcome);
      return;
    }
    const tooShort = this.#refreshOf(method)?.refusal(request.message);
    if (tooShort !== undefined) this.respond(request, 422, { headers: tooShort });
    else this.#handler.onRequest(request, this);
  }

  /** Answers a request of this dialog; a 2xx gets our Contact where the method refreshes targets. */
  respond(request: ReceivedRequest, status: number, options: DialogAnswerOptions = {}): void {
    const isSuccess = status >= 200 && status < 300;
    const { headers: given = {}, onFailed, ...rest } = options;
    const { message } = request;
    const answer = isSuccess ? this.#refreshOf(message.method)?.accept(message) : undefined;
    const all = withRefresh(given, answer?.headers ?? {});
    const headers = isSuccess ? this.#withContact(message.method, all) : given;
    request.respond(status, { ...rest, headers }, (outcome) => {
      this.traceOutcome(outcome);
      if (outcome.type === 'failed') onFailed?.();
      else answer?.sent();
    });
  }

  /**
   * The connection is gone: an answered dialog waits for `lost` or `bye`.
   *
   * @returns false when there is nothing to wait for.
   */
  hold(): boolean {
    if (!this.#isOpen()) return false;
    this.#state = 'held';
    this.#acknowledgement.settle();
    return true;
  }

  /** The peer waits for a BYE that may never have left. */
  get isEnding(): boolean {
    return this.#state === 'ending';
  }

  /** Ended by us, but the connection was gone before it took the BYE. */
  get isUnreleased(): boolean {
    return this.#isUnreleased;
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

  /** Early exchanges do not concern the session timer, which begins with the 2xx. */
  #refreshOf(method: string): DialogRefresh | undefined {
    return isRefreshing(method) && this.#state !== 'early' ? this.#handler.refresh : undefined;
  }

  #digestPeer(): DigestPeer | undefined {
    const client = this.#handler.digest;
    const { remoteTarget, firstRoute } = this.#identity;
    // What goes through another hop is challenged before it is answered.
    const dialogTarget = firstRoute === undefined ? remoteTarget : undefined;
    return client === undefined ? undefined : { client, dialogTarget };
  }

  #receiveBye(request: ReceivedRequest): void {
    const wasOpen = this.#isOpen();
    if (this.#state !== 'ended') this.#end();
    if (wasOpen) {
      const reason = getHeader(request.message, 'Reason') ?? '';
      // Before the answer: with it the dialog is gone, and last NOTIFYs can no longer be sent.
      this.#handler.onEnd(request.isUnsolicited ? 'engine' : 'peer', reason, request.message);
    }
    if (!request.isUnsolicited) request.respond(200, {}, this.traceOutcome);
  }

  /** The Contact of a target refresh counts from now on (RFC 3261 §12.2). */
  #refreshTarget(method: string, target: string | undefined): void {
    if (target === undefined || !CONTACT_METHODS.has(method)) return;
    if (target === this.#identity.remoteTarget) return;
    this.#identity = { ...this.#identity, remoteTarget: ownText(target) };
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
    this.#acknowledgement.settle();
    this.#onEnded(this);
  }
}

/** What the 2xx makes of a dialog: only the one who sent it waits for an ACK. */
function answeredState({ role }: DialogIdentity): 'unacknowledged' | 'confirmed' {
  return role === 'uas' ? 'unacknowledged' : 'confirmed';
}

/** The parts of messages that name a dialog, without the rest of those messages. */
function ownIdentity(identity: DialogIdentity): DialogIdentity {
  const { callId, localTag, remoteTag, localContact, remoteTarget, firstRoute } = identity;
  const { routeSet, localUri, remoteUri } = identity;
  return {
    ...identity,
    callId: ownText(callId),
    localTag: ownText(localTag),
    remoteTag: ownText(remoteTag),
    localContact: ownOrNone(localContact),
    remoteTarget: ownOrNone(remoteTarget),
    firstRoute: ownOrNone(firstRoute),
    routeSet: routeSet?.map(ownText),
    localUri: ownOrNone(localUri),
    remoteUri: ownOrNone(remoteUri),
  };
}

function ownOrNone(text: string | undefined): string | undefined {
  return text === undefined ? undefined : ownText(text);
}
