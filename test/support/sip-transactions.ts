/**
 * Transactions of a SIP test peer (RFC 3261 §17, reduced to what an endpoint on loopback needs).
 *
 *   client: send, repeat after T1, 2·T1, … (cap T2 except INVITE) until an answer; 64·T1 without one is a failure;
 *           a non-2xx final answer to INVITE is acknowledged here, each time it comes
 *   server: a repeated request gets the last answer again; a final answer to INVITE is repeated until its ACK
 */

import { branchOf, headerValues, methodOf, parseSipText, statusOf } from './sip-text.ts';
import { formatSipText } from './sip-text.ts';
import type { SipText } from './sip-text.ts';
import type { SipRemote, SipTransport } from './sip-transport.ts';

export interface SipLogEntry {
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number;
  readonly direction: 'sent' | 'received';
  readonly text: string;
  readonly message: SipText;
}

export interface TransactionOptions {
  /** Estimate of the round-trip time, default 500. */
  readonly t1Ms?: number;
  /** False: nothing is ever sent a second time. Default true. */
  readonly retransmits?: boolean;
  /** Last word on each message before it leaves; `undefined` loses it. */
  readonly rewriteSent?: (message: SipText) => SipText | undefined;
  /** True loses a message that arrived. */
  readonly losesReceived?: (message: SipText) => boolean;
}

export interface TransactionUser {
  /** A request seen for the first time. */
  request(request: SipText, from: SipRemote): void;
  /** An ACK for a 2xx. */
  acknowledged(ack: SipText): void;
  /** A CANCEL and the INVITE it is for. */
  cancelled(cancel: SipText, invite: SipText): void;
  /** A 2xx to an INVITE whose transaction is over: its ACK was lost. */
  repeatedAnswer(response: SipText): void;
}

interface ClientTransaction {
  readonly request: SipText;
  readonly to: SipRemote;
  readonly onProvisional: (response: SipText) => void;
  readonly resolve: (response: SipText) => void;
  readonly reject: (error: Error) => void;
  isProceeding: boolean;
  isDone: boolean;
  repeat: Timer | undefined;
  giveUp: Timer | undefined;
}

interface ServerTransaction {
  readonly request: SipText;
  readonly from: SipRemote;
  lastResponse: SipText | undefined;
  repeat: Timer | undefined;
}

type Timer = ReturnType<typeof setTimeout>;

const T2_MS = 4000;

export class SipTransactions {
  /** Every message that crossed the socket, in order. */
  readonly log: SipLogEntry[] = [];

  readonly #options: TransactionOptions;
  readonly #user: TransactionUser;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #t1Ms: number;
  #transport: SipTransport | undefined;
  #isClosed = false;

  constructor(options: TransactionOptions, user: TransactionUser) {
    this.#options = options;
    this.#user = user;
    this.#t1Ms = options.t1Ms ?? 500;
  }

  attach(transport: SipTransport): void {
    this.#transport = transport;
  }

