/**
 * A SIP engine in memory: gives an application what an engine with sockets gives it, on a network that loses nothing.
 *
 *   application -> send, respond -> headers, dialog, branch -> MemoryNetwork -> engine of the other side -> its application
 *
 * There are no retransmissions, as nothing is lost; who stays silent is given up after the time of RFC 3261 §17.
 */
import { randomBytes } from 'node:crypto';
import type {
  AnsweredRequest,
  ConnectionOptions,
  ReceivedResponse,
  SendCallbacks,
  SendOptions,
  SipConnection,
  SipHeaders,
} from '../sip/sip-connection.ts';
import { parseCSeq, tagOf } from '../wire/sip-headers.ts';
import {
  formatSipMessage,
  getHeader,
  parseSipMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../wire/sip-message.ts';
import { phraseOf } from '../wire/sip-phrases.ts';
import { MemoryDialog, MemoryDialogs, contactOf } from './memory-dialogs.ts';
import {
  type MemoryNetwork,
  placeName,
  type SipPlace,
  type SipReceiver,
} from './memory-network.ts';
import { MemoryRequest } from './memory-request.ts';
import { branchOf, copiedFields, placeOf } from './memory-text.ts';
import { type RequestParts, writeAck, writeCancel, writeRequest } from './request-text.ts';

/** 64 * T1: nobody has answered (RFC 3261 §17.1). */
const SILENCE_MS = 32_000;

/** Opens dialogs when it is answered. */
const DIALOG_FORMING = new Set(['INVITE', 'SUBSCRIBE']);

/** A request of ours without final answer. */
interface Transaction {
  readonly request: SipRequest;
  readonly callbacks: SendCallbacks;
  readonly from: SipPlace;
  readonly to: SipPlace;
  readonly dialog: MemoryDialog | undefined;
  readonly silence: NodeJS.Timeout;
}

export class MemoryEngine implements SipConnection, SipReceiver {
  readonly isUp = true;
  readonly hostports: string;
  readonly #places: readonly SipPlace[];
  readonly #network: MemoryNetwork;
  readonly #application: ConnectionOptions;
  readonly #dialogs = new MemoryDialogs();
  readonly #transactions = new Map<string, Transaction>();
  /** INVITEs of the peer by branch. */
  readonly #invites = new Map<string, { readonly request: MemoryRequest; status: number }>();

  constructor(places: readonly SipPlace[], network: MemoryNetwork, application: ConnectionOptions) {
    this.#places = places;
    this.#network = network;
    this.#application = application;
    this.hostports = places.map(placeName).join(',');
    for (const place of places) network.listen(place, this);
  }

  get isEmbedded(): boolean {
    return this.#application.isEmbedded === true;
  }

  close(): void {
    this.#transactions.clear();
  }

  /** As with a real engine nothing happens before `send` returns. */
  send(options: SendOptions, callbacks: SendCallbacks): void {
    setTimeout(() => this.#send(options, callbacks), 0);
  }

  receive(bytes: Buffer, from: SipPlace, at: SipPlace): void {
    const message = parseSipMessage(bytes);
    if (message.type === 'response') this.#receiveResponse(message, from);
    else this.#receiveRequest(message, from, at);
  }

  #send(options: SendOptions, callbacks: SendCallbacks): void {
    const { dialogId = '', method, headers = {}, body = '' } = options;
    const dialog = this.#dialogs.find(dialogId, tagOf(headers['To'] ?? '') ?? '');
    if (dialogId !== '' && dialog === undefined) {
      callbacks.onFailed('no-dialog');
      return;
    }
    const uri = dialog?.target ?? options.uri;
    const to = placeOf(options.nextHop ?? uri);
    const from = this.#placeTowards(to);
    const branch = newBranch();
    const parts: RequestParts = { method, uri, headers, body, from, branch, dialog };
    const request = writeRequest(parts);
    const silence = setTimeout(() => this.#makeUp(branch, 408), SILENCE_MS);
    const transaction = { request, callbacks, from, to, dialog, silence };
    if (method !== 'ACK') this.#transactions.set(branch, transaction);
    const cancel = (cancelHeaders: SipHeaders): void => this.#cancel(branch, cancelHeaders);
    callbacks.onSent?.({ text: textOf(request), message: request, cancel });
    this.#network.sendSip({ from, to, bytes: formatSipMessage(request) }, () =>
      this.#makeUp(branch, 503),
    );
  }

  /** The interface's own address for the way to `to`. */
  #placeTowards(to: SipPlace): SipPlace {
    const family = to.host.includes(':');
    const speakers = this.#places.filter(({ transport }) => transport === to.transport);
    const near = speakers.find(({ host }) => host.includes(':') === family) ?? speakers[0];
    const place = near ?? this.#places[0];
    if (place === undefined) throw new Error('an engine has at least one place');
    return place;
  }

  #cancel(branch: string, headers: SipHeaders): void {
    const transaction = this.#transactions.get(branch);
    if (transaction === undefined) return;
    const { request, from, to } = transaction;
    const cancel = writeCancel(request, headers, from);
    this.#network.sendSip({ from, to, bytes: formatSipMessage(cancel) }, () => undefined);
  }

  /** Answers in the name of a peer that does not. */
  #makeUp(branch: string, status: number): void {
    const transaction = this.#transactions.get(branch);
    if (transaction === undefined) return;
    const { request } = transaction;
    const reason = phraseOf(status);
    const headers = copiedFields(request, undefined);
    const response: SipResponse = {
      type: 'response',
      status,
      reason,
      headers,
      body: Buffer.alloc(0),
    };
    this.#settle(branch, transaction);
    const unanswered = status === 408 ? 'timeout' : 'unreachable';
    this.#count({ direction: 'outbound', method: request.method, status, unanswered });
    this.#tell(transaction, response, undefined);
  }

  #settle(branch: string, { silence }: Transaction): void {
    clearTimeout(silence);
    this.#transactions.delete(branch);
  }

  #receiveResponse(message: SipResponse, from: SipPlace): void {
    const branch = branchOf(message);
    const transaction = this.#transactions.get(branch);
    // An answer to a CANCEL has the branch of its INVITE.
    const { method } = parseCSeq(getHeader(message, 'CSeq') ?? '');
    if (transaction === undefined || method !== transaction.request.method) return;
    const { request } = transaction;
    if (method === 'INVITE') clearTimeout(transaction.silence);
    if (message.status >= 200) {
      this.#settle(branch, transaction);
      this.#count({ direction: 'outbound', method, status: message.status });
      if (method === 'INVITE' && message.status >= 300) {
        const bytes = formatSipMessage(writeAck(request, message));
        const way = { from: transaction.from, to: transaction.to, bytes };
        this.#network.sendSip(way, () => undefined);
      }
    }
    this.#tell(transaction, message, from);
  }

  #tell(transaction: Transaction, message: SipResponse, from: SipPlace | undefined): void {
    const { request, callbacks } = transaction;
    const dialog = transaction.dialog ?? this.#opened(request, message);
    if (message.status >= 200 && message.status < 300) dialog?.refresh(request.method, message);
    const response: ReceivedResponse = {
      message,
      text: textOf(message),
      dialogId: dialog?.id ?? '',
      isMadeUp: from === undefined,
      ...(from === undefined
        ? {}
        : { source: { address: from.host, port: from.port, protocol: from.transport } }),
      acknowledge: (body, onSent) => {
        if (dialog !== undefined) this.#acknowledge(dialog, message, body, onSent);
      },
    };
    callbacks.onResponse(response);
  }

  #opened(request: SipRequest, message: SipResponse): MemoryDialog | undefined {
    const hasTag = tagOf(getHeader(message, 'To') ?? '') !== undefined;
    const isForming = message.status > 100 && message.status < 300 && hasTag;
    if (!isForming || !DIALOG_FORMING.has(request.method)) return undefined;
    const target = contactOf(message) ?? request.uri;
    return this.#dialogs.enter(new MemoryDialog('uac', message, target));
  }

  #acknowledge(
    dialog: MemoryDialog,
    message: SipResponse,
    ...[body = '', onSent]: [string?, ((text: string) => void)?]
  ): void {
    const to = placeOf(dialog.target);
    const from = this.#placeTowards(to);
    const ackNumber = parseCSeq(getHeader(message, 'CSeq') ?? '').number;
    const headers = {};
    const branch = newBranch();
    const uri = dialog.target;
    const parts = { method: 'ACK', uri, headers, body, from, branch, dialog, ackNumber };
    const ack = writeRequest(parts);
    onSent?.(textOf(ack));
    this.#network.sendSip({ from, to, bytes: formatSipMessage(ack) }, () => undefined);
  }

  #receiveRequest(message: SipRequest, from: SipPlace, at: SipPlace): void {
    const { method } = message;
    const branch = branchOf(message);
    const dialog = this.#dialogs.of(message);
    const request = new MemoryRequest(message, from, {
      at,
      dialogId: dialog?.id ?? '',
      send: (response) => this.#answer(response, at, from),
      dialogOf: (response) => dialog?.id ?? this.#accepted(message, response),
      onFinal: (status) => {
        const invite = method === 'INVITE' ? this.#invites.get(branch) : undefined;
        if (invite !== undefined) invite.status = status;
        this.#count({ direction: 'inbound', method, status });
      },
    });
    if (method === 'CANCEL') {
      request.respond(200, {});
      this.#invites.get(branch)?.request.cancel(message);
      return;
    }
    // The ACK of a refusal has the branch of its INVITE, that of a 2xx one of its own.
    if (method === 'ACK' && this.#invites.has(branch)) return;
    if (method === 'INVITE') {
      this.#invites.set(branch, { request, status: 0 });
      if (dialog === undefined) request.respond(100, {});
    }
    dialog?.refresh(method, message);
    this.#application.onRequest(request);
  }

  /** The dialog that an answer of ours opens. */
  #accepted(request: SipRequest, response: SipResponse): string {
    const isForming = response.status > 100 && response.status < 300;
    if (!isForming || !DIALOG_FORMING.has(request.method)) return '';
    const dialog = new MemoryDialog('uas', response, contactOf(request) ?? '');
    return this.#dialogs.enter(dialog).id;
  }

  #answer(response: SipResponse, at: SipPlace, to: SipPlace): void {
    this.#network.sendSip({ from: at, to, bytes: formatSipMessage(response) }, () => undefined);
  }

  #count(answered: AnsweredRequest): void {
    this.#application.onAnswered?.(answered);
  }
}

function newBranch(): string {
  return `z9hG4bK${randomBytes(6).toString('hex')}`;
}

function textOf(message: SipMessage): string {
  return formatSipMessage(message).toString();
}
