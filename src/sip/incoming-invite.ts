import { randomBytes } from 'node:crypto';
import { getHeader, type SipRequest } from '../wire/sip-message.ts';
import { tagOf } from '../wire/sip-headers.ts';
import type { AddDialog, DialogHandler, DialogIdentity, SipDialog, SipTrace } from './dialog.ts';
import { contactUriOf, routeOf, uriIn } from './remote-point.ts';
import { traceOwnAnswer } from './request-answer.ts';
import type { ReceivedRequest, RespondOptions, RespondOutcome } from './sip-connection.ts';

export type AcceptOutcome =
  | { readonly type: 'dialog'; readonly dialog: SipDialog }
  | { readonly type: 'failed'; readonly reason: string };

interface Confirming {
  readonly promise: Promise<void>;
  /** Gives the dialog that stands if the 200 has left. */
  readonly presumed: () => SipDialog;
  readonly settle: (outcome: AcceptOutcome) => void;
}

/** What the stack does for an INVITE that waits for our answers. */
export interface InviteHome {
  readonly addDialog: AddDialog;
  /** The final answer is given, or no longer wanted. */
  onSettled(invite: IncomingInvite): void;
}

/**
 * An INVITE outside any dialog, waiting for our answers (RFC 3261 §13.3).
 *
 *   18x with a tag -> early dialog      2xx -> the same dialog, answered      refusal, CANCEL -> its end
 */
export class IncomingInvite {
  /** The sip-interface it arrived on. */
  readonly interfaceName: string;
  readonly #received: ReceivedRequest;
  readonly #home: InviteHome;
  #trace: SipTrace = () => undefined;
  #onLost: () => void = () => undefined;
  #early: SipDialog | undefined;
  #state: 'waiting' | 'cancelled' | 'final' = 'waiting';
  /** Of all our answers: nobody else knows it before the engine's word, which may never come. */
  readonly #localTag = newTag();
  /** What the engine has said first of an answer of ours: a server may have a tag of its own. */
  #reported: DialogIdentity | undefined;
  /** From our 200 until the engine says that it left. */
  #confirming: Confirming | undefined;

  constructor(interfaceName: string, received: ReceivedRequest, home: InviteHome) {
    this.interfaceName = interfaceName;
    this.#received = received;
    this.#home = home;
  }

  get message(): SipRequest {
    return this.#received.message;
  }

  get source(): ReceivedRequest['source'] {
    return this.#received.source;
  }

