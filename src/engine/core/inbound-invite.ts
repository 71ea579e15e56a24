import { getHeader } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { Dialog, dialogId } from '../dialog/dialog.ts';
import { UasInvite } from '../dialog/uas-invite.ts';
import type { UasInviteOutput } from '../dialog/uas-invite.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import type { Flow } from '../transport/flow.ts';
import { cancelTextOf, chosenTag, completeResponse, hasToken, makeResponse } from './completion.ts';
import type { Core, PendingAnswer } from './core.ts';
import { confirmResponse, deliverRequest, peerOf } from './delivery.ts';
import { DialogSession } from './dialog-session.ts';
import type { ReceivedInvite } from './dialog-session.ts';
import { endEarlySession, sendBye } from './engine-request.ts';
import { newCSeq, newRSeq } from './ids.ts';
import type { InboundParts } from './inbound-request.ts';
import { contactOf, hostPortOf, listenPointOf } from './local-address.ts';
import { MachineTimer, nowMs } from './machine-timer.ts';

/**
 * An INVITE of the network, initial or not, until its ACK.
 *
 *   1xx of the application -> early dialog; reliable ones repeated until PRACK
 *   2xx -> dialog, repeated until ACK; without ACK the engine ends the dialog and tells the application
 */
export class InboundInvite implements PendingAnswer, ReceivedInvite {
  readonly owner: AppConnection;
  readonly #core: Core;
  readonly #parts: InboundParts;
  readonly #id: string;
  readonly #machine: UasInvite;
  readonly #timer = new MachineTimer(() => this.#core.guard(() => this.#expire()));
  /** Until the application says anything. */
  #silence: NodeJS.Timeout | undefined;
  /** Tag of our side; the application may choose it as long as it has not been sent. */
  #tag: string;
  #session: DialogSession | undefined;
  #repeated: SipResponse | undefined;
  /** Reliable responses that wait for the PRACK to an earlier one. */
  #queue: { messageId: string; response: SipResponse }[] = [];

  constructor(core: Core, parts: InboundParts) {
    this.#core = core;
    this.#parts = parts;
    this.owner = parts.owner;
    this.#session = parts.session;
    this.#tag = parts.identity.toTag ?? parts.transaction.localTag;
    this.#id = dialogId(parts.identity.callId, parts.identity.fromTag);
    this.#machine = new UasInvite(core.timers, newRSeq());
    core.answers.set(parts.transaction.id, this);
    parts.session?.receivedInvites.set(parts.identity.cseq.number, this);
    if (parts.session === undefined) core.pendingIds.add(this.#id);
    this.#silence = setTimeout(
      () => core.guard(() => this.#refuse(408, 'Request Timeout')),
      128 * core.timers.t1Ms,
    );
  }

  get transactionId(): string {
    return this.#parts.transaction.id;
  }

  get isPending(): boolean {
    return this.#machine.state === 'proceeding' || this.#machine.state === 'reliable';
  }

  respond(messageId: string, response: SipResponse): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    if (this.#parts.identity.toTag === undefined && this.#session === undefined) {
      this.#tag = chosenTag(response) ?? this.#tag;
      this.#parts.transaction.localTag = this.#tag;
    }
    const isReliable =
      response.status > 100 && response.status < 200 && hasToken(response, 'require', '100rel');
    if (isReliable && !this.#offersReliable()) {
      this.owner.refuse(messageId, 'Remote endpoint does not support 100rel');
    } else if (isReliable && !this.#machine.canSendReliable) {
      this.#queue.push({ messageId, response });
    } else {
      this.#respond(messageId, response, isReliable);
    }
  }

  /** CANCEL came, already answered by the transaction layer. */
  cancel(cancel: SipRequest, flow: Flow): void {
    if (!this.isPending) return;
    const id = this.#dialogId();
    this.#refuse(487, 'Request Terminated');
    this.#deliverCancel(cancel, flow, id);
  }

  acknowledge(): boolean {
    const isFirst = this.#machine.ack();
    if (isFirst) this.#repeated = undefined;
    this.#timer.set(this.#machine.expiresAtMs);
    return isFirst;
  }

  prack(rseq: number): boolean {
    if (!this.#machine.prack(rseq)) return false;
    this.#timer.set(this.#machine.expiresAtMs);
    const next = this.#queue.shift();
    if (next !== undefined) this.#respond(next.messageId, next.response, true);
    return true;
  }

  terminate(): boolean {
    const wasPending = this.isPending;
    if (wasPending) {
      const id = this.#dialogId();
      this.#refuse(487, 'Request Terminated');
      this.#deliverCancel(cancelTextOf(this.#parts.request, []), this.#parts.flow, id);
    }
    this.#machine.end();
    this.#timer.clear();
    return wasPending;
  }

  release(): void {
    this.#refuse(503, 'Service Unavailable');
  }

  #offersReliable(): boolean {
    const { request } = this.#parts;
    return hasToken(request, 'supported', '100rel') || hasToken(request, 'require', '100rel');
  }

