/**
 * A small SIP user agent on a real socket (UDP, TCP or TLS), independent of the product's code: places and answers calls,
 * sends and answers any request in them, repeats what RFC 3261 repeats, and keeps every message on record.
 */

import { IncomingCall, OutgoingCall } from './sip-calls.ts';
import { buildResponse, describeMessages, newToken, SipDialog } from './sip-dialog.ts';
import type { DialogPort, MessageOptions, Reply } from './sip-dialog.ts';
import { headerValue, hostPort, methodOf, requiredHeader, tagIn, uriIn } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import { SipTransactions } from './sip-transactions.ts';
import type { SipLogEntry, TransactionOptions } from './sip-transactions.ts';
import { openTcp, openTls, openUdp } from './sip-transport.ts';
import type { SipRemote, SipTls, SipTransport } from './sip-transport.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

export interface SipPeerOptions extends TransactionOptions {
  readonly transport?: 'udp' | 'tcp' | 'tls';
  /** Needed for transport tls. */
  readonly tls?: SipTls;
  readonly address?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** User part of the own URIs, default `peer`. */
  readonly user?: string;
}

export interface SipTarget {
  readonly address: string;
  readonly port: number;
}

export interface InviteOptions extends MessageOptions {
  /** User part of the Request-URI and To. */
  readonly to: string;
  /** Where the INVITE is sent. */
  readonly via: SipTarget;
  /** User part of From, default the peer's. */
  readonly from?: string;
  /** The body of the ACK, for an INVITE without SDP. */
  readonly ackBody?: (response: SipText) => string | undefined;
  readonly callId?: string;
}

export class SipPeer {
  readonly user: string;
  /** Calls received, in order. */
  readonly incoming: IncomingCall[] = [];
  /** Requests outside every dialog and call, in order. */
  readonly strays: SipText[] = [];
  /** Answers requests outside dialogs; the default gives OPTIONS 200 and the rest 481 or 405. */
  onStray: (request: SipText) => Reply = defaultStrayReply;

  /** Given each SUBSCRIBE outside every dialog with the dialog that it opens; without it they are strays. */
  onSubscription: ((dialog: SipDialog, subscribe: SipText) => void) | undefined;

  readonly #transactions: SipTransactions;
  readonly #dialogs: SipDialog[] = [];
  readonly #dialogPort: DialogPort;
  #transport: SipTransport | undefined;
  #taken = 0;