  /** Settled when it is known whether our 200 has left; `undefined` when none is on its way. */
  get confirmed(): Promise<void> | undefined {
    return this.#confirming?.promise;
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
  onCancel(listener: (reason: string, cancel: SipRequest | undefined) => void): void {
    this.#received.onCancel((cancel, text) => {
      this.#trace('in', text);
      traceOwnAnswer(this.#trace, 200);
      if (this.#state !== 'waiting') return;
      traceOwnAnswer(this.#trace, 487);
      this.#settle('cancelled');
      listener(cancel === undefined ? '' : (getHeader(cancel, 'Reason') ?? ''), cancel);
    });
  }

  /** Calls back when the connection to the SIP engine goes before our final response. */
  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /**
   * The connection is gone before the engine's word on our 200: it counts as sent, since a caller who has it would wait
   * for ever, while a BYE to one who has not does no harm.
   */
  presumeAnswered(): void {
    const dialog = this.#confirming?.presumed();
    if (dialog !== undefined) this.#confirming?.settle({ type: 'dialog', dialog });
  }

  /** The connection is gone, and the INVITE with it. */
  lost(): void {
    this.#confirming?.settle({ type: 'failed', reason: 'connection-lost' });
    if (this.#state !== 'waiting') return;
    this.#settle('cancelled');
    this.#onLost();
  }

  /** Sends a provisional response; the first one with a tag creates the early dialog, which `handler` is given. */
  progress(
    status: number,
    options: RespondOptions,
    handler: DialogHandler,
    onEarlyDialog: (dialog: SipDialog) => void = () => undefined,
  ): void {
    if (this.#state !== 'waiting') return;
    this.#received.respond(status, withTag(options, this.#localTag), (outcome) => {
      if (outcome.type === 'failed') return;
      this.#trace('out', outcome.text);
      const identity = identityOf(outcome, this.message);
      // A tag and an id are what a dialog is known by; without them there is none yet.
      if (identity.localTag === '' || identity.dialogId === '') return;
      this.#reported ??= identity;
      if (this.#state !== 'waiting' || this.#early !== undefined) return;
      this.#early = this.#home.addDialog(identity, handler, {});
      onEarlyDialog(this.#early);
    });
  }

  /** Sends a failure; without effect after a CANCEL or a final response. */
  reject(status: number, options: RespondOptions = {}): void {
    if (this.#state !== 'waiting') return;
    this.#settle('final');
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
    const confirming = this.#confirm(onOutcome, () => this.#presume(options, handler));
    this.#received.respond(200, withTag(options, this.#localTag), (outcome) => {
      if (this.#confirming !== confirming) return;
      if (outcome.type === 'failed') {
        confirming.settle(outcome);
        return;
      }
      const identity = identityOf(outcome, this.message);
      const dialog = this.#early ?? this.#home.addDialog(identity, handler);
      dialog.confirm(identity);
      this.#trace('out', outcome.text);
      confirming.settle({ type: 'dialog', dialog });
    });
  }

  /** Begins the wait for the engine's word on our 200. */
  #confirm(
    onOutcome: (outcome: AcceptOutcome) => void,
    presumed: Confirming['presumed'],
  ): Confirming {
    const { promise, resolve } = Promise.withResolvers<void>();
    const settle = (outcome: AcceptOutcome): void => {
      this.#confirming = undefined;
      this.#home.onSettled(this);
      if (outcome.type === 'failed') this.#early?.endEarly();
      onOutcome(outcome);
      resolve();
    };
    this.#confirming = { promise, settle, presumed };
    return this.#confirming;
  }

  /** The dialog of a 200 that may have left. */
  #presume({ headers = {} }: RespondOptions, handler: DialogHandler): SipDialog {
    const { localTag = this.#localTag, dialogId = '', localContact } = this.#reported ?? {};
    const identity = {
      ...peerOf(this.message),
      dialogId,
      callId: getHeader(this.message, 'Call-ID') ?? '',
      localTag,
      localContact: headers['Contact'] ?? localContact,
    };
    const dialog = this.#early ?? this.#home.addDialog(identity, handler);
    dialog.confirm(identity);
    return dialog;
  }

  /** No dialog will come of it. */
  #settle(state: 'cancelled' | 'final'): void {
    this.#state = state;
    this.#early?.endEarly();
    this.#home.onSettled(this);
  }
}

/** The dialog that a response of ours stands for. */
function identityOf(
  sent: Extract<RespondOutcome, { type: 'sent' }>,
  invite: SipRequest,
): DialogIdentity {
  const { message, dialogId } = sent;
  return {
    ...peerOf(invite),
    dialogId,
    callId: getHeader(message, 'Call-ID') ?? '',
    localTag: tagOf(getHeader(message, 'To') ?? '') ?? '',
    remoteTag: tagOf(getHeader(message, 'From') ?? '') ?? '',
    localContact: getHeader(message, 'Contact'),
  };
}

/** What the INVITE alone says of its dialog. */
function peerOf(
  invite: SipRequest,
): Omit<DialogIdentity, 'dialogId' | 'callId' | 'localTag' | 'localContact'> {
  return {
    role: 'uas',
    remoteTag: tagOf(getHeader(invite, 'From') ?? '') ?? '',
    remoteTarget: contactUriOf(invite),
    localUri: uriIn(getHeader(invite, 'To') ?? ''),
    remoteUri: uriIn(getHeader(invite, 'From') ?? ''),
    ...routeOf(invite),
  };
}

/** The tag is the only thing that a SIP engine takes from a To of ours. */
function withTag(options: RespondOptions, tag: string): RespondOptions {
  return {
    ...options,
    headers: { ...options.headers, To: `<sip:placeholder@localhost>;tag=${tag}` },
  };
}

/** A tag that nobody can guess (RFC 3261 §19.3). */
function newTag(): string {
  return randomBytes(8).toString('hex');
}
