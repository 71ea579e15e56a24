import type { SipHeader, SipRequest } from '../../wire/sip-message.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import { readIdentity } from '../dialog/identity.ts';
import type { Destination } from '../transport/flow.ts';
import { completeDialogRequest } from './completion.ts';
import type { Core } from './core.ts';
import { confirmRequest } from './delivery.ts';
import { destinationOf } from './destination.ts';
import type { DialogSession } from './dialog-session.ts';
import { hostPortOf } from './local-address.ts';

/** The ACK to one 2xx: written when the application asks, then repeated for every copy of the 2xx. */
export class AckSender {
  readonly #core: Core;
  readonly #session: DialogSession;
  readonly #invite: SipRequest;
  #sent: { request: SipRequest; destination: Destination } | undefined;

  constructor(core: Core, session: DialogSession, invite: SipRequest) {
    this.#core = core;
    this.#session = session;
    this.#invite = invite;
  }

  get isUsed(): boolean {
    return this.#sent !== undefined;
  }

  /** Sends the application's ACK with its body and confirms it. */
  send(messageId: string, ack: SipRequest): void {
    const { owner, dialog, local } = this.#session;
    const cseq = readIdentity(this.#invite)?.cseq.number ?? 0;
    const inDialog = dialog.request('ACK', cseq);
    const defaults = { hostPort: hostPortOf(local), contact: '' };
    const completed = completeDialogRequest(ack, inDialog, defaults);
    if (completed.type === 'refused') {
      owner.refuse(messageId, completed.reason);
      return;
    }
    const request = completed.message;
    // The credentials of the INVITE go with its ACK (RFC 3261 §22.1).
    request.headers.push(...credentialsOf(this.#invite));
    const points = this.#core.layer.listenPoints;
    const destination = destinationOf(inDialog.nextHop, points, this.#session.flow);
    if (destination === undefined) {
      owner.refuse(messageId, 'requested protocol/transport not available');
      return;
    }
    this.#sent = { request, destination };
    this.#core.guard(() => this.#confirm(messageId, request, destination));
  }

  /** The 2xx came again; before the application's ACK there is nothing to repeat. */
  repeat(): void {
    if (this.#sent === undefined) return;
    void this.#core.layer.sendAck(this.#sent.request, this.#sent.destination);
  }

  async #confirm(messageId: string, request: SipRequest, destination: Destination): Promise<void> {
    const { owner, local, dialog } = this.#session;
    const result = await this.#core.layer.sendAck(request, destination);
    if (result.type === 'failed') {
      owner.refuse(messageId, `ACK could not be sent: ${result.reason}`);
      return;
    }
    const transactionId = crypto.randomUUID();
    const { bytes } = result;
    confirmRequest(owner, { messageId, transactionId, dialogId: dialog.id, bytes }, local);
  }
}

function credentialsOf(invite: SipRequest): SipHeader[] {
  const names = new Set(['authorization', 'proxy-authorization']);
  return invite.headers.filter((header) => names.has(headerKey(header.name)));
}
