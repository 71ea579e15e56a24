import { getHeader, type SipRequest, type SipResponse } from '../wire/sip-message.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { type DigestCallbacks, sendWithDigest } from './digest-sender.ts';
import type { AddDialog, DialogHandler, DialogIdentity, SipDialog } from './dialog.ts';
import { contactUriOf, routeOf, uriIn } from './remote-point.ts';
import { traceResponse } from './request-answer.ts';
import { whyUnreachable } from '../wire/unreachable.ts';
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
  /** A 1xx; `dialog` is the early dialog of its branch, if it has one. */
  onProgress(response: SipResponse, dialog: SipDialog | undefined): void;
  /** 200: the dialog stands; the ACK is the handler's duty, with the answer when the offer came in the 200. */
  onAnswer(answer: InviteAnswer): void;
  /** No dialog: the failure response, or without one the status that silence or a lost connection amounts to. */
  onFailure(status: number, reason: string, response: SipResponse | undefined): void;
}

export interface InviteAnswer {
  readonly response: SipResponse;
  readonly dialog: SipDialog;
  acknowledge(body?: string): void;
}

/** The connection went away under an INVITE that had left, as `sent` says, and had no final answer. */
export type OnInviteLost = (sent: SipRequest, options: SendOptions) => void;

/**
 * How long an INVITE may stay without final answer or news of it, as a proxy's timer C (RFC 3261 §16.6): a caller that
 * has vanished would hold the call for ever.
 */
const EXPIRES_MS = 180_000;
/** Reason of a failure without response after the peer had begun to answer. */
export const NO_ANSWER = 'no answer in time';
/** Branches that are kept apart; those of a callee that invents more of them have no early dialog. */
const MAX_BRANCHES = 16;

/**
 * An INVITE that we send: one transaction, an early dialog per branch, at most one answered (RFC 3261 §13.2).
 *
 *   18x with a new To tag -> early dialog      200 -> the dialog of its tag, the others are abandoned
 */
export class OutgoingInvite {
  readonly #handler: OutgoingInviteHandler;
  readonly #dialogHandler: DialogHandler;
  readonly #addDialog: AddDialog;
  readonly #onLost: OnInviteLost;
  /** Early dialogs by the peer's tag. */
  readonly #branches = new Map<string, SipDialog>();
  #state: 'sending' | 'sent' | 'done' = 'sending';
  #cancelHeaders: SipHeaders | undefined;
  #sent: SentRequest | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #hasExpired = false;

  constructor(
    handler: OutgoingInviteHandler,
    dialogHandler: DialogHandler,
    addDialog: AddDialog,
    onLost: OnInviteLost = () => undefined,
  ) {
    this.#handler = handler;
    this.#dialogHandler = dialogHandler;
    this.#addDialog = addDialog;
    this.#onLost = onLost;
  }

  send(connection: SipConnection, options: SendOptions): void {
    const callbacks: DigestCallbacks = {
      onSent: (sent) => this.#wentOut(sent),
      onResponse: (response) => this.#receive(response),
      onFailed: (reason) => {
        const invite = this.#state === 'sent' ? this.#sent?.message : undefined;
        if (reason === 'connection-lost' && invite !== undefined) this.#onLost(invite, options);
        this.#fail(503, reason, undefined);
      },
      onChallenge: (response) => {
        this.#dialogHandler.onTrace('in', response.text, response.source);
        this.#abandonBranches();
      },
      isWanted: () => this.#state !== 'done' && this.#cancelHeaders === undefined,
    };
    const { digest } = this.#dialogHandler;
    const peer = digest === undefined ? undefined : { client: digest };
    sendWithDigest(connection, options, callbacks, peer);
  }

  /** Gives the INVITE up; the outcome still arrives at the handler (487, or a 200 that won the race). */
  cancel(headers: SipHeaders = {}): void {
    if (this.#state === 'done' || this.#cancelHeaders !== undefined) return;
    this.#cancelHeaders = headers;
    this.#sendCancel(headers);
  }

  #sendCancel(headers: SipHeaders): void {
    this.#sent?.cancel(headers, (text) => this.#dialogHandler.onTrace('out', text));
  }

  #wentOut(sent: SentRequest): void {
    this.#state = 'sent';
    this.#sent = sent;
    this.#restartExpiry();
    this.#dialogHandler.onTrace('out', sent.text);
    if (sent.message !== undefined) this.#handler.onSent(sent.message);
    if (this.#cancelHeaders !== undefined) this.#sendCancel(this.#cancelHeaders);
  }

