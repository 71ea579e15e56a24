import { getHeader, type SipRequest } from '../wire/sip-message.ts';
import { tagOf } from '../wire/sip-headers.ts';
import type { DialogHandler, DialogIdentity, SipDialog, SipTrace } from './dialog.ts';
import type { ReceivedRequest, RespondOptions } from './sip-connection.ts';

export type AcceptOutcome =
  | { readonly type: 'dialog'; readonly dialog: SipDialog }
  | { readonly type: 'failed'; readonly reason: string };

/** An INVITE outside any dialog, waiting for our answers (RFC 3261 §13.3). */
export class IncomingInvite {
  /** The sip-interface it arrived on. */
  readonly interfaceName: string;
  readonly #received: ReceivedRequest;
  readonly #addDialog: (identity: DialogIdentity, handler: DialogHandler) => SipDialog;
  #trace: SipTrace = () => undefined;
  #state: 'waiting' | 'cancelled' | 'final' = 'waiting';

  constructor(
    interfaceName: string,
    received: ReceivedRequest,
    addDialog: (identity: DialogIdentity, handler: DialogHandler) => SipDialog,
  ) {
    this.interfaceName = interfaceName;
    this.#received = received;
    this.#addDialog = addDialog;
  }

  get message(): SipRequest {
    return this.#received.message;
  }

  get source(): ReceivedRequest['source'] {
    return this.#received.source;
  }

  /** The SDP offer, `undefined` for a delayed offer. */
  get offer(): string | undefined {
    const body = this.message.body.toString();
    return body === '' ? undefined : body;
  }

  /** From now on every message of this transaction is recorded; the INVITE itself at once. */
  traceWith(trace: SipTrace): void {
    this.#trace = trace;
    trace('in', this.#received.text);
  }

  /** Calls back when the caller gives up before our final response; the 487 is sent by the engine. */
  onCancel(listener: (reason: string) => void): void {
    this.#received.onCancel((cancel, text) => {
      this.#trace('in', text);
      if (this.#state !== 'waiting') return;
      this.#state = 'cancelled';
      listener(cancel === undefined ? '' : (getHeader(cancel, 'Reason') ?? ''));
    });
    // An UPDATE before the answer would need an early offer/answer of its own; 491 makes the peer try later.
    this.#received.onEarlyUpdate((update) => update.respond(491, {}));
  }

  /** Sends a provisional response. */
  progress(status: number, options: RespondOptions): void {
    if (this.#state !== 'waiting') return;
    this.#received.respond(status, options, (outcome) => {
      if (outcome.type === 'sent') this.#trace('out', outcome.text);
    });
  }

  /** Sends a failure; without effect after a CANCEL or a final response. */
  reject(status: number, options: RespondOptions = {}): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'final';
    this.#received.respond(status, options, (outcome) => {
      if (outcome.type === 'sent') this.#trace('out', outcome.text);
    });
  }

  /** Sends the 200; `onOutcome` runs in the same turn in which the dialog comes to life. */
  accept(
    options: RespondOptions,
    handler: DialogHandler,
    onOutcome: (outcome: AcceptOutcome) => void,
  ): void {
    if (this.#state !== 'waiting') {
      onOutcome({ type: 'failed', reason: this.#state });
      return;
    }
    this.#state = 'final';
    this.#received.respond(200, options, (outcome) => {
      if (outcome.type === 'failed') {
        onOutcome(outcome);
        return;
      }
      const response = outcome.message;
      const identity: DialogIdentity = {
        role: 'uas',
        dialogId: outcome.dialogId,
        callId: getHeader(response, 'Call-ID') ?? '',
        localTag: tagOf(getHeader(response, 'To') ?? '') ?? '',
        remoteTag: tagOf(getHeader(response, 'From') ?? '') ?? '',
        localContact: getHeader(response, 'Contact'),
      };
      const dialog = this.#addDialog(identity, handler);
      this.#trace('out', outcome.text);
      onOutcome({ type: 'dialog', dialog });
    });
  }
}
