/**
 * Feature keys between a phone and another server: two dialogs, each of which knows nothing of the other side's addresses.
 *
 *   phone                     here                     server
 *     | SUBSCRIBE  ------------> | SUBSCRIBE  ------------> |
 *     | <----- the same answer   | <------------ answer     |
 *     | <----- NOTIFY            | <------------ NOTIFY     |   also one that comes before the answer
 *     | answer  ---------------> | the same answer -------> |
 */
import type { SubscriptionHandler } from '../sip/event-dialog.ts';
import { isTerminated } from '../sip/event-type.ts';
import type { NotifierDialog } from '../sip/notifier-dialog.ts';
import type { DialogResponse } from '../sip/request-answer.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import { getHeader } from '../wire/sip-message.ts';
import { answerFields, notifyFields, passedBody, subscribeFields } from './pass-messages.ts';

/** The dialog with the server. */
export interface ServerDialog {
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
    const headers = answerFields(message);
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
      if (isOpen) this.#opened(headers['Expires']);
      else this.#finish();
    });
  }

  /** A NOTIFY of the server. */
  onRequest(notify: ReceivedRequest): void {
    if (this.#state.type === 'opening') this.#state.early.push(notify);
    else void this.#passNotify(notify);
  }

  onEnd(): void {
    // The last NOTIFY may still be on its way to the phone.
    if (this.#state.type === 'open') this.#keepFor(0);
  }

  onTrace(): void {}

  close(): void {
    this.#finish();
  }

  #opened(expires: string | undefined): void {
    if (this.#state.type !== 'opening') return;
    const { early } = this.#state;
    this.#state = { type: 'open' };
    this.#keepFor(secondsIn(expires));
    for (const notify of early) void this.#passNotify(notify);
  }

  async #renew(request: ReceivedRequest): Promise<void> {
    const { headers, body } = passedBody(request.message, this.#isEmbedded);
    const response = await this.#server?.request('SUBSCRIBE', {
      headers: { ...subscribeFields(request.message), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const { status, message } = response ?? { status: 481, message: undefined };
    const answer = answerFields(message);
    if (status < 300) this.#keepFor(secondsIn(answer['Expires']));
    this.#phone.respond(request, status, answer);
  }

  async #passNotify(notify: ReceivedRequest): Promise<void> {
    if (this.#state.type !== 'open') {
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

function secondsIn(expires: string | undefined): number {
  const seconds = Number(expires ?? DEFAULT_SECONDS);
  return seconds >= 0 ? Math.min(seconds, MAX_SECONDS) : DEFAULT_SECONDS;
}