  #restartExpiry(): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => {
      this.#hasExpired = true;
      this.cancel();
    }, EXPIRES_MS);
    this.#expiry.unref();
  }

  #receive(response: ReceivedResponse): void {
    if (this.#state === 'done') return;
    const { message } = response;
    traceResponse(this.#dialogHandler.onTrace, response);
    if (message.status < 200) {
      if (message.status > 100) this.#provisional(response);
      return;
    }
    if (message.status >= 300) {
      const isOfPeer = response.isMadeUp !== true;
      const reason = isOfPeer ? message.reason : whyUnreachable(message);
      this.#fail(message.status, reason, isOfPeer ? message : undefined);
      return;
    }
    this.#answered(response);
  }

  #provisional(response: ReceivedResponse): void {
    if (!this.#hasExpired) this.#restartExpiry();
    const branch = this.#branchOf(response);
    confirmReliable(response, branch);
    this.#handler.onProgress(response.message, branch);
  }

  #branchOf(response: ReceivedResponse): SipDialog | undefined {
    const to = getHeader(response.message, 'To') ?? '';
    const tag = tagOf(to);
    if (tag === undefined || response.dialogId === '') return undefined;
    const known = this.#branches.get(tag);
    if (known !== undefined || this.#branches.size >= MAX_BRANCHES) return known;
    const branch = this.#addDialog(this.#identityOf(response), this.#dialogHandler, { to });
    this.#branches.set(tag, branch);
    return branch;
  }

  #answered(response: ReceivedResponse): void {
    const { message } = response;
    const acknowledge = (body?: string): void => {
      response.acknowledge(body, (text) => this.#dialogHandler.onTrace('out', text));
    };
    const answer = { response: message, dialog: this.#confirm(response), acknowledge };
    if (this.#hasExpired) {
      releaseAnswered(answer);
      this.#handler.onFailure(408, NO_ANSWER, undefined);
    } else if (getHeader(message, 'Contact') === undefined) {
      // Nobody says where requests of this call should go: it is hung up at the place the INVITE went to.
      releaseAnswered(answer);
      this.#handler.onFailure(502, 'answer without Contact', undefined);
    } else {
      this.#handler.onAnswer(answer);
    }
  }

  /** The dialog of a 2xx; the other branches are given up. */
  #confirm(response: ReceivedResponse): SipDialog {
    this.#state = 'done';
    clearTimeout(this.#expiry);
    const identity = this.#identityOf(response);
    const early = this.#branches.get(identity.remoteTag);
    this.#branches.delete(identity.remoteTag);
    this.#abandonBranches();
    const dialog = early ?? this.#addDialog(identity, this.#dialogHandler);
    dialog.confirm(identity);
    return dialog;
  }

  #identityOf({ message, dialogId }: ReceivedResponse): DialogIdentity {
    const sent = this.#sent?.message;
    return {
      role: 'uac',
      dialogId,
      callId: getHeader(message, 'Call-ID') ?? '',
      localTag: tagOf(getHeader(message, 'From') ?? '') ?? '',
      remoteTag: tagOf(getHeader(message, 'To') ?? '') ?? '',
      localContact: sent === undefined ? undefined : getHeader(sent, 'Contact'),
      remoteTarget: contactUriOf(message),
      localUri: uriIn(getHeader(sent ?? message, 'From') ?? ''),
      remoteUri: uriIn(getHeader(message, 'To') ?? ''),
      ...routeOf(message),
    };
  }

  #fail(status: number, reason: string, response: SipResponse | undefined): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    clearTimeout(this.#expiry);
    this.#abandonBranches();
    if (this.#hasExpired) this.#handler.onFailure(408, NO_ANSWER, undefined);
    else this.#handler.onFailure(status, reason, response);
  }

  #abandonBranches(): void {
    for (const branch of this.#branches.values()) branch.abandon();
    this.#branches.clear();
  }
}

/** Sends the PRACK of a reliable 1xx (RFC 3262 §4): a request of its branch, as it may be challenged like any other. */
function confirmReliable(response: ReceivedResponse, branch: SipDialog | undefined): void {
  const { message } = response;
  const rseq = getHeader(message, 'RSeq');
  if (rseq === undefined) return;
  if (branch === undefined) {
    response.acknowledge();
    return;
  }
  const headers = { RAck: `${rseq.trim()} ${getHeader(message, 'CSeq') ?? ''}` };
  void branch.request('PRACK', { headers });
}

/** For an answer that came after the call was given up: it must be acknowledged before it can be hung up. */
export function releaseAnswered(answer: InviteAnswer): void {
  answer.acknowledge();
  void answer.dialog.bye();
}
