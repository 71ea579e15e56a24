import { getHeader } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { formatSipMessage } from '../../wire/sip-message.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import type { SipCommand } from '../admin/app-message.ts';
import { Dialog, dialogId } from '../dialog/dialog.ts';
import { readIdentity } from '../dialog/identity.ts';
import type { ClientHandler, ClientTransaction } from '../transaction/transaction-user.ts';
import type { Destination, Flow, ListenPoint } from '../transport/flow.ts';
import { AckSender } from './ack-sender.ts';
import { cancelTextOf, hasToken } from './completion.ts';
import type { Core, PendingInvite } from './core.ts';
import { confirmRequest } from './delivery.ts';
import { DialogSession } from './dialog-session.ts';
import type { SentInvite } from './dialog-session.ts';
import { sendBye, sendPrack } from './engine-request.ts';
import type { RequestReport } from './request-report.ts';

export interface OutboundInviteParts {
  readonly owner: AppConnection;
  readonly request: SipRequest;
  readonly destination: Destination;
  readonly local: ListenPoint;
  /** The dialog of a re-INVITE. */
  readonly session?: DialogSession;
}

type State =
  | { readonly type: 'calling' }
  | { readonly type: 'answered'; readonly session: DialogSession; readonly ack: AckSender }
  | { readonly type: 'failed' };

/** Branches of one INVITE that are kept apart; a callee that invents more of them gets no state for those. */
const MAX_FORKS = 16;

/**
 * An INVITE of the application, initial or not, until 64*T1 after its answer.
 *
 *   calling -- 2xx --> answered     further 2xx with that tag: the ACK again; with another tag: ACK and BYE
 *   calling -- 3xx-6xx, timeout, transport error --> failed     a late 2xx: ACK and BYE
 */
export class OutboundInvite implements ClientHandler, PendingInvite, SentInvite {
  readonly owner: AppConnection;
  readonly #core: Core;
  readonly #parts: OutboundInviteParts;
  readonly #report: RequestReport;
  readonly #transaction: ClientTransaction;
  /** Early dialogs of an initial INVITE by the peer's tag. */
  readonly #forks = new Map<string, DialogSession>();
  /** Acknowledged and ended forks by the peer's tag, for copies of their 2xx. */
  readonly #released = new Map<string, AckSender>();
  readonly #cseq: number;
  readonly #id: string;
  /** Of a re-INVITE; in an initial one each fork has its own. */
  #lastRSeq = 0;
  #state: State = { type: 'calling' };
  #isCancelled = false;