  private constructor(options: SipPeerOptions) {
    this.user = options.user ?? 'peer';
    this.#transactions = new SipTransactions(options, {
      request: (request, from) => this.#receiveRequest(request, from),
      acknowledged: (ack) => this.#findDialog(ack)?.receiveAck(ack),
      cancelled: (cancel, invite) => {
        const call = this.incoming.find((known) => known.invite === invite);
        if (call === undefined) this.#findDialog(invite)?.receiveCancel(cancel, invite);
        else call.receiveCancel(cancel);
      },
      repeatedAnswer: (response) => {
        const callId = headerValue(response, 'Call-ID');
        this.#dialogs.find((dialog) => dialog.callId === callId)?.acknowledge(response);
      },
    });
    this.#dialogPort = this.#createDialogPort();
  }

  static async open(options: SipPeerOptions = {}): Promise<SipPeer> {
    const peer = new SipPeer(options);
    const { address = '127.0.0.1', port = 0, tls } = options;
    const receive = (text: string, from: SipRemote): void => peer.#transactions.receive(text, from);
    const open = options.transport === 'tcp' ? openTcp : openUdp;
    const transport =
      options.transport === 'tls' && tls !== undefined
        ? await openTls(tls, { address, port }, receive)
        : await open(address, port, receive);
    peer.#transport = transport;
    peer.#transactions.attach(transport);
    return peer;
  }

  get address(): string {
    return this.#bound().address;
  }

  get port(): number {
    return this.#bound().port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#bound().connections;
  }

  /** Every message sent and received, in order. */
  get log(): readonly SipLogEntry[] {
    return this.#transactions.log;
  }

  get contact(): string {
    const { protocol } = this.#bound();
    const suffix = protocol === 'udp' ? '' : `;transport=${protocol}`;
    return `<sip:${this.user}@${hostPort(this.address, this.port)}${suffix}>`;
  }

  /** Places a call. */
  invite(options: InviteOptions): OutgoingCall {
    const { via } = options;
    const localUri = `sip:${options.from ?? this.user}@${hostPort(this.address, this.port)}`;
    const remoteUri = `sip:${options.to}@${hostPort(via.address, via.port)}`;
    const callId = options.callId ?? `${newToken()}@${this.address}`;
    const identity = { callId, localTag: newToken(), localUri, remoteUri, localCseq: 1 };
    const dialog = new SipDialog(this.#dialogPort, identity, via);
    const headers: Header[] = [
      ['From', `<${localUri}>;tag=${dialog.localTag}`],
      ['To', `<${remoteUri}>`],
      ['Call-ID', callId],
      ['CSeq', '1 INVITE'],
      ['Contact', this.contact],
      ...(options.headers ?? []),
    ];
    const message = this.#build('INVITE', remoteUri, { ...options, headers });
    this.#dialogs.push(dialog);
    const { ackBody } = options;
    const invite = ackBody === undefined ? { message, to: via } : { message, to: via, ackBody };
    return new OutgoingCall(this.#dialogPort, dialog, invite);
  }

  /** The next call that nobody has taken yet. */
  async nextCall(timeoutMs = PATIENCE_MS): Promise<IncomingCall> {
    const index = this.#taken;
    this.#taken += 1;
    return waitFor('incoming INVITE', () => this.incoming[index], {
      timeoutMs,
      details: () => this.#dialogPort.describeLog(),
    });
  }

  /** Sends a request outside every dialog and gives its final answer. */
  request(
    method: string,
    to: { user: string; via: SipTarget },
    options: MessageOptions = {},
  ): Promise<SipText> {
    const localUri = `sip:${this.user}@${hostPort(this.address, this.port)}`;
    const remoteUri = `sip:${to.user}@${hostPort(to.via.address, to.via.port)}`;
    const headers: Header[] = [
      ['From', `<${localUri}>;tag=${newToken()}`],
      ['To', `<${remoteUri}>`],
      ['Call-ID', `${newToken()}@${this.address}`],
      ['CSeq', `1 ${method}`],
      ['Contact', this.contact],
      ...(options.headers ?? []),
    ];
    const message = this.#build(method, remoteUri, { ...options, headers });
    return this.#transactions.request(message, to.via, () => {});
  }

  /** A dialog that the first request in it opens. */
  openDialog(to: { user: string; via: SipTarget }): SipDialog {
    const remoteUri = `sip:${to.user}@${hostPort(to.via.address, to.via.port)}`;
    const identity = {
      callId: `${newToken()}@${this.address}`,
      localTag: newToken(),
      localUri: `sip:${this.user}@${hostPort(this.address, this.port)}`,
      remoteUri,
      localCseq: 0,
    };
    const dialog = new SipDialog(this.#dialogPort, identity, to.via);
    dialog.remoteTarget = remoteUri;
    this.#dialogs.push(dialog);
    return dialog;
  }

  /** Sends bytes as they are, outside every transaction. */
  sendRaw(text: string, to: SipTarget): void {
    this.#bound().send(text, to);
  }

  async close(): Promise<void> {
    this.#transactions.close();
    await this.#transport?.close();
  }

  #bound(): SipTransport {
    if (this.#transport === undefined) throw new Error('the SIP peer is not open');
    return this.#transport;
  }

  #createDialogPort(): DialogPort {
    const transactions = this.#transactions;
    const contact = (): string => this.contact;
    return {
      get contact() {
        return contact();
      },
      newVia: () => this.#newVia(),
      request: (request, to, onProvisional) =>
        transactions.request(request, to, onProvisional ?? (() => {})),
      sendPlain: (message, to) => transactions.sendPlain(message, to),
      respond: (request, response) => transactions.respond(request, response),
      describeLog: () => describeMessages(transactions.log),
    };
  }

  #newVia(): string {
    const protocol = this.#bound().protocol.toUpperCase();
    return `SIP/2.0/${protocol} ${hostPort(this.address, this.port)};branch=z9hG4bK${newToken()};rport`;
  }

  #build(method: string, uri: string, options: MessageOptions): SipText {
    const headers: Header[] = [
      ['Via', this.#newVia()],
      ['Max-Forwards', '70'],
      ...(options.headers ?? []),
    ];
    if (options.body !== undefined && options.body !== '') {
      headers.push(['Content-Type', options.contentType ?? 'application/sdp']);
    }
    return { startLine: `${method} ${uri} SIP/2.0`, headers, body: options.body ?? '' };
  }

  #receiveRequest(request: SipText, from: SipRemote): void {
    const dialog = this.#findDialog(request);
    if (dialog !== undefined) {
      void dialog.receive(request, from);
      return;
    }
    const hasToTag = tagIn(requiredHeader(request, 'To')) !== undefined;
    if (methodOf(request) === 'INVITE' && !hasToTag) {
      this.#receiveInvite(request, from);
      return;
    }
    if (methodOf(request) === 'SUBSCRIBE' && !hasToTag && this.onSubscription !== undefined) {
      const opened = this.#answering(request, from);
      this.onSubscription(opened, request);
      void opened.open(request, from);
      return;
    }
    this.strays.push(request);
    const response = buildResponse(request, this.onStray(request), this, newToken());
    this.#transactions.respond(request, response);
  }

  #receiveInvite(invite: SipText, from: SipRemote): void {
    const dialog = this.#answering(invite, from);
    dialog.learnFromRequest(invite);
    const call = new IncomingCall(this.#dialogPort, dialog, invite);
    this.#transactions.respond(
      invite,
      buildResponse(invite, { status: 100 }, this, dialog.localTag),
    );
    this.incoming.push(call);
  }

  /** The dialog in which a request that opens one is answered. */
  #answering(request: SipText, from: SipRemote): SipDialog {
    const identity = {
      callId: requiredHeader(request, 'Call-ID'),
      localTag: newToken(),
      localUri: uriIn(requiredHeader(request, 'To')),
      remoteUri: uriIn(requiredHeader(request, 'From')),
      localCseq: 0,
    };
    const dialog = new SipDialog(this.#dialogPort, identity, from);
    this.#dialogs.push(dialog);
    return dialog;
  }

  #findDialog(request: SipText): SipDialog | undefined {
    const callId = headerValue(request, 'Call-ID');
    const toTag = tagIn(requiredHeader(request, 'To'));
    return this.#dialogs.find((dialog) => dialog.callId === callId && dialog.localTag === toTag);
  }
}

function defaultStrayReply(request: SipText): Reply {
  if (methodOf(request) === 'OPTIONS') return { status: 200 };
  const hasToTag = tagIn(requiredHeader(request, 'To')) !== undefined;
  return { status: hasToTag ? 481 : 405 };
}
