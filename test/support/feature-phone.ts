/**
 * A phone with feature keys (as-feature-event) on a socket of its own, independent of the product's code.
 *
 *   subscribe ---> 401, credentials, 200 ---> NOTIFY with every feature     collected in `notifies`
 *   set       ---> 200                   ---> NOTIFY with the changed one    the phone shows what the NOTIFY says
 */

import {
  dndDocument,
  FEATURE_TYPE,
  forwardDocument,
  type FeatureName,
  type ForwardWish,
  type SeenReport,
} from './feature-documents.ts';
import { type SeenNotify, seenNotify } from './feature-notify.ts';
import { PhoneDigest, subscribeHeaders, type PhoneShape } from './feature-phone-shapes.ts';
import { buildResponse, describeMessages, newToken, type Reply } from './sip-dialog.ts';
import type { SipTarget } from './sip-peer.ts';
import {
  branchOf,
  formatSipText,
  headerValue,
  hostPort,
  methodOf,
  requiredHeader,
  statusOf,
  tagIn,
  uriIn,
} from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import { SipTransactions, type SipLogEntry, type TransactionOptions } from './sip-transactions.ts';
import { openTcp, openUdp, type SipTransport } from './sip-transport.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

export interface FeaturePhoneOptions extends TransactionOptions {
  readonly sbc: SipTarget;
  /** User part of the account, default `2001`. */
  readonly user?: string;
  /** Default `pbx.example`. */
  readonly domain?: string;
  /** User part of From, default that of the account. */
  readonly fromUser?: string;
  readonly transport?: 'udp' | 'tcp';
  readonly shape?: PhoneShape;
  /** Absent: challenges are not answered. */
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly userAgent?: string;
  /** In each SUBSCRIBE. */
  readonly headers?: readonly Header[];
}

export interface SubscribeOptions {
  /** Default 3600; null leaves the header out; a text stands as it is. */
  readonly expires?: number | string | null;
  readonly body?: string;
  /** Default that of the package, when there is a body; empty leaves the header out. */
  readonly contentType?: string;
  /** Default as the maker does it; empty leaves the header out. */
  readonly accept?: string;
  /** Default `as-feature-event`. */
  readonly event?: string;
  readonly headers?: readonly Header[];
  /** Replaces the number that would be next. */
  readonly cseq?: number;
  /** Replaces the tag of the server. */
  readonly toTag?: string;
  /** Default the address of record at first, then the Contact of the server. */
  readonly requestUri?: string;
  /** Default SUBSCRIBE. */
  readonly method?: string;
  /** The body leaves as ISO-8859-1, once. */
  readonly sendsLatin1?: boolean;
}

/** The final answer to a SUBSCRIBE. */
export interface PhoneAnswer {
  readonly status: number;
  readonly message: SipText;
  readonly warning: string | undefined;
  readonly expires: string | undefined;
}

interface PhoneDialog {
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string | undefined;
  remoteTarget: string | undefined;
  localCseq: number;
}

export class FeaturePhone {
  readonly account: string;
  /** Every NOTIFY of the dialog at hand and of those before, repeats left out. */
  readonly notifies: SeenNotify[] = [];
  /** What the phone shows: the last report of each feature. */
  readonly shown = new Map<FeatureName, SeenReport>();
  /** Answers a NOTIFY; `silent` leaves it without. Default 200. */
  onNotify: (notify: SeenNotify) => Reply | 'silent' = () => ({ status: 200 });

  readonly #options: FeaturePhoneOptions;
  readonly #transactions: SipTransactions;
  readonly #digest: PhoneDigest | undefined;
  #transport: SipTransport | undefined;
  #dialog: PhoneDialog = newDialog();
  #taken = 0;