  constructor(core: Core, report: RequestReport, parts: OutboundInviteParts) {
    this.#core = core;
    this.#report = report;
    this.#parts = parts;
    this.owner = parts.owner;
    const identity = readIdentity(parts.request);
    this.#cseq = identity?.cseq.number ?? 0;
    this.#id =
      parts.session?.dialog.id ?? dialogId(identity?.callId ?? '', identity?.fromTag ?? '');
    this.#transaction = core.layer.sendRequest(parts.request, parts.destination, this);
    core.invites.set(this.#transaction.id, this);
    parts.session?.addSent(this.#cseq, this);
  }

  get isPending(): boolean {
    return this.#state.type === 'calling';
  }

  get awaitsAck(): boolean {
    return this.#state.type === 'answered' && !this.#state.ack.isUsed;
  }

  onSent(bytes: Buffer): void {
    this.#report.sent(this.#transaction.id, bytes);
  }

  onResponse(response: SipResponse, flow: Flow): void {
    if (response.status === 100) return;
    if (response.status < 200) this.#progress(response, flow);
    else if (response.status < 300) this.#success(response, flow);
    else if (this.#state.type === 'calling') {
      this.#finish({ type: 'failed' });
      const from = { flow, dialogId: this.#id, opensDialog: false };
      this.#report.response(this.#transaction.id, response, from);
    }
  }

  onTimeout(): void {
    this.#fail(408, 'Request Timeout');
  }

  onTransportError(why: string): void {
    this.#fail(503, 'Service Unavailable', why);
  }

  acknowledge(messageId: string, ack: SipRequest): void {
    if (this.#state.type !== 'answered') return;
    const { session } = this.#state;
    this.#state.ack.send(messageId, ack);
    // The 2xx overtook the CANCEL; the application wanted no call any more (RFC 3261 §9.1). A dialog that stood before
    // goes on: what was cancelled is a change of its session.
    const isInitial = this.#parts.session === undefined;
    if (this.#isCancelled && isInitial)
      sendBye(this.#core, session, 'ACK-BYE due to cancel race condition');
  }

  repeatAck(): void {
    if (this.#state.type === 'answered') this.#state.ack.repeat();
  }

  cancel(command: SipCommand, cancel: SipRequest): void {
    const headers = cancel.headers.filter(
      (header) => !CANCEL_OWN_FIELDS.has(headerKey(header.name)),
    );
    const outcome = this.#transaction.cancel(headers);
    if (outcome === 'too-late') {
      this.owner.refuse(command.messageId, 'Server error: INVITE is already answered');
      return;
    }
    this.#isCancelled = true;
    const bytes = formatSipMessage(cancelTextOf(this.#transaction.request, headers));
    const transactionId = crypto.randomUUID();
    const sent = { messageId: command.messageId, transactionId, dialogId: this.#id, bytes };
    confirmRequest(this.owner, sent, this.#parts.local);
  }

  abandon(): void {
    if (this.#state.type === 'calling') this.#transaction.cancel([]);
  }

  acknowledgeBare(): void {
    if (this.#state.type !== 'answered' || this.#state.ack.isUsed) return;
    this.#state.ack.sendBare();
  }

  release(): void {
    this.#report.forget();
    this.#isCancelled = true;
    if (this.#state.type === 'calling') this.#transaction.cancel([]);
  }

  #progress(response: SipResponse, flow: Flow): void {
    if (this.#state.type !== 'calling') return;
    const rseq = hasToken(response, 'require', '100rel') ? readRSeq(response) : undefined;
    const { session } = this.#parts;
    if (session !== undefined) {
      if (rseq === undefined || !isNextRSeq(this.#lastRSeq, rseq)) return;
      this.#lastRSeq = rseq;
      sendPrack(this.#core, session, `${rseq} ${this.#cseq} INVITE`);
      return;
    }
    if (!this.#trackFork(response, flow, rseq)) return;
    const hasTag = readIdentity(response)?.toTag !== undefined;
    const from = { flow, dialogId: hasTag ? this.#id : '', opensDialog: false };
    this.#report.response(this.#transaction.id, response, from);
  }

  /** Keeps the early dialog of a 1xx; false for a reliable one that is not the next (RFC 3262 §4). */
  #trackFork(response: SipResponse, flow: Flow, rseq: number | undefined): boolean {
    const tag = readIdentity(response)?.toTag;
    if (tag === undefined) return true;
    const fork = this.#forks.get(tag) ?? this.#newFork(tag, response, flow);
    if (fork === undefined) return true;
    fork.dialog.refreshTarget('INVITE', response);
    if (rseq === undefined) return true;
    if (!isNextRSeq(fork.lastRSeq, rseq)) return false;
    fork.lastRSeq = rseq;
    fork.awaitsPrack = true;
    return true;
  }

  #newFork(tag: string, response: SipResponse, flow: Flow): DialogSession | undefined {
    if (this.#forks.size >= MAX_FORKS) return undefined;
    const session = this.#newSession(response, flow);
    if (session === undefined) return undefined;
    this.#core.dialogs.add(session);
    this.#forks.set(tag, session);
    return session;
  }

  #newSession(response: SipResponse, flow: Flow): DialogSession | undefined {
    const dialog = Dialog.ofResponse(this.#transaction.request, response);
    if (dialog === undefined) return undefined;
    const { owner, local, destination } = this.#parts;
    const { isTransportFixed } = destination;
    return new DialogSession({ dialog, owner, local, flow, isTransportFixed });
  }

  #success(response: SipResponse, flow: Flow): void {
    if (this.#state.type === 'answered') {
      const { session, ack } = this.#state;
      if (session.dialog.remoteTag === readIdentity(response)?.toTag) ack.repeat();
      else this.#releaseFork(response, flow);
      return;
    }
    if (this.#state.type === 'failed' || this.#report.owner === undefined) {
      this.#releaseFork(response, flow);
      return;
    }
    const session = this.#parts.session ?? this.#confirm(response, flow);
    if (session === undefined) {
      this.#fail(502, 'Bad Gateway');
      return;
    }
    if (this.#parts.session !== undefined) session.dialog.refreshTarget('INVITE', response);
    session.addSent(this.#cseq, this);
    const ack = this.#newAck(session, flow);
    this.#finish({ type: 'answered', session, ack });
    const opensDialog = this.#parts.session === undefined;
    const from = { flow, dialogId: this.#id, opensDialog };
    this.#report.response(this.#transaction.id, response, from);
  }

  #newAck(session: DialogSession, answeredFrom: Flow): AckSender {
    const { destination } = this.#parts;
    const invite = { request: this.#transaction.request, destination, answeredFrom };
    return new AckSender(this.#core, session, invite);
  }

  /** The dialog of the fork that answered first. */
  #confirm(response: SipResponse, flow: Flow): DialogSession | undefined {
    const tag = readIdentity(response)?.toTag ?? '';
    const early = this.#forks.get(tag);
    const session = early ?? this.#newSession(response, flow);
    if (session === undefined) return undefined;
    session.dialog.confirm(response);
    if (early === undefined) this.#core.dialogs.add(session);
    this.#forks.delete(tag);
    return session;
  }

  /** Another branch answered too, or one answered too late: nobody wants that call. */
  #releaseFork(response: SipResponse, flow: Flow): void {
    const tag = readIdentity(response)?.toTag ?? '';
    const earlier = this.#released.get(tag);
    if (earlier !== undefined) {
      earlier.repeat();
      return;
    }
    if (this.#released.size >= MAX_FORKS) return;
    const session = this.#newSession(response, flow);
    if (session === undefined) return;
    session.dialog.confirm(response);
    const ack = this.#newAck(session, flow);
    this.#released.set(tag, ack);
    ack.sendBare();
    sendBye(this.#core, session, undefined);
  }

  #fail(status: number, reason: string, why?: string): void {
    if (this.#state.type !== 'calling') return;
    this.#finish({ type: 'failed' });
    this.#report.failure(this.#transaction, { status, reason, why, dialogId: this.#id });
  }

  #finish(state: State): void {
    this.#state = state;
    this.#core.invites.delete(this.#transaction.id);
    for (const session of this.#forks.values()) this.#core.dialogs.remove(session);
    this.#forks.clear();
    if (state.type === 'failed') this.#parts.session?.sentInvites.delete(this.#cseq);
  }
}

/** Fields of a CANCEL that come from its INVITE. */
const CANCEL_OWN_FIELDS = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'route',
  'record-route',
  'contact',
  'content-length',
  'content-type',
]);

/** Repeats were confirmed before; one that overtook another comes again after that one. */
function isNextRSeq(last: number, rseq: number): boolean {
  return last === 0 || rseq === last + 1;
}

function readRSeq(response: SipResponse): number | undefined {
  const text = getHeader(response, 'RSeq') ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