  #respond(messageId: string, response: SipResponse, isReliable: boolean): void {
    const { request, flow } = this.#parts;
    const { status } = response;
    const local = listenPointOf(this.#core.layer.listenPoints, flow);
    const isDialogForming = status > 100 && status < 300;
    const rseq = isReliable ? this.#machine.sendReliable(nowMs()) : undefined;
    const completed = completeResponse(response, {
      request,
      hostPort: hostPortOf(local),
      contact: isDialogForming
        ? (this.#session?.dialog.localContact ?? contactOf(local, request.uri))
        : undefined,
      localTag: status > 100 ? this.#tag : undefined,
      formsDialog: isDialogForming,
      ...(rseq === undefined ? {} : { rseq }),
    });
    if (completed.type === 'refused') {
      this.owner.refuse(messageId, completed.reason);
      return;
    }
    const { message } = completed;
    if (isDialogForming) this.#ensureSession(message);
    if (isReliable || (status >= 200 && status < 300)) this.#repeated = message;
    if (status >= 200) this.#finish(status);
    this.#timer.set(this.#machine.expiresAtMs);
    this.#core.guard(() => this.#send(messageId, message));
  }

  async #send(messageId: string, message: SipResponse): Promise<void> {
    const { transaction } = this.#parts;
    const { status } = message;
    const session = this.#session;
    const isAnswer = status >= 200 && status < 300;
    // The peer may be quicker in its new dialog than the frame that tells the application of it.
    const isNews = isAnswer || (status > 100 && status < 200 && this.#parts.session === undefined);
    if (isNews) session?.hold();
    const id = status > 100 ? (this.#parts.session?.id ?? this.#id) : '';
    const result = await transaction.send(message);
    if (result.type === 'failed') {
      this.owner.refuse(messageId, `Response could not be sent: ${result.reason}`);
    } else {
      const { bytes, flow } = result;
      const opensDialog = isAnswer && this.#parts.session === undefined;
      const frame = { messageId, transactionId: transaction.id, dialogId: id, bytes, opensDialog };
      confirmResponse(this.owner, frame, peerOf(flow));
    }
    if (isNews) session?.open();
  }

  #dialogId(): string {
    if (this.#parts.session !== undefined) return this.#parts.session.id;
    return this.#session === undefined ? '' : this.#id;
  }

  /** The dialog of an initial INVITE begins with its first response that has a tag. */
  #ensureSession(message: SipResponse): void {
    const contact = getHeader(message, 'Contact') ?? '';
    if (this.#session !== undefined) {
      this.#session.dialog.setLocalContact(contact);
      return;
    }
    const { request, flow, identity } = this.#parts;
    const dialog = Dialog.ofRequest(request, { tag: this.#tag, contact, cseq: newCSeq() });
    if (dialog === undefined) return;
    const local = listenPointOf(this.#core.layer.listenPoints, flow);
    this.#session = new DialogSession({ dialog, owner: this.owner, local, flow });
    this.#session.receivedInvites.set(identity.cseq.number, this);
    this.#core.dialogs.add(this.#session);
  }

  /** A final response is going out. */
  #finish(status: number): void {
    clearTimeout(this.#silence);
    this.#core.answers.delete(this.#parts.transaction.id);
    if (this.#parts.session === undefined) this.#core.pendingIds.delete(this.#id);
    for (const { messageId } of this.#queue) {
      this.owner.refuse(messageId, 'Response not sent due to a final response');
    }
    this.#queue = [];
    if (status < 300) {
      this.#machine.answer(nowMs());
      this.#session?.dialog.confirm();
      const { session, request, flow, identity } = this.#parts;
      session?.follow(request, flow, identity.cseq.number);
      return;
    }
    this.#machine.end();
    this.#timer.clear();
    this.#session?.receivedInvites.delete(this.#parts.identity.cseq.number);
    if (this.#parts.session === undefined && this.#session !== undefined) {
      endEarlySession(this.#core, this.#session);
    }
  }

  /** The engine answers by itself. */
  #refuse(status: number, reason: string): void {
    if (!this.isPending) return;
    const { transaction, request } = this.#parts;
    this.#finish(status);
    void transaction.send(makeResponse(request, { status, reason, tag: this.#tag }));
  }

  #deliverCancel(cancel: SipRequest, flow: Flow, id: string): void {
    const delivered = { request: cancel, flow, transactionId: this.transactionId, dialogId: id };
    deliverRequest(this.owner, delivered);
  }

  #expire(): void {
    for (const output of this.#machine.expire(nowMs())) this.#act(output);
    this.#timer.set(this.#machine.expiresAtMs);
  }

  #act(output: UasInviteOutput): void {
    const { transaction, request, flow } = this.#parts;
    switch (output.type) {
      case 'resendProvisional':
      case 'resendAnswer':
        if (this.#repeated !== undefined) void transaction.send(this.#repeated);
        break;
      case 'provisionalUnconfirmed': {
        const id = this.#dialogId();
        this.#finish(504);
        const answer = { status: 504, reason: 'Server Time-out', tag: this.#tag };
        void transaction.send(makeResponse(request, answer));
        this.#deliverCancel(cancelTextOf(request, []), flow, id);
        break;
      }
      case 'answerUnconfirmed':
        if (this.#session?.dialog.phase === 'confirmed') {
          sendBye(this.#core, this.#session, 'ACK timeout');
        }
        break;
    }
  }
}
