import { getHeader, type SipRequest, type SipResponse } from '../wire/sip-message.ts';
import { tagOf } from '../wire/sip-headers.ts';
import type { DialogHandler, DialogIdentity, SipDialog } from './dialog.ts';
import type {
  ReceivedResponse,
  SendOptions,
  SentRequest,
  SipConnection,
  SipHeaders,
} from './sip-connection.ts';

/** Who hears the answers to an INVITE of ours. */
export interface OutgoingInviteHandler {
  /** The INVITE as it is on the wire. */
  onSent(request: SipRequest): void;
  onProgress(response: SipResponse): void;
  /** 200: the dialog stands; the ACK is the handler's duty, with the answer when the offer came in the 200. */
  onAnswer(answer: InviteAnswer): void;
  /** No dialog: the failure response, or the status that silence or a lost connection amounts to. */
  onFailure(status: number, reason: string, response: SipResponse | undefined): void;
}

export interface InviteAnswer {
  readonly response: SipResponse;
  readonly dialog: SipDialog;
  acknowledge(body?: string): void;
}

/** An INVITE that we send: one transaction, at most one dialog (RFC 3261 §13.2). */
export class OutgoingInvite {
  readonly #handler: OutgoingInviteHandler;
  readonly #dialogHandler: DialogHandler;
  readonly #addDialog: (identity: DialogIdentity, handler: DialogHandler) => SipDialog;
  #state: 'sending' | 'sent' | 'done' = 'sending';
  #cancelHeaders: SipHeaders | undefined;
  #sent: SentRequest | undefined;

  constructor(
    handler: OutgoingInviteHandler,
    dialogHandler: DialogHandler,
    addDialog: (identity: DialogIdentity, handler: DialogHandler) => SipDialog,
  ) {
    this.#handler = handler;
    this.#dialogHandler = dialogHandler;
    this.#addDialog = addDialog;
  }

  send(connection: SipConnection, options: SendOptions): void {
    connection.send(options, {
      onSent: (sent) => this.#wentOut(sent),
      onResponse: (response) => this.#receive(response),
      onFailed: (reason) => this.#fail(503, reason, undefined),
    });
  }

  /** Gives the INVITE up; the outcome still arrives at the handler (487, or a 200 that won the race). */
  cancel(headers: SipHeaders = {}): void {
    if (this.#state === 'done' || this.#cancelHeaders !== undefined) return;
    this.#cancelHeaders = headers;
    this.#sent?.cancel(headers);
  }

  #wentOut(sent: SentRequest): void {
    this.#state = 'sent';
    this.#sent = sent;
    this.#dialogHandler.onTrace('out', sent.text);
    if (sent.message !== undefined) this.#handler.onSent(sent.message);
    if (this.#cancelHeaders !== undefined) sent.cancel(this.#cancelHeaders);
  }

  #receive(response: ReceivedResponse): void {
    if (this.#state === 'done') return;
    const { message } = response;
    this.#dialogHandler.onTrace('in', response.text);
    if (message.status < 200) {
      if (message.status > 100) this.#provisional(response);
      return;
    }
    if (message.status >= 300) {
      this.#fail(message.status, message.reason, message);
      return;
    }
    this.#answered(response);
  }

  #provisional(response: ReceivedResponse): void {
    if (getHeader(response.message, 'RSeq') !== undefined) response.acknowledge();
    this.#handler.onProgress(response.message);
  }

  #answered(response: ReceivedResponse): void {
    const { message } = response;
    const acknowledge = (body?: string): void => {
      response.acknowledge(body, (text) => this.#dialogHandler.onTrace('out', text));
    };
    if (getHeader(message, 'Contact') === undefined) {
      // Without a Contact there is no remote target: neither ACK nor BYE can reach the peer.
      acknowledge();
      this.#fail(502, 'answer without Contact', undefined);
      return;
    }
    this.#state = 'done';
    const identity: DialogIdentity = {
      role: 'uac',
      dialogId: response.dialogId,
      callId: getHeader(message, 'Call-ID') ?? '',
      localTag: tagOf(getHeader(message, 'From') ?? '') ?? '',
      remoteTag: tagOf(getHeader(message, 'To') ?? '') ?? '',
      localContact:
        this.#sent?.message === undefined ? undefined : getHeader(this.#sent.message, 'Contact'),
    };
    const dialog = this.#addDialog(identity, this.#dialogHandler);
    this.#handler.onAnswer({ response: message, dialog, acknowledge });
  }

  #fail(status: number, reason: string, response: SipResponse | undefined): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    this.#handler.onFailure(status, reason, response);
  }
}
