/**
 * The SIP side of the SBC: one connection to the SIP engine per sip-interface, and the table of our dialogs.
 *
 *   engine frame -> connection -> dialog known? -> SipDialog.receive
 *                                 INVITE        -> handlers.onInvite
 *                                 SUBSCRIBE     -> handlers.onSubscribe
 *                                 anything else -> stray-requests
 */
import { connectDrachtio } from './drachtio.ts';
import type { DigestClient } from './digest-client.ts';
import { SipDialog, type AddDialog, type DialogHandler } from './dialog.ts';
import { EndedSubscriptions } from './ended-subscriptions.ts';
import type { SubscriptionHandler } from './event-dialog.ts';
import { isKpmlSubscribe, isNotifyForUs, isPackageRequest } from './event-type.ts';
import { IncomingInvite } from './incoming-invite.ts';
import { IncomingSubscription } from './incoming-subscription.ts';
import { LostAttempts } from './lost-attempts.ts';
import { LostDialogs } from './lost-dialogs.ts';
import { OutgoingInvite, type OutgoingInviteHandler } from './outgoing-invite.ts';
import { OutgoingSubscription, type SubscribeTarget } from './outgoing-subscription.ts';
import { PackageRequest } from './package-request.ts';
import { type PingAnswer, type PingTarget, sendPing } from './options-ping.ts';
import { type DialogResponse, sendAndWait } from './request-answer.ts';
import type {
  AnsweredRequest,
  PeerSource,
  ReceivedRequest,
  SendOptions,
  SipConnection,
} from './sip-connection.ts';
import { interfaceOf, type StackConnection, type StackInterface } from './stack-connection.ts';
import { answerStrayRequest, requiredExtensions } from './stray-requests.ts';
import { SubscriptionTable } from './subscription-table.ts';
import { nowMs } from '../observe/clock.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { getHeader, type SipRequest } from '../wire/sip-message.ts';

/** Methods that we want to hear of outside dialogs; for others the engine answers by itself. */
const ROUTED_METHODS = [
  'INVITE',
  'OPTIONS',
  'SUBSCRIBE',
  'NOTIFY',
  'REGISTER',
  'MESSAGE',
  'INFO',
  'PUBLISH',
  'REFER',
];

export interface StackHandlers {
  onInvite(invite: IncomingInvite): void;
  /** A SUBSCRIBE for kpml outside any dialog; must be answered. */
  onSubscribe(subscribe: IncomingSubscription): void;
  /** A SUBSCRIBE or PUBLISH for another package outside our dialogs, of anybody; false: not served. */
  onPackageRequest?(request: PackageRequest): boolean;
  /** Event packages that `onPackageRequest` serves. */
  servedPackages?(interfaceName: string): readonly string[];
  /** The connection of these interfaces came or went; `down` ends or holds all their dialogs. */
  onStateChange(interfaceNames: readonly string[], state: 'up' | 'down'): void;
  /** A handler threw: a broken invariant, not a peer's error. */
  onBug(error: unknown): void;
  isDraining(): boolean;
  /** Whether `source` may use the interface at all. */
  isAdmitted(interfaceName: string, source: ReceivedRequest['source']): boolean;
  /** Methods that are relayed for `source` outside dialogs. */
  relayedMethods(interfaceName: string, source: PeerSource): readonly string[];
  /** Whether an INVITE of `source` with Replaces is taken. */
  mayReplace(interfaceName: string, source: PeerSource): boolean;
  /** A request of an admitted sender outside every dialog; false when it is not relayed. */
  onStray(interfaceName: string, request: ReceivedRequest): boolean;
  /** A request, of a peer or of ours, has got its final answer. */
  onAnswered(answered: AnsweredRequest): void;
}

/** What an outgoing INVITE needs beside its handlers. */
export interface InviteOptions extends Omit<SendOptions, 'method' | 'dialogId'> {
  readonly interfaceName: string;
}

/** A request outside every dialog. */
export interface RequestOptions extends Omit<SendOptions, 'dialogId'> {
  readonly interfaceName: string;
}

export interface PingOptions extends PingTarget {
  readonly interfaceName: string;
}

/** The very first frames may arrive before the connection is entered; the peer may try again at once. */
const TOO_EARLY = { headers: { 'Retry-After': '1' } };

interface Member {
  readonly connection: SipConnection;
  readonly interfaces: readonly StackInterface[];
  readonly table: Table;
}

/** What lives on one connection. */
interface Table {
  /** Early ones included; see {@link keyOf}. */
  readonly dialogs: Map<string, SipDialog>;
  /** INVITEs without final answer. */
  readonly waiting: Set<IncomingInvite>;
  /** Dialogs that a SUBSCRIBE opened. */
  readonly subscriptions: SubscriptionTable;
  readonly ended: EndedSubscriptions;
  /** Of a connection that went away. */
  readonly lost: LostDialogs;
  readonly attempts: LostAttempts;
}

