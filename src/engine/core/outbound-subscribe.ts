import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import { Dialog, dialogId } from '../dialog/dialog.ts';
import { readIdentity } from '../dialog/identity.ts';
import type { MessageIdentity } from '../dialog/identity.ts';
import type { ClientHandler, ClientTransaction } from '../transaction/transaction-user.ts';
import type { Destination, Flow, ListenPoint } from '../transport/flow.ts';
import { subscribeKey } from './core.ts';
import type { Core, PendingSubscribe } from './core.ts';
import { DialogSession } from './dialog-session.ts';
import type { RequestReport } from './request-report.ts';

/**
 * A SUBSCRIBE outside a dialog. Its dialog begins with the 2xx, or with a NOTIFY that overtakes it
 * (RFC 6665 §4.4.1); such a NOTIFY is delivered after the 2xx.
 */
export class OutboundSubscribe implements ClientHandler, PendingSubscribe {
  readonly owner: AppConnection;
  readonly request: SipRequest;
  readonly #core: Core;
  readonly #report: RequestReport;
  readonly #transaction: ClientTransaction;
  readonly #identity: MessageIdentity | undefined;
  readonly #local: ListenPoint;
  readonly #isTransportFixed: boolean;
  #early: DialogSession | undefined;

  constructor(
    core: Core,
    report: RequestReport,
    sent: {
      owner: AppConnection;
      request: SipRequest;
      destination: Destination;
      local: ListenPoint;
    },
  ) {
    this.owner = sent.owner;
    this.request = sent.request;
    this.#core = core;
    this.#report = report;
    this.#local = sent.local;
    this.#isTransportFixed = sent.destination.isTransportFixed ?? false;
    this.#identity = readIdentity(sent.request);
    this.#transaction = core.layer.sendRequest(sent.request, sent.destination, this);
    const key = this.#key();
    if (key !== undefined) core.subscribes.set(key, this);
  }

  /** A NOTIFY came before the answer: its dialog, in which deliveries wait for the answer. */
  begin(notify: SipRequest, flow: Flow): DialogSession | undefined {
    if (this.#early !== undefined) return undefined;
    const dialog = Dialog.ofNotify(this.request, notify);
    if (dialog === undefined) return undefined;
    this.#early = this.#open(dialog, flow);
    this.#early.hold();
    return this.#early;
  }

  onSent(bytes: Buffer): void {
    this.#report.sent(this.#transaction.id, bytes);
  }

  onResponse(response: SipResponse, flow: Flow): void {
    if (response.status < 200) return;
    this.#forget();
    const isAccepted = response.status < 300;
    const session = isAccepted ? this.#accept(response, flow) : undefined;
    const from = { flow, dialogId: this.#dialogId(), opensDialog: isAccepted };
    this.#report.response(this.#transaction.id, response, from);
    this.#settle(session);
  }

  onTimeout(): void {
    this.#fail(408, 'Request Timeout');
  }

  onTransportError(why: string): void {
    this.#fail(503, 'Service Unavailable', why);
  }

  #fail(status: number, reason: string, why?: string): void {
    this.#forget();
    this.#report.failure(this.#transaction, { status, reason, why, dialogId: this.#dialogId() });
    this.#settle(undefined);
  }

  #accept(response: SipResponse, flow: Flow): DialogSession | undefined {
    const dialog = Dialog.ofResponse(this.#transaction.request, response);
    if (dialog === undefined) return undefined;
    if (this.#early?.dialog.remoteTag === dialog.remoteTag) {
      // The NOTIFY has already counted in the early dialog, so that one stays.
      this.#early.dialog.refreshTarget('SUBSCRIBE', response);
      return this.#early;
    }
    return this.#open(dialog, flow);
  }

  /** Lets go what waited for the answer; without a dialog it ends with the engine's own 481. */
  #settle(session: DialogSession | undefined): void {
    if (this.#early !== undefined && this.#early !== session)
      this.#core.dialogs.remove(this.#early);
    this.#early?.open();
    this.#early = undefined;
  }

  #open(dialog: Dialog, flow: Flow): DialogSession {
    const { owner } = this;
    const local = this.#local;
    const isTransportFixed = this.#isTransportFixed;
    const session = new DialogSession({ dialog, owner, local, flow, isTransportFixed });
    dialog.confirm();
    this.#core.dialogs.add(session);
    return session;
  }

  #forget(): void {
    const key = this.#key();
    if (key !== undefined) this.#core.subscribes.delete(key);
  }

  #key(): string | undefined {
    const identity = this.#identity;
    return identity === undefined ? undefined : subscribeKey(identity.callId, identity.fromTag);
  }

  #dialogId(): string {
    const identity = this.#identity;
    return identity === undefined ? '' : dialogId(identity.callId, identity.fromTag);
  }
}
