import type { SipHeader, SipRequest } from '../../wire/sip-message.ts';
import { headerKey } from '../../wire/sip-header-names.ts';
import type { DialogRequest } from '../dialog/dialog.ts';
import { readIdentity } from '../dialog/identity.ts';
import { createBranch } from '../transaction/client-run.ts';
import type { SendResult } from '../transaction/transaction-user.ts';
import type { Destination, Flow } from '../transport/flow.ts';
import { completeDialogRequest } from './completion.ts';
import type { Core } from './core.ts';
import { confirmRequest } from './delivery.ts';
import { destinationInDialog } from './destination.ts';
import type { DialogSession } from './dialog-session.ts';
import { plainRequest } from './engine-request.ts';
import { hostPortOf } from './local-address.ts';

/** What an ACK belongs to. */
export interface AnsweredInvite {
  readonly request: SipRequest;
  readonly destination: Destination;
  /** The path of its 2xx. */
  readonly answeredFrom: Flow;
}

interface SentAck {
  readonly request: SipRequest;
  readonly destination: Destination;
}

/** The ACK to one 2xx: written once, then repeated byte for byte for every copy of the 2xx (RFC 3261 §13.2.2.4). */
export class AckSender {
  readonly #core: Core;
  readonly #session: DialogSession;
  readonly #invite: AnsweredInvite;
  /** One for all copies: to the peer and to proxies they are one ACK. */
  readonly #branch = createBranch();
  #sent: SentAck | undefined;

  constructor(core: Core, session: DialogSession, invite: AnsweredInvite) {
    this.#core = core;
    this.#session = session;
    this.#invite = invite;
  }

  get isUsed(): boolean {
    return this.#sent !== undefined;
  }

  /** Sends the application's ACK with its body and confirms it. */
  send(messageId: string, ack: SipRequest): void {
    const { owner, local } = this.#session;
    const inDialog = this.#inDialog();
    const defaults = { hostPort: hostPortOf(local), contact: '' };
    const completed = completeDialogRequest(ack, inDialog, defaults);
    if (completed.type === 'refused') {
      owner.refuse(messageId, completed.reason);
      return;
    }
    const sent = this.#keep(completed.message, inDialog.nextHop);
    if (sent === undefined) owner.refuse(messageId, 'requested protocol/transport not available');
    else this.#core.guard(() => this.#confirm(messageId, sent));
  }

  /** Acknowledges without the application, which has given up the call or never heard of it. */
  sendBare(): void {
    const { uri, headers, nextHop } = this.#inDialog();
    this.#keep(plainRequest('ACK', uri, headers), nextHop);
    this.repeat();
  }

  /** The 2xx came again; before the first ACK there is nothing to repeat. */
  repeat(): void {
    if (this.#sent !== undefined) void this.#transmit(this.#sent);
  }

  #inDialog(): DialogRequest {
    return this.#session.dialog.request(
      'ACK',
      readIdentity(this.#invite.request)?.cseq.number ?? 0,
    );
  }

  /** Completes the ACK for good; undefined when there is no way to its next hop. */
  #keep(request: SipRequest, nextHop: string): SentAck | undefined {
    const points = this.#core.layer.listenPoints;
    const destination = destinationInDialog(nextHop, points, this.#session);
    if (destination === undefined) return undefined;
    // The credentials of the INVITE go with its ACK (RFC 3261 §13.2.2.4), but to nobody who has not seen them.
    if (hasSeen(this.#invite, destination)) {
      request.headers.push(...credentialsOf(this.#invite.request));
    }
    this.#sent = { request, destination };
    return this.#sent;
  }

  async #transmit({ request, destination }: SentAck): Promise<SendResult> {
    return await this.#core.layer.sendAck(request, destination, this.#branch);
  }

  async #confirm(messageId: string, sent: SentAck): Promise<void> {
    const { owner, local, dialog } = this.#session;
    const result = await this.#transmit(sent);
    if (result.type === 'failed') {
      owner.refuse(messageId, `ACK could not be sent: ${result.reason}`);
      return;
    }
    const transactionId = crypto.randomUUID();
    const { bytes } = result;
    confirmRequest(owner, { messageId, transactionId, dialogId: dialog.id, bytes }, local);
  }
}

/** Whether a message to `destination` goes to the place that the INVITE went to, or that its 2xx came from. */
function hasSeen({ destination: first, answeredFrom }: AnsweredInvite, to: Destination): boolean {
  const { remoteAddress, remotePort } = answeredFrom;
  return (
    (to.address === first.address && to.port === first.port) ||
    (to.address === remoteAddress && to.port === remotePort)
  );
}

function credentialsOf(invite: SipRequest): SipHeader[] {
  const names = new Set(['authorization', 'proxy-authorization']);
  return invite.headers.filter((header) => names.has(headerKey(header.name)));
}
