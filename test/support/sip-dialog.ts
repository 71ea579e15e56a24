/** One dialog of a SIP test peer: both ends may send requests in it, everything received stays on record. */

import { randomBytes } from 'node:crypto';
import {
  addressIn,
  cancelOf,
  cseqOf,
  formatSipText,
  headerValue,
  headerValues,
  methodOf,
  requiredHeader,
  statusOf,
  tagIn,
  uriIn,
} from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import type { SipRemote } from './sip-transport.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

/** What a dialog needs from the peer it belongs to. */
export interface DialogPort {
  readonly contact: string;
  newVia(): string;
  request(
    request: SipText,
    to: SipRemote,
    onProvisional?: (response: SipText) => void,
  ): Promise<SipText>;
  sendPlain(message: SipText, to: SipRemote): void;
  respond(request: SipText, response: SipText): void;
  /** The last messages as text, for the message of a failed wait. */
  describeLog(): string;
}

export interface MessageOptions {
  readonly headers?: readonly Header[];
  readonly body?: string;
  readonly contentType?: string;
}

export interface InDialogOptions extends MessageOptions {
  /** The body of the ACK to a 2xx, for a re-INVITE without SDP. */
  readonly ackBody?: (response: SipText) => string | undefined;
}

export interface Reply extends MessageOptions {
  readonly status: number;
  readonly reason?: string;
}

/** Answers a request of the other end; the answer may take its time. */
export type RequestHandler = (request: SipText) => Reply | Promise<Reply>;

/** A request in a dialog that has no final answer yet. */
export interface PendingRequest {
  readonly finished: Promise<SipText>;
  /** Sends CANCEL and gives the answer to it. */
  cancel(headers?: readonly Header[]): Promise<SipText>;
}

export interface DialogIdentity {
  readonly callId: string;
  readonly localTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly localCseq: number;
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  302: 'Moved Temporarily',
  404: 'Not Found',
  405: 'Method Not Allowed',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
  603: 'Decline',
};

/** Methods whose requests and 2xx answers carry a Contact. */
const TARGET_METHODS = new Set(['INVITE', 'SUBSCRIBE', 'NOTIFY', 'UPDATE', 'REFER']);

const DEFAULT_STATUS: Readonly<Record<string, number>> = {
  BYE: 200,
  INFO: 200,
  OPTIONS: 200,
  PRACK: 200,
  INVITE: 488,
  UPDATE: 488,
  SUBSCRIBE: 489,
  NOTIFY: 489,
};

export function newToken(): string {
  return randomBytes(6).toString('hex');
}

export class SipDialog {
  readonly callId: string;
  readonly localTag: string;
  /** Requests of the other end, repeats left out. */
  readonly received: SipText[] = [];
  /** ACKs for our 2xx answers, repeats left out. */
  readonly acks: SipText[] = [];
  /** CANCELs of re-INVITEs. */
  readonly cancels: SipText[] = [];
  /** Faults of the other end that ended no request: CSeq that does not rise. */
  readonly problems: string[] = [];
  /** Every URI that the other end has given as its Contact. */
  readonly contacts = new Set<string>();
  remoteTag: string | undefined;
  remoteTarget = '';
  isEnded = false;

  readonly #port: DialogPort;
  readonly #localUri: string;
  readonly #remoteUri: string;
  readonly #handlers = new Map<string, RequestHandler>();
  #routeSet: string[] = [];
  #firstHop: SipRemote;
  #localCseq: number;
  #remoteCseq = -1;
  /** Requests that have a final answer. */
  readonly #answered = new WeakSet<SipText>();
  readonly #sentAcks = new Map<number, SipText>();

  constructor(port: DialogPort, identity: DialogIdentity, firstHop: SipRemote) {
    this.#port = port;
    this.callId = identity.callId;
    this.localTag = identity.localTag;
    this.#localUri = identity.localUri;
    this.#remoteUri = identity.remoteUri;
    this.#localCseq = identity.localCseq;
    this.#firstHop = firstHop;
  }

