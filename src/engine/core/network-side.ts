import { getHeader } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { uriScheme } from '../../wire/sip-uri.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import { contactUri, dialogId } from '../dialog/dialog.ts';
import { readIdentity } from '../dialog/identity.ts';
import type { MessageIdentity } from '../dialog/identity.ts';
import { createTag } from '../transaction/local-tag.ts';
import type { OwnAnswers } from '../transaction/own-answers.ts';
import type { ServerTransaction, TransactionUser } from '../transaction/transaction-user.ts';
import type { Flow } from '../transport/flow.ts';
import { makeResponse } from './completion.ts';
import type { Core } from './core.ts';
import { subscribeKey } from './core.ts';
import { deliverRequest } from './delivery.ts';
import type { DialogSession } from './dialog-session.ts';
import { endEarlySession, endInvites } from './engine-request.ts';
import { InboundInvite } from './inbound-invite.ts';
import { InboundRequest } from './inbound-request.ts';
import type { InboundParts } from './inbound-request.ts';
import { listenPointOf } from './local-address.ts';
import { isTerminated } from './outbound-request.ts';

/** A request with what it is matched by. */
interface Arrival {
  readonly transaction: ServerTransaction;
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly identity: MessageIdentity;
  readonly ownAnswers: OwnAnswers;
}

/** Methods that make no sense outside a dialog. */
const DIALOG_ONLY = new Set(['BYE', 'UPDATE', 'PRACK']);
const KNOWN_METHODS = new Set([
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
]);
/** Requests whose sender must say where it can be reached (RFC 3261 §8.1.1.8, 6665 §4.1.2). */
const NEEDS_PEER_CONTACT = new Set(['INVITE', 'SUBSCRIBE']);

/** Takes requests from the transactions: matches dialogs, finds the application, answers what nobody wants. */
export class NetworkSide implements TransactionUser {
  readonly #core: Core;
  /** CANCELs find their INVITE by its transaction. */
  readonly #invites = new WeakMap<ServerTransaction, InboundInvite>();

  constructor(core: Core) {
    this.#core = core;
  }

  onRequest(transaction: ServerTransaction, request: SipRequest, flow: Flow): void {
    const identity = readIdentity(request);
    const { ownAnswers } = this.#core.layer;
    if (identity === undefined) {
      refuse({ transaction, request, ownAnswers }, 400, 'Bad Request');
      return;
    }
    const arrival = { transaction, request, flow, identity, ownAnswers };
    const session = this.#core.dialogs.ofRequest(identity);
    if (session !== undefined) this.#inDialog(arrival, session);
    else if (identity.toTag !== undefined) this.#unknownDialog(arrival);
    else this.#outOfDialog(arrival);
  }

  onAck(request: SipRequest, flow: Flow): void {
    const identity = readIdentity(request);
    const session = identity === undefined ? undefined : this.#core.dialogs.ofRequest(identity);
    if (identity === undefined || session === undefined) return;
    const { number } = identity.cseq;
    const invite = session.receivedInvites.get(number);
    const isFirst = invite?.acknowledge() ?? false;
    if (isFirst) session.receivedInvites.delete(number);
    const transactionId =
      isFirst && invite !== undefined ? invite.transactionId : crypto.randomUUID();
    session.deliver(() =>
      deliverRequest(session.owner, { request, flow, transactionId, dialogId: session.dialog.id }),
    );
  }

  onCancel(cancel: SipRequest, transaction: ServerTransaction, flow: Flow): void {
    this.#invites.get(transaction)?.cancel(cancel, flow);
  }

  onStrayResponse(response: SipResponse): void {
    const identity = readIdentity(response);
    if (identity?.cseq.method !== 'INVITE') return;
    const session = this.#core.dialogs.ofResponse(identity);
    session?.sentInvites.get(identity.cseq.number)?.repeatAck();
  }