  private constructor(options: FeaturePhoneOptions) {
    this.#options = options;
    this.account = `sip:${options.user ?? '2001'}@${options.domain ?? 'pbx.example'}`;
    this.#digest =
      options.credentials === undefined ? undefined : new PhoneDigest(options.credentials);
    this.#transactions = new SipTransactions(options, {
      request: (request) => this.#receive(request),
      acknowledged: () => {},
      cancelled: () => {},
      repeatedAnswer: () => {},
    });
  }

  static async open(options: FeaturePhoneOptions): Promise<FeaturePhone> {
    const phone = new FeaturePhone(options);
    const open = options.transport === 'tcp' ? openTcp : openUdp;
    const transport = await open('127.0.0.1', 0, (text, from) =>
      phone.#transactions.receive(text, from),
    );
    phone.#transport = transport;
    phone.#transactions.attach(transport);
    return phone;
  }

  get port(): number {
    return this.#bound().port;
  }

  get callId(): string {
    return this.#dialog.callId;
  }

  /** Every message sent and received, in order. */
  get log(): readonly SipLogEntry[] {
    return this.#transactions.log;
  }

  get contact(): string {
    const { protocol } = this.#bound();
    const suffix = protocol === 'udp' ? '' : `;transport=${protocol}`;
    return `<sip:${this.#options.user ?? '2001'}@${hostPort('127.0.0.1', this.port)}${suffix}>`;
  }

  /** Sends SUBSCRIBE, in the dialog if there is one, once more after a challenge; gives the final answer. */
  async subscribe(options: SubscribeOptions = {}): Promise<PhoneAnswer> {
    const dialog = this.#dialog;
    let response = await this.#send(dialog, options);
    if (statusOf(response) === 401 && this.#digest !== undefined) {
      this.#digest.learn(requiredHeader(response, 'WWW-Authenticate'));
      response = await this.#send(dialog, options);
    }
    const status = statusOf(response) ?? 0;
    const isAccepted = status >= 200 && status < 300;
    if (isAccepted && (options.method ?? 'SUBSCRIBE') === 'SUBSCRIBE') {
      dialog.remoteTag ??= tagIn(requiredHeader(response, 'To'));
      const contact = headerValue(response, 'Contact');
      if (contact !== undefined) dialog.remoteTarget = uriIn(contact);
    }
    return {
      status,
      message: response,
      warning: headerValue(response, 'Warning'),
      expires: headerValue(response, 'Expires'),
    };
  }

  /** A SUBSCRIBE without body in the dialog. */
  refresh(options: SubscribeOptions = {}): Promise<PhoneAnswer> {
    return this.subscribe(options);
  }

  /** Presses the DND key. */
  setDnd(on: boolean, options: SubscribeOptions = {}): Promise<PhoneAnswer> {
    return this.subscribe({ body: dndDocument(on), ...options });
  }

  /** Sets a forward in the menu. */
  setForward(
    feature: FeatureName,
    wish: ForwardWish,
    options: SubscribeOptions = {},
  ): Promise<PhoneAnswer> {
    return this.subscribe({ body: forwardDocument(feature, wish), ...options });
  }

  unsubscribe(options: SubscribeOptions = {}): Promise<PhoneAnswer> {
    return this.subscribe({ expires: 0, ...options });
  }

  /** Forgets the dialog, as a phone that starts anew; its nonce too. The old dialog is answered 481. */
  reboot(): void {
    this.#dialog = newDialog();
    this.#digest?.forget();
  }

  /** The next NOTIFY that nobody has taken yet. */
  async nextNotify(timeoutMs = PATIENCE_MS): Promise<SeenNotify> {
    const index = this.#taken;
    this.#taken += 1;
    return waitFor(`NOTIFY number ${index + 1}`, () => this.notifies[index], {
      timeoutMs,
      details: () => describeMessages(this.log),
    });
  }

  /** Resolves when the last report of a feature passes the test. */
  async waitUntilShown(
    feature: FeatureName,
    isRight: (report: SeenReport) => boolean,
  ): Promise<SeenReport> {
    return waitFor(
      `${feature} as wanted`,
      () => {
        const report = this.shown.get(feature);
        return report !== undefined && isRight(report) ? report : undefined;
      },
      { details: () => describeMessages(this.log) },
    );
  }

  /** Answers a NOTIFY that was left without. */
  answer(notify: SeenNotify, reply: Reply): void {
    const response = buildResponse(notify.message, reply, this, newToken());
    this.#transactions.respond(notify.message, response);
  }

  /** Sends text as it is. */
  sendRaw(text: string): void {
    this.#bound().send(text, this.#options.sbc);
  }

  async close(): Promise<void> {
    this.#transactions.close();
    await this.#transport?.close();
  }

  #bound(): SipTransport {
    if (this.#transport === undefined) throw new Error('the phone is not open');
    return this.#transport;
  }

  #send(dialog: PhoneDialog, options: SubscribeOptions): Promise<SipText> {
    dialog.localCseq += 1;
    const { body = '', method = 'SUBSCRIBE', expires = 3600 } = options;
    const uri = options.requestUri ?? dialog.remoteTarget ?? this.account;
    const remoteTag = options.toTag ?? dialog.remoteTag;
    const { protocol, port } = this.#bound();
    const fromUser = this.#options.fromUser ?? this.#options.user ?? '2001';
    const fields = {
      via: `SIP/2.0/${protocol.toUpperCase()} 127.0.0.1:${port};branch=z9hG4bK${newToken()};rport`,
      from: `<sip:${fromUser}@${this.#options.domain ?? 'pbx.example'}>;tag=${dialog.localTag}`,
      to: `<${this.account}>${remoteTag === undefined ? '' : `;tag=${remoteTag}`}`,
      callId: dialog.callId,
      cseq: `${options.cseq ?? dialog.localCseq} ${method}`,
      contact: this.contact,
      event: options.event ?? 'as-feature-event',
      expires: expires === null ? undefined : String(expires),
      authorization: this.#digest?.authorize(method, uri),
      userAgent: this.#options.userAgent,
      accept: options.accept,
    };
    const headers = [
      ...subscribeHeaders(this.#options.shape ?? 'polycom', fields),
      ...(this.#options.headers ?? []),
      ...(options.headers ?? []),
    ];
    const contentType = options.contentType ?? FEATURE_TYPE;
    if (body !== '' && contentType !== '') headers.push(['Content-Type', contentType]);
    const request = { startLine: `${method} ${uri} SIP/2.0`, headers, body };
    if (options.sendsLatin1 === true) return this.#sendLatin1(request);
    return this.#transactions.request(request, this.#options.sbc, () => {});
  }

  /** Outside the transactions, which know UTF-8 alone. */
  #sendLatin1(request: SipText): Promise<SipText> {
    const text = formatSipText(request).replace(
      /Content-Length: \d+/,
      `Content-Length: ${request.body.length}`,
    );
    this.#bound().send(Buffer.from(text, 'latin1'), this.#options.sbc);
    const branch = branchOf(request);
    const isAnswer = ({ direction, message }: SipLogEntry): boolean =>
      direction === 'received' && statusOf(message) !== undefined && branchOf(message) === branch;
    return waitFor('answer', () => this.log.find(isAnswer)?.message);
  }

  #receive(request: SipText): void {
    const reply = this.#replyTo(request);
    if (reply === 'silent') return;
    const response = buildResponse(request, reply, this, newToken());
    this.#transactions.respond(request, response);
  }

  #replyTo(request: SipText): Reply | 'silent' {
    if (methodOf(request) !== 'NOTIFY') return { status: 405 };
    const { callId, localTag } = this.#dialog;
    const toTag = tagIn(requiredHeader(request, 'To'));
    if (requiredHeader(request, 'Call-ID') !== callId || toTag !== localTag) return { status: 481 };
    const notify = seenNotify(request);
    const reply = this.onNotify(notify);
    this.notifies.push(notify);
    if (reply === 'silent' || reply.status < 300) {
      for (const report of notify.reports) this.shown.set(report.feature, report);
    }
    if (notify.state === 'terminated' && reply !== 'silent') this.#dialog = newDialog();
    return reply;
  }
}

function newDialog(): PhoneDialog {
  return {
    callId: `${newToken()}@127.0.0.1`,
    localTag: newToken(),
    remoteTag: undefined,
    remoteTarget: undefined,
    localCseq: 0,
  };
}