  /** URI of the own Contact. */
  get ownContact(): string {
    return uriIn(this.#port.contact);
  }

  /** Learns the other end from the INVITE it sent. */
  learnFromRequest(invite: SipText): void {
    this.remoteTag = tagIn(requiredHeader(invite, 'From'));
    this.#aimAt(requiredHeader(invite, 'Contact'));
    this.#routeSet = headerValues(invite, 'Record-Route').flatMap((value) => value.split(/,\s*/));
    this.#remoteCseq = cseqOf(invite);
  }

  /** Learns the other end from its answer to our INVITE. */
  learnFromResponse(response: SipText): void {
    this.remoteTag = tagIn(requiredHeader(response, 'To')) ?? this.remoteTag;
    const contact = headerValue(response, 'Contact');
    if (contact !== undefined) this.#aimAt(contact);
    const routes = headerValues(response, 'Record-Route').flatMap((value) => value.split(/,\s*/));
    this.#routeSet = routes.toReversed();
  }

  /** Answers requests of `method` from now on. */
  handle(method: string, handler: RequestHandler): void {
    this.#handlers.set(method, handler);
  }

  /** Sends a request in the dialog and gives its final answer; the 2xx of a re-INVITE is acknowledged. */
  request(method: string, options: InDialogOptions = {}): Promise<SipText> {
    return this.start(method, options).finished;
  }

  /** The same for a request that may be cancelled before its answer. */
  start(method: string, options: InDialogOptions = {}): PendingRequest {
    if (method === 'BYE') this.isEnded = true;
    this.#localCseq += 1;
    const request = this.#build(method, this.#localCseq, options);
    const hop = this.#nextHop();
    return {
      finished: this.#finish(request, hop, options),
      cancel: (headers) => this.#port.request(cancelOf(request, headers), hop),
    };
  }

  async #finish(request: SipText, hop: SipRemote, options: InDialogOptions): Promise<SipText> {
    const method = methodOf(request);
    const response = await this.#port.request(request, hop);
    const status = statusOf(response) ?? 0;
    if (status < 300 && this.remoteTag === undefined) this.learnFromResponse(response);
    if (status < 300 && TARGET_METHODS.has(method)) {
      const contact = headerValue(response, 'Contact');
      if (contact !== undefined) this.#aimAt(contact);
    }
    if (method === 'INVITE' && status < 300)
      this.acknowledge(response, options.ackBody?.(response));
    return response;
  }

  /** Hangs up; gives the answer to the BYE. */
  bye(options: MessageOptions = {}): Promise<SipText> {
    return this.request('BYE', options);
  }

  /** Acknowledges a 2xx; a repeated 2xx gets the same ACK again. */
  acknowledge(response: SipText, body?: string): void {
    const cseq = cseqOf(response);
    const known = this.#sentAcks.get(cseq);
    const options = body === undefined ? {} : { body, contentType: 'application/sdp' };
    const ack = known ?? this.#build('ACK', cseq, options);
    this.#sentAcks.set(cseq, ack);
    this.#port.sendPlain(ack, this.#nextHop());
  }

  /** Takes the request of the other end that opens the dialog. */
  open(request: SipText, from: SipRemote): Promise<void> {
    this.learnFromRequest(request);
    this.#remoteCseq = -1;
    return this.receive(request, from);
  }

