import { createTag } from '../transaction/local-tag.ts';
import { formatSipMessage, getHeader } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { tagOf } from '../../wire/sip-headers.ts';
import { unreachableHeader } from '../../wire/unreachable.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import type { ListenPoint, Flow } from '../transport/flow.ts';
import { makeResponse } from './completion.ts';
import { confirmRequest, deliverResponse, peerOf } from './delivery.ts';

/**
 * What an application hears about one request it wanted sent: first the confirmation, then responses.
 * After `forget` it hears nothing more.
 */
export class RequestReport {
  readonly #local: ListenPoint;
  readonly #messageId: string;
  /** Dialog the request belongs to; empty outside. */
  readonly #dialogId: string;
  #owner: AppConnection | undefined;
  #isConfirmed = false;

  constructor(parts: {
    owner: AppConnection;
    messageId: string;
    local: ListenPoint;
    dialogId: string;
  }) {
    this.#owner = parts.owner;
    this.#messageId = parts.messageId;
    this.#local = parts.local;
    this.#dialogId = parts.dialogId;
  }

  get owner(): AppConnection | undefined {
    return this.#owner;
  }

  forget(): void {
    this.#owner = undefined;
  }

  /** The request has left. */
  sent(transactionId: string, bytes: Buffer): void {
    this.#confirm(transactionId, bytes, this.#local);
  }

  /** A response came. */
  response(
    transactionId: string,
    response: SipResponse,
    from: { flow: Flow; dialogId: string; opensDialog: boolean },
  ): void {
    if (this.#owner === undefined) return;
    const { flow, dialogId, opensDialog } = from;
    const path = peerOf(flow);
    deliverResponse(this.#owner, { response, path, transactionId, dialogId, opensDialog });
  }

  /** No response will come: the engine answers in the peer's name, and says `why` if it knows. Returns that answer. */
  failure(
    transaction: { id: string; request: SipRequest },
    answer: { status: number; reason: string; dialogId: string; why?: string | undefined },
  ): SipResponse {
    const { id, request } = transaction;
    const tag = tagOf(getHeader(request, 'To') ?? '') ?? createTag();
    const extra = answer.why === undefined ? [] : [unreachableHeader(answer.why)];
    const response = makeResponse(request, { ...answer, tag, extra });
    const path = { protocol: this.#local.protocol, address: '', port: 0 };
    if (!this.#isConfirmed) this.#confirm(id, formatSipMessage(request), path);
    if (this.#owner !== undefined) {
      const { dialogId } = answer;
      const delivered = { response, path, transactionId: id, dialogId, opensDialog: false };
      deliverResponse(this.#owner, delivered);
    }
    return response;
  }

  #confirm(
    transactionId: string,
    bytes: Buffer,
    path: { protocol: string; address: string; port: number },
  ): void {
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    if (this.#owner === undefined) return;
    const sent = { messageId: this.#messageId, transactionId, dialogId: this.#dialogId, bytes };
    confirmRequest(this.#owner, sent, path);
  }
}
