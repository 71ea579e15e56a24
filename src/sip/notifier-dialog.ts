/**
 * The notifier's end of a dialog that a peer's SUBSCRIBE opens, for event packages that keep their own state (RFC 6665).
 *
 *   SUBSCRIBE              2xx sent                      end
 *   ---------> waiting -----------------> open -------------------------> ended
 *                 '------ any other answer ------------------------------^
 *
 * It sends what it is told to and judges no answer: whoever serves the subscription decides what ends it.
 */
import { ORDER_FIELD, TRANSPORT_FIELD } from '../wire/engine-headers.ts';
import type { SipResponse } from '../wire/sip-message.ts';
import { dialogOf, type OpenDialog } from './opened-dialog.ts';
import { sendAndWait } from './request-answer.ts';
import type {
  PeerSource,
  ReceivedRequest,
  RespondOutcome,
  SentRequest,
  SipConnection,
  SipHeaders,
} from './sip-connection.ts';
import type { SubscriptionTable, TableEntry } from './subscription-table.ts';

/** Who serves the subscription. */
export interface NotifierHandler {
  /** It refuses a SUBSCRIBE whose CSeq does not grow itself, at its place among other checks; where the engine lets it. */
  readonly judgesOrder?: boolean;
  /** A SUBSCRIBE in the dialog; must be answered. */
  onSubscribe(request: ReceivedRequest): void;
  /** The connection to the SIP engine is gone, and the dialog with it. */
  onLost(): void;
}

/** The final answer to a NOTIFY. */
export interface NotifyResponse {
  readonly status: number;
  /** The peer said nothing: the status stands for silence or a lost connection. */
  readonly isMadeUp: boolean;
  readonly message: SipResponse | undefined;
  /** It was not waited for: the peer has subscribed from elsewhere meanwhile, and gets the NOTIFY there. */
  readonly isOvertaken?: boolean;
}

export interface NotifyMessage {
  readonly headers: SipHeaders;
  readonly body?: string;
  /** It leaves on the transport of the dialog, whatever its size. */
  readonly keepsTransport?: boolean;
  /** It can be sent anew: its answer is not waited for once the peer subscribes from elsewhere. */
  readonly isRepeatable?: boolean;
  /** Hears of the NOTIFY as it is on the wire. */
  readonly onSent?: (sent: SentRequest) => void;
}

type State =
  | { readonly type: 'waiting' }
  | { readonly type: 'open'; readonly dialog: OpenDialog; readonly leave: () => void }
  | { readonly type: 'ended' };

export class NotifierDialog implements TableEntry {
  readonly #received: ReceivedRequest;
  readonly #connection: SipConnection;
  readonly #table: SubscriptionTable;
  #handler: NotifierHandler | undefined;
  #state: State = { type: 'waiting' };
  /** Where the last accepted SUBSCRIBE came from. */
  #source: PeerSource;
  /** Of NOTIFYs without answer: gives up waiting for it. */
  readonly #overtake = new Set<() => void>();

  /** @param received the SUBSCRIBE that wants to open the dialog. */
  constructor(
    received: ReceivedRequest,
    home: { readonly connection: SipConnection; readonly table: SubscriptionTable },
  ) {
    this.#received = received;
    this.#source = received.source;
    this.#connection = home.connection;
    this.#table = home.table;
  }

  get isOpen(): boolean {
    return this.#state.type === 'open';
  }

  get remoteTag(): string | undefined {
    return this.#state.type === 'open' ? this.#state.dialog.remoteTag : undefined;
  }