  /** Takes a request of the other end. */
  async receive(request: SipText, from: SipRemote): Promise<void> {
    this.received.push(request);
    const cseq = cseqOf(request);
    const method = methodOf(request);
    if (cseq <= this.#remoteCseq) {
      this.problems.push(`${method} with CSeq ${cseq} after ${this.#remoteCseq}`);
      this.respond(request, { status: 500 });
      return;
    }
    this.#remoteCseq = cseq;
    if (from.connection !== undefined) this.#firstHop = from;
    if (TARGET_METHODS.has(method)) {
      const contact = headerValue(request, 'Contact');
      if (contact === undefined) this.problems.push(`${method} without Contact`);
      else this.#aimAt(contact);
    }
    const handler = this.#handlers.get(method);
    const reply = await (handler?.(request) ?? { status: DEFAULT_STATUS[method] ?? 405 });
    if (method === 'BYE') this.isEnded = true;
    if (!this.#answered.has(request)) this.respond(request, reply);
  }

  /** Takes the ACK for a 2xx of ours. */
  receiveAck(ack: SipText): void {
    const isRepeat = this.acks.some((known) => cseqOf(known) === cseqOf(ack));
    if (!isRepeat) this.acks.push(ack);
  }

  /** Takes the CANCEL of a re-INVITE; one that has no final answer yet gets 487. */
  receiveCancel(cancel: SipText, invite: SipText): void {
    this.cancels.push(cancel);
    this.respond(cancel, { status: 200 });
    if (this.#answered.has(invite)) return;
    this.respond(invite, { status: 487 });
  }

  /** Answers a request of the other end. */
  respond(request: SipText, reply: Reply): void {
    if (reply.status >= 200) this.#answered.add(request);
    this.#port.respond(request, buildResponse(request, reply, this.#port, this.localTag));
  }

  /** The `count`-th request of `method` (default the first) once it has come. */
  waitForRequest(method: string, count = 1, timeoutMs = PATIENCE_MS): Promise<SipText> {
    return waitFor(
      `${method} (number ${count}) in dialog ${this.callId}`,
      () => this.received.filter((request) => methodOf(request) === method)[count - 1],
      { timeoutMs, details: () => this.#port.describeLog() },
    );
  }

  /** Resolves when either end has hung up. */
  async waitForEnd(timeoutMs = PATIENCE_MS): Promise<void> {
    await waitFor(`end of dialog ${this.callId}`, () => this.isEnded, {
      timeoutMs,
      details: () => this.#port.describeLog(),
    });
  }

  /** Resolves with the `count`-th ACK for a 2xx of ours. */
  waitForAck(count = 1, timeoutMs = PATIENCE_MS): Promise<SipText> {
    return waitFor(`ACK in dialog ${this.callId}`, () => this.acks[count - 1], {
      timeoutMs,
      details: () => this.#port.describeLog(),
    });
  }

  #aimAt(contact: string): void {
    this.remoteTarget = uriIn(contact);
    this.contacts.add(this.remoteTarget);
  }

  #build(method: string, cseq: number, options: MessageOptions): SipText {
    const remoteTag = this.remoteTag === undefined ? '' : `;tag=${this.remoteTag}`;
    const headers: Header[] = [
      ['Via', this.#port.newVia()],
      ['Max-Forwards', '70'],
      ...this.#routeSet.map((route): Header => ['Route', route]),
      ['From', `<${this.#localUri}>;tag=${this.localTag}`],
      ['To', `<${this.#remoteUri}>${remoteTag}`],
      ['Call-ID', this.callId],
      ['CSeq', `${cseq} ${method}`],
    ];
    if (TARGET_METHODS.has(method)) headers.push(['Contact', this.#port.contact]);
    headers.push(...(options.headers ?? []));
    const contentType = contentTypeOf(options, method);
    if (contentType !== undefined) headers.push(['Content-Type', contentType]);
    return {
      startLine: `${method} ${this.remoteTarget} SIP/2.0`,
      headers,
      body: options.body ?? '',
    };
  }

  #nextHop(): SipRemote {
    if (this.#firstHop.connection !== undefined) return this.#firstHop;
    const route = this.#routeSet[0];
    return addressIn(route === undefined ? this.remoteTarget : uriIn(route));
  }
}

/** A response that repeats what RFC 3261 §8.2.6 says it must. */
export function buildResponse(
  request: SipText,
  reply: Reply,
  port: Pick<DialogPort, 'contact'>,
  localTag: string,
): SipText {
  const copied = new Set(['via', 'v', 'from', 'f', 'call-id', 'i', 'cseq', 'record-route']);
  const headers = request.headers.filter(([name]) => copied.has(name.toLowerCase()));
  const to = requiredHeader(request, 'To');
  const needsTag = tagIn(to) === undefined && reply.status > 100;
  headers.push(['To', needsTag ? `${to};tag=${localTag}` : to]);
  const method = methodOf(request);
  if (reply.status > 100 && reply.status < 300 && TARGET_METHODS.has(method)) {
    headers.push(['Contact', port.contact]);
  }
  headers.push(...(reply.headers ?? []));
  const contentType = contentTypeOf(reply, method);
  if (contentType !== undefined) headers.push(['Content-Type', contentType]);
  const reason = reply.reason ?? REASONS[reply.status] ?? 'Answer';
  return { startLine: `SIP/2.0 ${reply.status} ${reason}`, headers, body: reply.body ?? '' };
}

function contentTypeOf(options: MessageOptions, method: string): string | undefined {
  if (options.body === undefined || options.body === '') return undefined;
  if (options.contentType !== undefined) return options.contentType;
  if (method === 'INVITE' || method === 'ACK' || method === 'UPDATE') return 'application/sdp';
  throw new Error(`a ${method} with a body needs a content type`);
}

/** All messages of a log as one text. */
export function describeMessages(log: readonly { direction: string; message: SipText }[]): string {
  return log
    .slice(-12)
    .map((entry) => `--- ${entry.direction}\n${formatSipText(entry.message)}`)
    .join('\n');
}