  #outOfDialog(arrival: Arrival): void {
    const { request, identity } = arrival;
    const { method } = request;
    const core = this.#core;
    if (DIALOG_ONLY.has(method)) {
      refuse(arrival, 481, 'Call/Transaction Does Not Exist');
      return;
    }
    if (NEEDS_PEER_CONTACT.has(method) && contactUri(request) === undefined) {
      refuse(arrival, 400, 'Missing Contact');
      return;
    }
    if (method === 'SUBSCRIBE' && !(hasUsableContact(request) && identity.fromTag !== '')) {
      refuse(arrival, 400, identity.fromTag === '' ? 'Missing From Tag' : 'Unusable Contact');
      return;
    }
    if (method === 'INVITE' && this.#isMerged(identity)) {
      refuse(arrival, 482, 'Loop Detected');
      return;
    }
    const owner = core.pick(method);
    if (owner === undefined) {
      if (KNOWN_METHODS.has(method)) refuse(arrival, 503, 'Service Unavailable');
      else refuse(arrival, 501, 'Not Implemented', [{ name: 'Allow', value: allowed(core) }]);
      return;
    }
    this.#deliverNew(arrival, owner);
  }

  /** Hands a request outside every dialog to an application. */
  #deliverNew(arrival: Arrival, owner: AppConnection): void {
    const { request, transaction, flow } = arrival;
    this.#accept({ ...arrival, owner });
    const receivedOn = listenPointOf(this.#core.layer.listenPoints, flow);
    const transactionId = transaction.id;
    deliverRequest(owner, { request, flow, transactionId, dialogId: '', receivedOn });
  }

  /** A second INVITE with the identity of one that is pending or established (RFC 3261 §8.2.2.2). */
  #isMerged(identity: MessageIdentity): boolean {
    const id = dialogId(identity.callId, identity.fromTag);
    return this.#core.pendingIds.has(id) || this.#core.dialogs.has(id);
  }

  #unknownDialog(arrival: Arrival): void {
    const { request, identity, flow } = arrival;
    const key = subscribeKey(identity.callId, identity.toTag ?? '');
    const subscribe = request.method === 'NOTIFY' ? this.#core.subscribes.get(key) : undefined;
    const session = subscribe?.begin(request, flow);
    // Only the application knows of subscriptions that ended with their dialog (RFC 6665 §4.5.2).
    const isEvent = request.method === 'NOTIFY' || request.method === 'SUBSCRIBE';
    const owner = isEvent ? this.#core.pick(request.method) : undefined;
    if (session !== undefined) this.#inDialog(arrival, session);
    else if (owner !== undefined) this.#deliverNew(arrival, owner);
    else refuse(arrival, 481, 'Call/Transaction Does Not Exist');
  }

  #inDialog(arrival: Arrival, session: DialogSession): void {
    const { request, identity } = arrival;
    const { dialog } = session;
    const isOrderLeftToApp = request.method === 'SUBSCRIBE' && session.isOrderLeftToApp;
    if (!dialog.acceptCSeq(identity.cseq.number) && !isOrderLeftToApp) {
      refuse(arrival, 500, 'Server Internal Error');
      return;
    }
    if (request.method === 'INVITE' && !admitInvite(arrival, session)) return;
    if (request.method === 'PRACK' && !takePrack(request, session)) {
      refuse(arrival, 481, 'Call/Transaction Does Not Exist');
      return;
    }
    if (request.method === 'SUBSCRIBE' && !hasUsableContact(request)) {
      refuse(arrival, 400, 'Unusable Contact');
      return;
    }
    if (request.method === 'BYE' && this.#endEarly(arrival, session)) return;
    this.#accept({ ...arrival, owner: session.owner, session });
    // The dialog itself goes when the BYE is answered.
    if (request.method === 'BYE') endInvites(session);
    this.#deliver(arrival, session);
    if (dialog.method === 'SUBSCRIBE' && request.method === 'NOTIFY' && isTerminated(request)) {
      session.deliver(() => this.#core.dialogs.remove(session));
    }
  }

  /** From now on the application's answer is expected. */
  #accept(parts: InboundParts): void {
    const { transaction, request } = parts;
    if (request.method !== 'INVITE') {
      void new InboundRequest(this.#core, parts);
      return;
    }
    void transaction.send(makeResponse(request, { status: 100, reason: 'Trying', tag: undefined }));
    this.#invites.set(transaction, new InboundInvite(this.#core, parts));
  }

  #deliver(arrival: Arrival, session: DialogSession): void {
    const { transaction, request, flow } = arrival;
    const { id } = session.dialog;
    session.deliver(() => {
      // Its 2xx never came: the dialog that the NOTIFY announced does not exist.
      if (session.id === '' && request.method === 'NOTIFY') {
        this.#core.answers.get(transaction.id)?.release();
        return;
      }
      deliverRequest(session.owner, { request, flow, transactionId: transaction.id, dialogId: id });
    });
  }

  /** The caller gives up an unanswered call with BYE (RFC 3261 §15.1): a CANCEL for the application. */
  #endEarly(arrival: Arrival, session: DialogSession): boolean {
    if (session.dialog.phase !== 'early' || session.dialog.role !== 'uas') return false;
    refuse(arrival, 200, 'OK');
    endInvites(session);
    endEarlySession(this.#core, session);
    return true;
  }
}

/** The engine answers in place of an application. */
function refuse(
  arrival: Pick<Arrival, 'transaction' | 'request' | 'ownAnswers'>,
  status: number,
  reason: string,
  extra: readonly SipHeader[] = [],
): void {
  arrival.ownAnswers.add(arrival.request.method, status);
  const answer = makeResponse(arrival.request, { status, reason, tag: createTag(), extra });
  void arrival.transaction.send(answer);
}

/** The methods that applications take, and those that follow an INVITE without them. */
function allowed(core: Core): string {
  const served = core.methods();
  const known = [...KNOWN_METHODS, ...DIALOG_ONLY].filter((method) => served.includes(method));
  return ['ACK', 'CANCEL', ...known].join(', ');
}

/** Overlapping re-INVITEs (RFC 3261 §14.2); a 100 for the one that is taken. */
function admitInvite(arrival: Arrival, session: DialogSession): boolean {
  const isCalling = session.dialog.phase === 'early' && session.dialog.role === 'uac';
  if (isCalling || session.pendingSent !== undefined) {
    refuse(arrival, 491, 'Request Pending');
    return false;
  }
  if (session.pendingReceived !== undefined) {
    const retryAfter = { name: 'Retry-After', value: String(1 + Math.floor(Math.random() * 10)) };
    refuse(arrival, 500, 'Server Internal Error', [retryAfter]);
    return false;
  }
  return true;
}

/** Whether NOTIFYs could be addressed to the Contact, if there is one (RFC 3261 §8.1.1.8). */
function hasUsableContact(request: SipRequest): boolean {
  const uri = contactUri(request);
  return uri === undefined || ['sip', 'sips'].includes(uriScheme(uri));
}

function takePrack(request: SipRequest, session: DialogSession): boolean {
  const [rseq = '', cseq = '', method = ''] = (getHeader(request, 'RAck') ?? '')
    .trim()
    .split(/\s+/);
  if (!/^\d{1,10}$/.test(rseq) || !/^\d{1,10}$/.test(cseq) || method !== 'INVITE') return false;
  return session.receivedInvites.get(Number(cseq))?.prack(Number(rseq)) ?? false;
}
