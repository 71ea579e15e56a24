/**
 * A subscription of ours outside the dialog of the call: each first SUBSCRIBE opens a dialog (RFC 6665 §4.1.2).
 *
 *          SUBSCRIBE            2xx
 *   idle ------------> opening -----> open --terminated, fatal answer--> idle
 *    ^ '<---refusal-------'                                               |
 *    '-----------------------------SUBSCRIBE opens the next one-----------'
 *
 * A NOTIFY may come before the 2xx. After `release` the last NOTIFY is still waited for, 32 s at most.
 */
import { ownText } from '../wire/own-bytes.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { getHeader } from '../wire/sip-message.ts';
import {
  digestPeerOf,
  type EventDialog,
  endsSubscription,
  type SubscriptionHandler,
} from './event-dialog.ts';
import { isTerminated } from './event-type.ts';
import {
  type DialogRequestOptions,
  type DialogResponse,
  sendAndWait,
  withoutResponse,
} from './request-answer.ts';
import type {
  ReceivedRequest,
  ReceivedResponse,
  RespondOptions,
  SendOptions,
  SentRequest,
  SipConnection,
  SipHeaders,
} from './sip-connection.ts';
import type { SubscriptionTable, TableEntry } from './subscription-table.ts';

/** How long the last NOTIFY is waited for (64 * T1), milliseconds. */
const LAST_NOTIFY_WAIT_MS = 32_000;

/** Where a first SUBSCRIBE goes, with From and To if they are to be told. */
export type SubscribeTarget = Pick<SendOptions, 'uri' | 'nextHop' | 'headers'>;

interface Opening {
  readonly localContact: string | undefined;
  readonly leave: () => void;
}

type State =
  | { readonly type: 'idle' }
  /** `overTag`: the branch that has ended it before it answered. */
  | ({ readonly type: 'opening'; readonly overTag?: string } & Partial<Opening>)
  | ({ readonly type: 'open'; readonly dialogId: string; readonly remoteTag: string } & Opening);

export class OutgoingSubscription implements EventDialog, TableEntry {
  readonly #connection: SipConnection;
  readonly #table: SubscriptionTable;
  readonly #target: () => SubscribeTarget;
  readonly #handler: SubscriptionHandler;
  #state: State = { type: 'idle' };
  /** Event of the last SUBSCRIBE. */
  #event = '';
  #release: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly connection: SipConnection;
    readonly table: SubscriptionTable;
    /** Asked for each dialog anew, as the peer may have moved. */
    readonly target: () => SubscribeTarget;
    readonly handler: SubscriptionHandler;
  }) {
    this.#connection = options.connection;
    this.#table = options.table;
    this.#target = options.target;
    this.#handler = options.handler;
  }

  get isUnopened(): boolean {
    return this.#state.type === 'idle';
  }

  async request(method: string, options: DialogRequestOptions = {}): Promise<DialogResponse> {
    const state = this.#state;
    if (method === 'SUBSCRIBE') this.#event = options.headers?.['Event'] ?? this.#event;
    if (state.type === 'open') return this.#sendInside(state, method, options);
    if (state.type === 'opening' || method !== 'SUBSCRIBE') return withoutResponse('no-dialog');
    return this.#open(options);
  }

  respond(request: ReceivedRequest, status: number, options: RespondOptions = {}): void {
    request.respond(status, options, (outcome) => {
      if (outcome.type === 'sent') this.#handler.onTrace('out', outcome.text);
    });
  }

  receive(request: ReceivedRequest): void {
    this.#handler.onTrace('in', request.text);
    const { message } = request;
    const remoteTag = tagOf(getHeader(message, 'From') ?? '');
    if (message.method !== 'NOTIFY' || !this.#isPeer(remoteTag)) {
      this.respond(request, 481);
      return;
    }
    const isLast = isTerminated(getHeader(message, 'Subscription-State'));
    // Before it is handled: a SUBSCRIBE that follows at once belongs into a dialog of its own.
    if (isLast && this.#state.type === 'opening') {
      this.#state = { ...this.#state, overTag: remoteTag ?? '' };
    } else if (isLast) this.#close();
    this.#handler.onRequest(request);
  }

  /** The call is over: the peer may still send its last NOTIFY, and is asked for it if it does not. */
  release(): void {
    if (this.#state.type === 'idle' || this.#release !== undefined) return;
    this.#release = setTimeout(() => {
      const headers = { Event: this.#event, Expires: '0' };
      if (this.#state.type === 'open') void this.#sendInside(this.#state, 'SUBSCRIBE', { headers });
      this.#close();
    }, LAST_NOTIFY_WAIT_MS);
  }

  lost(): void {
    this.#close();
  }

  #open(options: DialogRequestOptions): Promise<DialogResponse> {
    this.#state = { type: 'opening' };
    const { uri, nextHop, headers } = this.#target();
    const send: SendOptions = {
      method: 'SUBSCRIBE',
      uri,
      headers: { ...headers, ...options.headers },
      ...(nextHop === undefined ? {} : { nextHop }),
      ...(options.body === undefined ? {} : { body: options.body }),
    };
    const isAnswered = { value: false };
    const answered = sendAndWait(this.#connection, send, {
      onTrace: this.#handler.onTrace,
      digest: digestPeerOf(this.#handler),
      onSent: (sent) => this.#wentOut(sent),
      onFinal: (response) => {
        isAnswered.value = true;
        this.#answered(response);
      },
    });
    return answered.then((response) => {
      // Silence, or a connection that went away.
      if (!isAnswered.value && this.#state.type === 'opening') this.#close();
      return response;
    });
  }

  #wentOut({ message }: SentRequest): void {
    const state = this.#state;
    if (state.type !== 'opening' || message === undefined) return;
    const callId = ownText(getHeader(message, 'Call-ID') ?? '');
    const localTag = ownText(tagOf(getHeader(message, 'From') ?? '') ?? '');
    const contact = getHeader(message, 'Contact');
    const localContact = contact === undefined ? undefined : ownText(contact);
    const leave = this.#table.enter(callId, localTag, this);
    this.#state = { ...state, localContact, leave };
  }

  #answered({ message, dialogId }: ReceivedResponse): void {
    const state = this.#state;
    if (state.type !== 'opening') return;
    const remoteTag = tagOf(getHeader(message, 'To') ?? '');
    const { leave, localContact } = state;
    const isDialog = message.status < 300 && remoteTag !== undefined && dialogId !== '';
    if (!isDialog || state.overTag === remoteTag || leave === undefined) {
      this.#close();
      return;
    }
    this.#state = { type: 'open', dialogId, remoteTag: ownText(remoteTag), leave, localContact };
  }

  async #sendInside(
    dialog: Extract<State, { type: 'open' }>,
    method: string,
    options: DialogRequestOptions,
  ): Promise<DialogResponse> {
    const { dialogId, remoteTag, localContact } = dialog;
    const headers: SipHeaders = {
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
    if (this.#state === dialog && endsSubscription(method, response.status)) this.#close();
    return response;
  }

  /** Until the answer any branch may be the one; afterwards only that of the answer (RFC 4730 §4.10). */
  #isPeer(tag: string | undefined): boolean {
    return this.#state.type !== 'open' || this.#state.remoteTag === tag;
  }

  #close(): void {
    const state = this.#state;
    if (state.type === 'idle') return;
    this.#state = { type: 'idle' };
    clearTimeout(this.#release);
    this.#release = undefined;
    state.leave?.();
    this.#handler.onEnd();
  }
}