export class SipStack {
  readonly #handlers: StackHandlers;
  readonly #members: Member[] = [];
  readonly #byInterface = new Map<string, Member>();
  readonly #holdMs: number;

  private constructor(handlers: StackHandlers, holdMs: number) {
    this.#handlers = handlers;
    this.#holdMs = holdMs;
  }

  /**
   * Connects everywhere; rejects, with nothing left open, when one connection fails.
   *
   * @param holdMs how long answered calls of a lost connection wait for it.
   */
  static async start(
    connections: readonly StackConnection[],
    handlers: StackHandlers,
    holdMs = 0,
  ): Promise<SipStack> {
    const stack = new SipStack(handlers, holdMs);
    try {
      for (const options of connections) await stack.#connect(options);
    } catch (error) {
      stack.close();
      throw error;
    }
    return stack;
  }

  /** True while every connection stands. */
  get isUp(): boolean {
    return this.#members.every((member) => member.connection.isUp);
  }

  /** Number of dialogs alive, early ones and those of subscriptions alone included. */
  get dialogCount(): number {
    return this.#members.reduce(
      (sum, { table }) => sum + table.dialogs.size + table.subscriptions.size,
      0,
    );
  }

  /** Sends an INVITE on the connection of the named sip-interface. */
  invite(
    options: InviteOptions,
    handler: OutgoingInviteHandler,
    dialogHandler: DialogHandler,
  ): OutgoingInvite {
    const { interfaceName, ...send } = options;
    const member = this.#memberOf(interfaceName);
    const { lose } = member.table.attempts;
    const invite = new OutgoingInvite(handler, dialogHandler, adder(member), lose);
    invite.send(member.connection, { method: 'INVITE', ...send });
    return invite;
  }

  /** A subscription of ours outside every call's dialog, on the connection of the named sip-interface. */
  subscribe(
    interfaceName: string,
    target: () => SubscribeTarget,
    handler: SubscriptionHandler,
  ): OutgoingSubscription {
    const { connection, table } = this.#memberOf(interfaceName);
    return new OutgoingSubscription({ connection, table: table.subscriptions, target, handler });
  }

  /** Sends a request outside every dialog and resolves with its final response; never rejects. */
  request(options: RequestOptions, digest?: DigestClient): Promise<DialogResponse> {
    const { interfaceName, ...send } = options;
    const peer = digest === undefined ? undefined : { client: digest };
    return sendAndWait(this.#memberOf(interfaceName).connection, send, {
      onTrace: () => undefined,
      digest: peer,
    });
  }

  /** Asks with OPTIONS whether somebody is there; never rejects. */
  ping(options: PingOptions): Promise<PingAnswer> {
    const { interfaceName, ...target } = options;
    return sendPing(this.#memberOf(interfaceName).connection, target);
  }

  close(): void {
    for (const member of this.#members) {
      member.connection.close();
      member.table.subscriptions.loseAll();
      member.table.lost.close();
    }
  }

  #memberOf(interfaceName: string): Member {
    const member = this.#byInterface.get(interfaceName);
    if (member !== undefined) return member;
    throw new Error(`no SIP connection for sip-interface ${interfaceName}`);
  }

  async #connect(options: StackConnection): Promise<void> {
    const table: Table = {
      dialogs: new Map(),
      waiting: new Set(),
      subscriptions: new SubscriptionTable(),
      ended: new EndedSubscriptions(),
      lost: new LostDialogs(this.#holdMs, options.keepsBranch === true),
      attempts: new LostAttempts(options.keepsBranch === true),
    };
    const names = options.interfaces.map((item) => item.name);
    const connection = await connectDrachtio({
      host: options.host,
      port: options.port,
      secret: options.secret,
      methods: ROUTED_METHODS,
      isEmbedded: options.keepsBranch === true,
      onRequest: (request) =>
        this.#guarded(() => this.#receive(options.interfaces, table, request)),
      onAnswered: (answered) => this.#handlers.onAnswered(answered),
      onStateChange: (state) => {
        if (state === 'down') this.#guarded(() => loseAll(table));
        this.#guarded(() => this.#handlers.onStateChange(names, state));
        if (state === 'up') this.#guarded(() => this.#regain(names));
      },
    });
    const member: Member = { connection, interfaces: options.interfaces, table };
    this.#members.push(member);
    for (const name of names) this.#byInterface.set(name, member);
  }

  /** Nothing to do for a first connection, whose member is not entered yet. */
  #regain([name = '']: readonly string[]): void {
    const member = this.#byInterface.get(name);
    member?.table.lost.regain(member.connection);
    member?.table.attempts.regain(member.connection);
  }

  #receive(interfaces: readonly StackInterface[], table: Table, request: ReceivedRequest): void {
    const dialog = table.dialogs.get(keyOf(request.dialogId, peerTagOf(request)));
    if (dialog !== undefined) {
      dialog.receive(request);
      return;
    }
    const { message } = request;
    const subscription = table.subscriptions.find(message);
    if (subscription !== undefined) {
      subscription.receive(request);
      return;
    }
    const name = interfaceOf(interfaces, request);
    const isNew = tagOf(getHeader(message, 'To') ?? '') === undefined;
    if (isPackageRequest(message) && this.#offerPackage(name, table, request)) return;
    if (isNew && message.method === 'INVITE') this.#receiveInvite(name, table, request);
    else if (isNew && isKpmlSubscribe(message)) this.#receiveSubscribe(name, table, request);
    else if (isLastWord(table, message)) request.respond(200, {});
    else this.#answerStray(name, request, this.#handlers.isAdmitted(name, request.source));
  }

  #answerStray(name: string, request: ReceivedRequest, isAdmitted: boolean): void {
    const handlers = this.#handlers;
    answerStrayRequest(request, {
      isDraining: handlers.isDraining(),
      isAdmitted,
      relayed: handlers.relayedMethods(name, request.source),
      mayReplace: handlers.mayReplace(name, request.source),
      servedPackages: handlers.servedPackages?.(name) ?? [],
      relay: (relayed) => handlers.onStray(name, relayed),
    });
  }

  /** Who is let in is up to whoever serves the package; false: the request goes the usual way. */
  #offerPackage(name: string, { subscriptions }: Table, received: ReceivedRequest): boolean {
    const member = this.#byInterface.get(name);
    if (member === undefined) return false;
    const isAdmitted = this.#handlers.isAdmitted(name, received.source);
    const home = { connection: member.connection, table: subscriptions };
    const request = new PackageRequest({ interfaceName: name, received, isAdmitted }, home);
    return this.#handlers.onPackageRequest?.(request) ?? false;
  }

  #receiveSubscribe(name: string, { subscriptions }: Table, request: ReceivedRequest): void {
    const member = this.#byInterface.get(name);
    if (member === undefined) {
      request.respond(503, TOO_EARLY);
      return;
    }
    const isServed = requiredExtensions(request.message).length === 0;
    const isAdmitted = this.#handlers.isAdmitted(name, request.source);
    if (!isServed || !isAdmitted) {
      this.#answerStray(name, request, isAdmitted);
      return;
    }
    const home = { connection: member.connection, table: subscriptions };
    this.#handlers.onSubscribe(new IncomingSubscription(name, request, home));
  }

  #receiveInvite(name: string, table: Table, request: ReceivedRequest): void {
    const member = this.#byInterface.get(name);
    if (member === undefined) {
      request.respond(503, TOO_EARLY);
      return;
    }
    const invite = new IncomingInvite(name, request, {
      addDialog: adder(member),
      onSettled: (settled) => table.waiting.delete(settled),
    });
    table.waiting.add(invite);
    this.#handlers.onInvite(invite);
  }

  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#handlers.onBug(error);
    }
  }
}

