import { getHeader } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { ClientHandler, ClientTransaction } from '../transaction/transaction-user.ts';
import { pathKey } from '../transport/address.ts';
import type { Destination, Flow } from '../transport/flow.ts';
import type { Core } from './core.ts';
import type { DialogSession } from './dialog-session.ts';
import { endSession } from './engine-request.ts';
import type { RequestReport } from './request-report.ts';

/** Answers after which a request has to be sent again, with credentials; they end nothing (RFC 5057 §5.1). */
const CHALLENGES = new Set([401, 407]);

/** Answers to SUBSCRIBE and NOTIFY that end their subscription (RFC 6665 §4.1.2.2, §4.2.2). */
const FATAL_ANSWERS = new Set([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]);
const FATAL_TO_NOTIFY = new Set([408]);

/**
 * A request of the application other than INVITE and the SUBSCRIBE that creates a dialog.
 * Provisional responses stay here: the library takes the first response of any class for the answer.
 */
export class OutboundRequest implements ClientHandler {
  readonly #core: Core;
  readonly #report: RequestReport;
  readonly #session: DialogSession | undefined;
  readonly #transaction: ClientTransaction;
  /** Where the peer was when it was sent. */
  readonly #sentTo: string;

  constructor(
    core: Core,
    report: RequestReport,
    sent: { request: SipRequest; destination: Destination; session?: DialogSession },
  ) {
    this.#core = core;
    this.#report = report;
    this.#session = sent.session;
    this.#sentTo = placeOf(sent.session);
    this.#transaction = core.layer.sendRequest(sent.request, sent.destination, this);
  }

  onSent(bytes: Buffer): void {
    this.#report.sent(this.#transaction.id, bytes);
  }

  onResponse(response: SipResponse, flow: Flow): void {
    if (response.status < 200) return;
    const from = { flow, dialogId: this.#session?.dialog.id ?? '', opensDialog: false };
    this.#report.response(this.#transaction.id, response, from);
    this.#follow(response);
  }

  onTimeout(): void {
    this.#fail(408, 'Request Timeout');
  }

  onTransportError(why: string): void {
    this.#fail(503, 'Service Unavailable', why);
  }

  #fail(status: number, reason: string, why?: string): void {
    const dialogId = this.#session?.dialog.id ?? '';
    this.#follow(this.#report.failure(this.#transaction, { status, reason, why, dialogId }));
  }

  /** What the final response means for the dialog. */
  #follow(response: SipResponse): void {
    const session = this.#session;
    if (session === undefined) return;
    const { method } = this.#transaction.request;
    if (response.status < 300) session.dialog.refreshTarget(method, response);
    const isChallenged = CHALLENGES.has(response.status);
    const isOver = !isChallenged && (method === 'BYE' || this.#endsSubscription(response));
    if (isOver) endSession(this.#core, session);
    // What ends the dialog may come again with credentials; nobody waits for it for ever.
    else if (method === 'BYE') this.#linger(session);
    else if (session.dialog.method === 'SUBSCRIBE' && this.#isLastWord()) {
      // The last NOTIFY need not come (RFC 6665 §4.1.2.3).
      this.#linger(session);
    }
  }

  #isLastWord(): boolean {
    const { request } = this.#transaction;
    return this.#isUnsubscribe() || (request.method === 'NOTIFY' && isTerminated(request));
  }

  #linger(session: DialogSession): void {
    session.linger(64 * this.#core.timers.t1Ms, () => endSession(this.#core, session));
  }

  /**
   * Only in a dialog that a SUBSCRIBE created, or that nothing but a subscription holds any more; in other INVITE
   * dialogs subscriptions come and go.
   */
  #endsSubscription(response: SipResponse): boolean {
    const { request } = this.#transaction;
    if (this.#session?.isLingering === true) return isTerminated(request);
    if (this.#session?.dialog.method !== 'SUBSCRIBE') return false;
    if (request.method === 'SUBSCRIBE') {
      const isRefused = response.status >= 300 && this.#isUnsubscribe();
      return isRefused || FATAL_ANSWERS.has(response.status);
    }
    if (request.method !== 'NOTIFY') return false;
    const isUnheard =
      FATAL_TO_NOTIFY.has(response.status) && placeOf(this.#session) === this.#sentTo;
    // Silence at a place that the subscriber has left meanwhile says nothing of the one where it is.
    const isFatal = FATAL_ANSWERS.has(response.status) || isUnheard;
    return isFatal || isTerminated(request);
  }

  #isUnsubscribe(): boolean {
    const { request } = this.#transaction;
    return request.method === 'SUBSCRIBE' && getHeader(request, 'Expires')?.trim() === '0';
  }
}

/** Where the peer of a dialog is. */
function placeOf(session: DialogSession | undefined): string {
  return session?.flow === undefined ? '' : pathKey(session.flow);
}

/** Whether a NOTIFY ends its subscription (RFC 6665 §4.1.3). */
export function isTerminated(notify: SipRequest): boolean {
  return /^\s*terminated\b/i.test(getHeader(notify, 'Subscription-State') ?? '');
}
