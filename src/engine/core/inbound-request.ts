import { ORDER_FIELD } from '../../wire/engine-headers.ts';
import { getHeader, setHeader } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import { Dialog, dialogId } from '../dialog/dialog.ts';
import type { MessageIdentity } from '../dialog/identity.ts';
import { createTag } from '../transaction/local-tag.ts';
import type { ServerTransaction } from '../transaction/transaction-user.ts';
import type { Flow } from '../transport/flow.ts';
import { chosenTag, completeResponse, makeResponse, needsContact } from './completion.ts';
import type { Core, PendingAnswer } from './core.ts';
import { confirmResponse, peerOf } from './delivery.ts';
import { DialogSession } from './dialog-session.ts';
import { newCSeq } from './ids.ts';
import { contactOf, hostPortOf, listenPointOf } from './local-address.ts';

/** What the application is told when it answers what is already answered or was never asked. */
export const UNKNOWN_TRANSACTION = 'Response not sent due to unknown transaction';

/** Time for the last NOTIFY, its answer and one more try, in T1. */
const LAST_WORDS = 256;

export interface InboundParts {
  readonly transaction: ServerTransaction;
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly identity: MessageIdentity;
  readonly owner: AppConnection;
  /** The dialog it came in. */
  readonly session?: DialogSession;
}

/** A request other than INVITE that waits for the application's answer. */
export class InboundRequest implements PendingAnswer {
  readonly owner: AppConnection;
  readonly #core: Core;
  readonly #parts: InboundParts;
  readonly #tag: string;
  readonly #timer: NodeJS.Timeout;

  constructor(core: Core, parts: InboundParts) {
    this.#core = core;
    this.#parts = parts;
    this.owner = parts.owner;
    this.#tag = parts.identity.toTag ?? createTag();
    core.answers.set(parts.transaction.id, this);
    // The peer's timer F has run out by then; nobody waits for the application any more.
    this.#timer = setTimeout(
      () => core.guard(() => this.#refuse(408, 'Request Timeout')),
      64 * core.timers.t1Ms,
    );
  }

  respond(messageId: string, response: SipResponse): void {
    const { request, flow } = this.#parts;
    const local = listenPointOf(this.#core.layer.listenPoints, flow);
    const isSuccess = response.status >= 200 && response.status < 300;
    const formsDialog =
      isSuccess && request.method === 'SUBSCRIBE' && this.#parts.session === undefined;
    const tag = chosenTag(response) ?? this.#tag;
    const ownContact = this.#parts.session?.dialog.localContact ?? contactOf(local, request.uri);
    const completed = completeResponse(response, {
      request,
      hostPort: hostPortOf(local),
      contact:
        isSuccess && request.method !== 'NOTIFY' && needsContact(request.method)
          ? ownContact
          : undefined,
      localTag: response.status > 100 ? (this.#parts.identity.toTag ?? tag) : undefined,
      formsDialog,
    });
    if (completed.type === 'refused') {
      this.owner.refuse(messageId, completed.reason);
      return;
    }
    const { message } = completed;
    if (isSuccess) addExpires(message, request);
    if (response.status >= 200) this.#finish();
    const created = formsDialog ? this.#createDialog(message, tag) : undefined;
    created?.hold();
    if (isSuccess) this.#follow(created ?? this.#parts.session, response, message);
    this.#core.guard(() => this.#send(messageId, message, created));
  }

  release(): void {
    const { request, session } = this.#parts;
    const isUnwanted = request.method === 'NOTIFY' && session?.id === '';
    // The dialog of a BYE is over whether the application has seen it or not.
    if (request.method === 'BYE') this.#refuse(200, 'OK');
    // The SUBSCRIBE whose dialog it announced was refused, or accepted by another fork.
    else if (isUnwanted) this.#refuse(481, 'Call/Transaction Does Not Exist');
    else this.#refuse(503, 'Service Unavailable');
  }

  #finish(): void {
    clearTimeout(this.#timer);
    const { transaction, request, session } = this.#parts;
    this.#core.answers.delete(transaction.id);
    // Until its BYE is answered the application may end what else lives in the dialog (RFC 6665 §4.5.2).
    if (request.method === 'BYE' && session !== undefined) this.#core.dialogs.remove(session);
  }

  /** Answers in place of the application. */
  #refuse(status: number, reason: string): void {
    this.#finish();
    const { transaction, request } = this.#parts;
    void transaction.send(makeResponse(request, { status, reason, tag: this.#tag }));
  }

  async #send(
    messageId: string,
    message: SipResponse,
    created: DialogSession | undefined,
  ): Promise<void> {
    const { transaction } = this.#parts;
    const result = await transaction.send(message);
    if (result.type === 'failed') {
      this.owner.refuse(messageId, `Response could not be sent: ${result.reason}`);
    } else {
      const { bytes, flow } = result;
      const opensDialog = created !== undefined;
      const frame = {
        messageId,
        transactionId: transaction.id,
        dialogId: this.#dialogId(),
        bytes,
        opensDialog,
      };
      confirmResponse(this.owner, frame, peerOf(flow));
    }
    created?.open();
  }

  /** SUBSCRIBE always has an id, others only inside a dialog that still exists. */
  #dialogId(): string {
    const { session, request, identity } = this.#parts;
    if (session !== undefined) return session.id;
    return request.method === 'SUBSCRIBE' ? dialogId(identity.callId, identity.fromTag) : '';
  }

  /** What the acceptance of the request means for its dialog; `answer` is the application's response, completed. */
  #follow(session: DialogSession | undefined, given: SipResponse, answer: SipResponse): void {
    if (session === undefined) return;
    const { request, flow, identity } = this.#parts;
    session.follow(request, flow, identity.cseq.number);
    if (request.method !== 'SUBSCRIBE') return;
    if (getHeader(given, ORDER_FIELD) !== undefined) session.isOrderLeftToApp = true;
    if (session === this.#parts.session) session.hasSubscription = true;
    this.#keepFor(answer, session);
  }

  /** A subscription may end without a last NOTIFY; its dialog does not stay for that. */
  #keepFor(answer: SipResponse, session: DialogSession): void {
    const seconds = Number(getHeader(answer, 'Expires') ?? Number.NaN);
    if (session.dialog.method !== 'SUBSCRIBE' || !(seconds >= 0)) return;
    const delayMs = seconds * 1000 + LAST_WORDS * this.#core.timers.t1Ms;
    session.expireAfter(delayMs, () => this.#core.dialogs.remove(session));
  }

  #createDialog(answer: SipResponse, tag: string): DialogSession | undefined {
    const { request, flow } = this.#parts;
    const contact = getHeader(answer, 'Contact') ?? '';
    const dialog = Dialog.ofRequest(request, { tag, contact, cseq: newCSeq() });
    if (dialog === undefined) return undefined;
    const local = listenPointOf(this.#core.layer.listenPoints, flow);
    const session = new DialogSession({ dialog, owner: this.owner, local, flow });
    dialog.confirm();
    this.#core.dialogs.add(session);
    return session;
  }
}

/** A 2xx to SUBSCRIBE must state the duration (RFC 6665 §4.2.1.1): the wished one if the application is silent. */
function addExpires(response: SipResponse, request: SipRequest): void {
  if (request.method !== 'SUBSCRIBE' || getHeader(response, 'Expires') !== undefined) return;
  const wished = getHeader(request, 'Expires');
  if (wished !== undefined) setHeader(response, 'Expires', wished);
}
