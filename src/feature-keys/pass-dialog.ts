/**
 * Feature keys between a phone and another server: two dialogs, each of which knows nothing of the other side's addresses.
 *
 *   phone                     here                     server
 *     | SUBSCRIBE  ------------> | SUBSCRIBE  ------------> |
 *     | <----- the same answer   | <------------ answer     |
 *     | <----- NOTIFY            | <------------ NOTIFY     |   also one that comes before the answer
 *     | answer  ---------------> | the same answer -------> |
 */
import { endsSubscription, type SubscriptionHandler } from '../sip/event-dialog.ts';
import { isTerminated } from '../sip/event-type.ts';
import type { NotifierDialog } from '../sip/notifier-dialog.ts';
import type { DialogResponse } from '../sip/request-answer.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { getHeader, type SipMessage } from '../wire/sip-message.ts';
import {
  answerFields,
  grantFields,
  notifyFields,
  passedBody,
  subscribeFields,
} from './pass-messages.ts';

/** The dialog with the server. */
export interface ServerDialog {
  /** There is none: not yet, or not any more. */
  readonly isUnopened: boolean;
  request(
    method: string,
    options: { readonly headers: Record<string, string>; readonly body?: string },
  ): Promise<DialogResponse>;
  respond(
    request: ReceivedRequest,
    status: number,
    options?: { readonly headers?: Record<string, string> },
  ): void;
  /** The phone is gone: the server may still send its last NOTIFY. */
  release(): void;
}

type State =
  /** NOTIFYs wait until the phone has its 2xx. */
  | { readonly type: 'opening'; readonly early: ReceivedRequest[] }
  | { readonly type: 'open' }
  /** The dialog with the server is over; its last NOTIFY may be on its way to the phone. */
  | { readonly type: 'ending' }
  | { readonly type: 'over' };

/** What is in its place when a server does not say how long it grants. */
const DEFAULT_SECONDS = 3600;
const MAX_SECONDS = 2_000_000;
/** Nobody renews a subscription so long after it ran out. */
const GRACE_SECONDS = 64;

export class PassDialog implements SubscriptionHandler {
  readonly #phone: NotifierDialog;
  readonly #isEmbedded: boolean;
  readonly #onOver: (dialog: PassDialog) => void;
  #server: ServerDialog | undefined;
  #state: State = { type: 'opening', early: [] };
  #expiry: NodeJS.Timeout | undefined;

  constructor(phone: NotifierDialog, isEmbedded: boolean, onOver: (dialog: PassDialog) => void) {
    this.#phone = phone;
    this.#isEmbedded = isEmbedded;
    this.#onOver = onOver;
  }

  /** The server that the next SUBSCRIBE goes to. */
  set server(server: ServerDialog) {
    this.#server = server;
  }

  /** The server has answered the first SUBSCRIBE. */
  answer(received: ReceivedRequest, { status, message }: DialogResponse): void {
    const headers = grantFields(received.message, message);
    if (this.#state.type === 'over') {
      received.respond(503, { headers: { 'Retry-After': '10' } });
      this.#server?.release();
      return;
    }
    if (status >= 300) {
      received.respond(status, { headers });
      this.#finish();
      return;
    }
    const handler = {
      onSubscribe: (request: ReceivedRequest) => void this.#renew(request),
      onLost: () => this.#finish(),
    };
    this.#phone.accept(status, headers, handler, (isOpen) => {
      if (isOpen) this.#opened(secondsIn(headers['Expires']), tagIn(message, 'To'));
      else this.#finish();
    });
  }

  /** A NOTIFY of the server. */
  onRequest(notify: ReceivedRequest): void {
    if (this.#state.type === 'opening') this.#state.early.push(notify);
    else void this.#passNotify(notify);
  }

  onEnd(): void {
    if (this.#state.type !== 'open') return;
    this.#state = { type: 'ending' };
    this.#keepFor(0);
  }

  onTrace(): void {}

  close(): void {
    this.#finish();
  }

  /** @param serverTag of the fork that has answered: the subscriptions at others are none of ours. */
  #opened(seconds: number, serverTag: string | undefined): void {
    if (this.#state.type !== 'opening') return;
    const { early } = this.#state;
    const isOver = this.#server?.isUnopened !== false;
    this.#state = { type: isOver ? 'ending' : 'open' };
    this.#keepFor(isOver ? 0 : seconds);
    for (const notify of early) {
      if (tagIn(notify.message, 'From') === serverTag) void this.#passNotify(notify);
      else this.#server?.respond(notify, 481);
    }
  }

  async #renew(request: ReceivedRequest): Promise<void> {
    if (this.#server === undefined || this.#state.type !== 'open') {
      this.#phone.respond(request, 481, {});
      return;
    }
    const { headers, body } = passedBody(request.message, this.#isEmbedded);
    const { status, message } = await this.#server.request('SUBSCRIBE', {
      headers: { ...subscribeFields(request.message), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const answer = grantFields(request.message, message);
    if (status < 300) this.#keepFor(secondsIn(answer['Expires']));
    this.#phone.respond(request, status, answer);
    // A SUBSCRIBE into what is no more would open another dialog, of which the phone knows nothing.
    if (endsSubscription('SUBSCRIBE', status)) this.#finish();
  }

  async #passNotify(notify: ReceivedRequest): Promise<void> {
    if (this.#state.type !== 'open' && this.#state.type !== 'ending') {
      this.#server?.respond(notify, 481);
      return;
    }
    const { headers, body } = passedBody(notify.message, this.#isEmbedded);
    const response = await this.#phone.notify({
      headers: { ...notifyFields(notify.message), ...headers },
      keepsTransport: true,
      ...(body === undefined ? {} : { body }),
    });
    const { status, isMadeUp, message } = response;
    this.#server?.respond(notify, isMadeUp && status === 503 ? 480 : status, {
      headers: answerFields(message),
    });
    const isLast = isTerminated(getHeader(notify.message, 'Subscription-State'));
    if (isLast || isMadeUp || status === 481) this.#finish();
  }

  #keepFor(seconds: number): void {
    if (this.#state.type === 'over') return;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#finish(), (seconds + GRACE_SECONDS) * 1000);
  }

  #finish(): void {
    const state = this.#state;
    if (state.type === 'over') return;
    this.#state = { type: 'over' };
    clearTimeout(this.#expiry);
    if (state.type === 'opening') {
      for (const notify of state.early) this.#server?.respond(notify, 481);
    }
    this.#phone.end();
    this.#server?.release();
    this.#onOver(this);
  }
}

function tagIn(message: SipMessage | undefined, field: 'From' | 'To'): string | undefined {
  return message === undefined ? undefined : tagOf(getHeader(message, field) ?? '');
}

function secondsIn(expires: string | undefined): number {
  const seconds = Number(expires ?? DEFAULT_SECONDS);
  return seconds >= 0 ? Math.min(seconds, MAX_SECONDS) : DEFAULT_SECONDS;
}