  /** Sends a request and gives its final answer; rejects when none came within 64·T1. */
  request(
    request: SipText,
    to: SipRemote,
    onProvisional: (response: SipText) => void,
  ): Promise<SipText> {
    return new Promise((resolve, reject) => {
      const transaction: ClientTransaction = {
        request,
        to,
        onProvisional,
        resolve,
        reject,
        isProceeding: false,
        isDone: false,
        repeat: undefined,
        giveUp: undefined,
      };
      this.#clients.set(keyOf(request), transaction);
      this.#transmit(request, to);
      this.#repeatRequest(transaction, this.#t1Ms);
      transaction.giveUp = setTimeout(() => {
        if (transaction.isProceeding && methodOf(request) === 'INVITE') return;
        this.#finish(transaction);
        reject(new Error(`no answer to ${request.startLine}`));
      }, this.#t1Ms * 64);
    });
  }

  /** Sends something that has no transaction: an ACK for a 2xx. */
  sendPlain(message: SipText, to: SipRemote): void {
    this.#transmit(message, to);
  }

  /** Answers a request, and remembers the answer for repeats. */
  respond(request: SipText, response: SipText): void {
    const transaction = this.#servers.get(keyOf(request));
    if (transaction === undefined) throw new Error(`${request.startLine} was never received`);
    clearTimeout(transaction.repeat);
    transaction.lastResponse = response;
    this.#transmit(response, transaction.from);
    const isFinal = (statusOf(response) ?? 0) >= 200;
    if (isFinal && methodOf(request) === 'INVITE') this.#repeatFinal(transaction, this.#t1Ms, 0);
  }

  /** Takes a message from the socket. */
  receive(text: string, from: SipRemote): void {
    if (this.#isClosed || text.trim() === '') return;
    const message = parseSipText(text);
    if (this.#options.losesReceived?.(message) === true) return;
    this.log.push({ atMs: performance.now(), direction: 'received', text, message });
    if (statusOf(message) === undefined) this.#receiveRequest(message, from);
    else this.#receiveResponse(message);
  }

  close(): void {
    this.#isClosed = true;
    for (const transaction of this.#clients.values()) {
      if (!transaction.isDone) {
        this.#finish(transaction);
        transaction.reject(
          new Error(`closed before an answer to ${transaction.request.startLine}`),
        );
      }
    }
    for (const transaction of this.#servers.values()) clearTimeout(transaction.repeat);
  }

  #receiveRequest(request: SipText, from: SipRemote): void {
    const method = methodOf(request);
    if (method === 'ACK') {
      this.#receiveAck(request);
      return;
    }
    const known = this.#servers.get(keyOf(request));
    if (known !== undefined) {
      if (known.lastResponse !== undefined) this.#transmit(known.lastResponse, known.from);
      return;
    }
    const transaction = { request, from, lastResponse: undefined, repeat: undefined };
    this.#servers.set(keyOf(request), transaction);
    const invite =
      method === 'CANCEL' ? this.#servers.get(`${branchOf(request)} INVITE`) : undefined;
    if (invite === undefined) this.#user.request(request, from);
    else this.#user.cancelled(request, invite.request);
  }

  #receiveAck(ack: SipText): void {
    const own = this.#servers.get(`${branchOf(ack)} INVITE`);
    if (own !== undefined) {
      clearTimeout(own.repeat);
      own.repeat = undefined;
      return;
    }
    const callId = headerValues(ack, 'Call-ID')[0];
    const cseq = headerValues(ack, 'CSeq')[0]?.split(' ')[0];
    for (const transaction of this.#servers.values()) {
      const { request } = transaction;
      if (methodOf(request) !== 'INVITE' || headerValues(request, 'Call-ID')[0] !== callId)
        continue;
      if (headerValues(request, 'CSeq')[0]?.split(' ')[0] !== cseq) continue;
      clearTimeout(transaction.repeat);
      transaction.repeat = undefined;
    }
    this.#user.acknowledged(ack);
  }

  #receiveResponse(response: SipText): void {
    const transaction = this.#clients.get(keyOf(response));
    if (transaction === undefined) return;
    const status = statusOf(response) ?? 0;
    const isInvite = methodOf(response) === 'INVITE';
    if (status < 200) {
      transaction.isProceeding = true;
      if (isInvite) clearTimeout(transaction.repeat);
      if (!transaction.isDone) transaction.onProvisional(response);
      return;
    }
    if (isInvite && status >= 300)
      this.#transmit(failureAck(transaction.request, response), transaction.to);
    if (transaction.isDone) {
      if (isInvite && status < 300) this.#user.repeatedAnswer(response);
      return;
    }
    this.#finish(transaction);
    transaction.resolve(response);
  }

  #finish(transaction: ClientTransaction): void {
    transaction.isDone = true;
    clearTimeout(transaction.repeat);
    clearTimeout(transaction.giveUp);
  }

  #repeatRequest(transaction: ClientTransaction, afterMs: number): void {
    if (!this.#mayRepeat()) return;
    transaction.repeat = setTimeout(() => {
      this.#transmit(transaction.request, transaction.to);
      const isInvite = methodOf(transaction.request) === 'INVITE';
      const doubledMs = isInvite ? afterMs * 2 : Math.min(afterMs * 2, T2_MS);
      this.#repeatRequest(transaction, doubledMs);
    }, afterMs);
  }

  #repeatFinal(transaction: ServerTransaction, afterMs: number, elapsedMs: number): void {
    const isSuccess = statusOf(transaction.lastResponse ?? transaction.request) === 200;
    if (this.#options.retransmits === false || elapsedMs > this.#t1Ms * 64) return;
    // Non-2xx answers are repeated on UDP only, 2xx on every transport (RFC 3261 §13.3.1.4).
    if (!isSuccess && this.#transport?.protocol !== 'udp') return;
    transaction.repeat = setTimeout(() => {
      if (transaction.lastResponse !== undefined) {
        this.#transmit(transaction.lastResponse, transaction.from);
      }
      this.#repeatFinal(transaction, Math.min(afterMs * 2, T2_MS), elapsedMs + afterMs);
    }, afterMs);
  }

  #mayRepeat(): boolean {
    return this.#options.retransmits !== false && this.#transport?.protocol === 'udp';
  }

  #transmit(message: SipText, to: SipRemote): void {
    const rewrite = this.#options.rewriteSent;
    const rewritten = rewrite === undefined ? message : rewrite(message);
    if (rewritten === undefined || this.#isClosed) return;
    const text = formatSipText(rewritten);
    this.log.push({ atMs: performance.now(), direction: 'sent', text, message: rewritten });
    this.#transport?.send(text, to);
  }
}

function keyOf(message: SipText): string {
  return `${branchOf(message)} ${methodOf(message)}`;
}

/** The ACK of a non-2xx answer: same branch, Route and CSeq number as the INVITE (RFC 3261 §17.1.1.3). */
function failureAck(invite: SipText, response: SipText): SipText {
  const kept = new Set(['via', 'from', 'call-id', 'route', 'max-forwards']);
  const headers = invite.headers.filter(([name]) => kept.has(name.toLowerCase()));
  const to = headerValues(response, 'To')[0] ?? '';
  const cseq = headerValues(invite, 'CSeq')[0]?.split(' ')[0] ?? '1';
  return {
    startLine: invite.startLine.replace(/^INVITE/, 'ACK'),
    headers: [...headers, ['To', to], ['CSeq', `${cseq} ACK`]],
    body: '',
  };
}