  /** Answers the first SUBSCRIBE with 2xx; `onOpen` hears in the same turn whether there is a dialog now. */
  accept(
    status: number,
    headers: SipHeaders,
    handler: NotifierHandler,
    onOpen: (isOpen: boolean) => void,
  ): void {
    this.#handler = handler;
    const isOrderOurs = handler.judgesOrder === true && this.#connection.isEmbedded === true;
    const all = isOrderOurs ? { ...headers, [ORDER_FIELD]: 'application' } : headers;
    this.#received.respond(status, { headers: all }, (outcome) => {
      if (this.#state.type === 'waiting') this.#opened(outcome);
      onOpen(this.isOpen);
    });
  }

  /** Answers a SUBSCRIBE in the dialog. */
  respond(
    request: ReceivedRequest,
    status: number,
    headers: SipHeaders,
    onAnswered?: () => void,
  ): void {
    const contact = this.#state.type === 'open' ? this.#state.dialog.localContact : undefined;
    const needsContact = status >= 200 && status < 300 && contact !== undefined;
    const all = needsContact ? { Contact: contact, ...headers } : headers;
    request.respond(status, { headers: all }, (outcome) => {
      if (status < 300 && outcome.type === 'sent') this.#follow(request.source);
      onAnswered?.();
    });
  }

  /** Sends a NOTIFY and resolves with its final answer; never rejects. */
  async notify(message: NotifyMessage): Promise<NotifyResponse> {
    if (message.isRepeatable !== true) return await this.#notify(message);
    const overtaken = Promise.withResolvers<NotifyResponse>();
    const giveUp = (): void =>
      overtaken.resolve({ status: 408, isMadeUp: true, message: undefined, isOvertaken: true });
    this.#overtake.add(giveUp);
    const response = await Promise.race([this.#notify(message), overtaken.promise]);
    this.#overtake.delete(giveUp);
    return response;
  }

  async #notify(notify: NotifyMessage): Promise<NotifyResponse> {
    const { headers, body, keepsTransport, onSent } = notify;
    const state = this.#state;
    if (state.type !== 'open') return { status: 481, isMadeUp: true, message: undefined };
    const { dialogId, remoteTag, localContact } = state.dialog;
    let isMadeUp = true;
    const response = await sendAndWait(
      this.#connection,
      {
        method: 'NOTIFY',
        uri: 'sip:placeholder',
        dialogId,
        headers: {
          ...(localContact === undefined ? {} : { Contact: localContact }),
          ...headers,
          ...(keepsTransport === true && this.#connection.isEmbedded === true
            ? { [TRANSPORT_FIELD]: 'keep' }
            : {}),
          To: `<sip:placeholder@localhost>;tag=${remoteTag}`,
        },
        ...(body === undefined ? {} : { body }),
      },
      {
        onTrace: () => undefined,
        ...(onSent === undefined ? {} : { onSent }),
        onFinal: (final) => {
          isMadeUp = final.isMadeUp === true;
        },
      },
    );
    const { status, message } = response;
    return { status, isMadeUp, message };
  }

  /** No dialog from now on: what the peer sends in it finds nobody (481). */
  end(): void {
    const state = this.#state;
    this.#state = { type: 'ended' };
    if (state.type === 'open') state.leave();
  }

  receive(request: ReceivedRequest): void {
    const { method } = request.message;
    if (method === 'SUBSCRIBE' && this.#handler !== undefined) this.#handler.onSubscribe(request);
    else request.respond(method === 'NOTIFY' ? 481 : 405, {});
  }

  lost(): void {
    this.end();
    this.#handler?.onLost();
  }

  /** A drachtio-server goes on sending to where the first SUBSCRIBE came from. */
  #follow(source: PeerSource): void {
    const { address, port, protocol } = this.#source;
    const isSame =
      source.address === address && source.port === port && source.protocol === protocol;
    this.#source = source;
    if (isSame || this.#connection.isEmbedded !== true) return;
    for (const giveUp of this.#overtake) giveUp();
  }

  #opened(outcome: RespondOutcome): void {
    const dialog = outcome.type === 'sent' ? dialogOf(outcome) : undefined;
    if (dialog === undefined) {
      this.#state = { type: 'ended' };
      return;
    }
    const leave = this.#table.enter(dialog.callId, dialog.localTag, this);
    this.#state = { type: 'open', dialog, leave };
  }
}