/** How dialogs come into the table of `member`; they leave it by themselves. */
function adder({ connection, table }: Member): AddDialog {
  const { dialogs, ended: lastWords } = table;
  return (identity, handler, early) => {
    const key = keyOf(identity.dialogId, identity.remoteTag);
    const dialog = new SipDialog(identity, connection, handler, (ended) => {
      if (dialogs.get(key) === ended) dialogs.delete(key);
      if (ended.hasSubscribed) lastWords.add(ended.identity, nowMs());
    });
    if (early !== undefined) dialog.begin(early);
    dialogs.set(key, dialog);
    return dialog;
  };
}

/** All branches of a forked INVITE share the engine's id; the peer's tag tells them apart. */
function keyOf(dialogId: string, peerTag: string): string {
  return `${dialogId}\n${peerTag}`;
}

/** The peer's tag in a request; a BYE of the engine itself is written from our side. */
function peerTagOf({ message, isUnsolicited }: ReceivedRequest): string {
  return tagOf(getHeader(message, isUnsolicited ? 'To' : 'From') ?? '') ?? '';
}

/** A NOTIFY that comes behind the BYE of the dialog we had subscribed in. */
function isLastWord({ ended }: Table, message: SipRequest): boolean {
  if (!isNotifyForUs(message)) return false;
  const tag = (name: string): string => tagOf(getHeader(message, name) ?? '') ?? '';
  const callId = getHeader(message, 'Call-ID') ?? '';
  return ended.has({ callId, localTag: tag('To'), remoteTag: tag('From') }, nowMs());
}

function loseAll({ dialogs, waiting, subscriptions, lost }: Table): void {
  for (const invite of waiting) invite.presumeAnswered();
  lost.lose(dialogs.values());
  // Each takes itself out of its collection; deleting during iteration is defined.
  for (const invite of waiting) invite.lost();
  subscriptions.loseAll();
}
