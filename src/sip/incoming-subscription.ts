/**
 * A SUBSCRIBE outside any dialog, and the dialog that our 2xx makes of it (RFC 6665 §4.2.1).
 *
 *   SUBSCRIBE              2xx                    last NOTIFY answered, fatal answer, connection lost
 *   ---------> waiting ----------> open -------------------------------------------> ended
 *                 '------- refusal ----------------------------------------------------^
 *
 * A NOTIFY asked for while the 2xx is on its way leaves behind it.
 */
import type { SipRequest } from '../wire/sip-message.ts';
import {
  digestPeerOf,
  type EventDialog,
  endsSubscription,
  type SubscriptionHandler,
} from './event-dialog.ts';
import { isTerminated } from './event-type.ts';
import { dialogOf, type OpenDialog } from './opened-dialog.ts';
import {
  type DialogRequestOptions,
  type DialogResponse,
  sendAndWait,
  withoutResponse,
} from './request-answer.ts';
import type {
  ReceivedRequest,
  RespondOptions,
  RespondOutcome,
  SipConnection,
  SipHeaders,
} from './sip-connection.ts';
import type { SubscriptionTable, TableEntry } from './subscription-table.ts';

type State =
  | { readonly type: 'waiting' }
  | { readonly type: 'open'; readonly dialog: OpenDialog; readonly leave: () => void }
  | { readonly type: 'ended' };

const NOBODY: SubscriptionHandler = {
  onRequest: () => undefined,
  onEnd: () => undefined,
  onTrace: () => undefined,
};

export class IncomingSubscription implements EventDialog, TableEntry {
  /** The sip-interface it arrived on. */
  readonly interfaceName: string;
  readonly #received: ReceivedRequest;
  readonly #connection: SipConnection;
  readonly #table: SubscriptionTable;
  /** Settled once there is a dialog, or will be none. */
  readonly #answered = Promise.withResolvers<void>();
  #handler = NOBODY;
  #state: State = { type: 'waiting' };

  constructor(
    interfaceName: string,
    received: ReceivedRequest,
    home: { readonly connection: SipConnection; readonly table: SubscriptionTable },
  ) {
    this.interfaceName = interfaceName;
    this.#received = received;
    this.#connection = home.connection;
    this.#table = home.table;
  }

  /** The SUBSCRIBE that wants to open the dialog. */
  get received(): ReceivedRequest {
    return this.#received;
  }

  get message(): SipRequest {
    return this.#received.message;
  }

  get source(): ReceivedRequest['source'] {
    return this.#received.source;
  }

  get remoteTag(): string | undefined {
    return this.#state.type === 'open' ? this.#state.dialog.remoteTag : undefined;
  }

  /** From now on `handler` hears of it; the SUBSCRIBE itself is recorded at once. */
  serve(handler: SubscriptionHandler): void {
    this.#handler = handler;
    handler.onTrace('in', this.#received.text);
  }

  /** Refuses the SUBSCRIBE. */
  reject(status: number, headers: SipHeaders = {}): void {
    this.respond(this.#received, status, { headers });
  }

  respond(request: ReceivedRequest, status: number, options: RespondOptions = {}): void {
    const isFirst = request === this.#received;
    const isSuccess = status >= 200 && status < 300;
    const contact = this.#state.type === 'open' ? this.#state.dialog.localContact : undefined;
    const headers =
      isSuccess && contact !== undefined
        ? { Contact: contact, ...options.headers }
        : options.headers;
    request.respond(
      status,
      { ...options, ...(headers === undefined ? {} : { headers }) },
      (outcome) => {
        if (outcome.type === 'sent') this.#handler.onTrace('out', outcome.text);
        if (isFirst) this.#opened(outcome, isSuccess);
      },
    );
  }

  async request(method: string, options: DialogRequestOptions = {}): Promise<DialogResponse> {
    await this.#answered.promise;
    const state = this.#state;
    if (state.type !== 'open') return withoutResponse('no-dialog');
    const { dialogId, remoteTag, localContact } = state.dialog;
    const headers = {
      ...(localContact === undefined ? {} : { Contact: localContact }),
      ...options.headers,
      To: `<sip:placeholder@localhost>;tag=${remoteTag}`,
    };
    const body = options.body === undefined ? {} : { body: options.body };
    const { onTrace } = this.#handler;
    const response = await sendAndWait(
      this.#connection,
      { method, uri: 'sip:placeholder', dialogId, headers, ...body },
      { onTrace, digest: digestPeerOf(this.#handler) },
    );
    const isLast = isTerminated(options.headers?.['Subscription-State']);
    if (method === 'NOTIFY' && (isLast || endsSubscription(method, response.status))) this.#end();
    return response;
  }

  receive(request: ReceivedRequest): void {
    this.#handler.onTrace('in', request.text);
    if (request.message.method === 'SUBSCRIBE') this.#handler.onRequest(request);
    else this.respond(request, request.message.method === 'NOTIFY' ? 481 : 405);
  }

  lost(): void {
    this.#end();
  }

  #opened(outcome: RespondOutcome, isSuccess: boolean): void {
    if (this.#state.type !== 'waiting') return;
    const dialog = isSuccess && outcome.type === 'sent' ? dialogOf(outcome) : undefined;
    if (dialog === undefined) {
      this.#end();
      return;
    }
    const leave = this.#table.enter(dialog.callId, dialog.localTag, this);
    this.#state = { type: 'open', dialog, leave };
    this.#answered.resolve();
  }

  #end(): void {
    const state = this.#state;
    if (state.type === 'ended') return;
    this.#state = { type: 'ended' };
    if (state.type === 'open') state.leave();
    this.#answered.resolve();
    this.#handler.onEnd();
  }
}
