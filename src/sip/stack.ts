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
import type { SubscriptionHandler } from './event-dialog.ts';
import { isKpmlSubscribe, isNotifyForUs, isPackageRequest } from './event-type.ts';
import { IncomingInvite } from './incoming-invite.ts';
import { IncomingSubscription } from './incoming-subscription.ts';
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
} from './sip-connection.ts';
import { interfaceOf, type StackConnection } from './stack-connection.ts';
import { loseAll, type Member, newMember, StackMembers, type Table } from './stack-members.ts';
import { answerStrayRequest, requiredExtensions } from './stray-requests.ts';
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

/** Before the connection is entered, or after its interface has gone; the peer may try again at once. */
const NOT_SERVING = { headers: { 'Retry-After': '1' } };

/** Connections that wait for the word. */
export interface ConnectionChange {
  /** What was left out takes nothing new; what lives on it goes on. */
  commit(): void;
  rollback(): void;
}

export class SipStack {
  readonly #handlers: StackHandlers;
  readonly #members: StackMembers;
  readonly #holdMs: number;

  private constructor(handlers: StackHandlers, holdMs: number) {
    this.#handlers = handlers;
    this.#holdMs = holdMs;
    this.#members = new StackMembers(holdMs);
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
    const change = await stack.prepare(connections);
    change.commit();
    return stack;
  }

  /** Connects where there is no connection yet; rejects, with nothing left open, when one fails. */
  async prepare(connections: readonly StackConnection[]): Promise<ConnectionChange> {
    const members: Member[] = [];
    const opened: Member[] = [];
    const rollback = (): void => {
      for (const { connection } of opened) connection.close();
    };
    try {
      for (const server of connections) {
        const known = this.#members.find(server);
        const member = known ?? (await this.#open(server));
        if (known === undefined) opened.push(member);
        members.push(member);
      }
    } catch (error) {
      rollback();
      throw error;
    }
    return { commit: () => this.#members.serve(members), rollback };
  }

  /** The engine of a sip-interface that a change has left out is closed: what it lost ends. */
  interfaceClosed(interfaceName: string): void {
    const member = this.#members.retiredNamed(interfaceName);
    if (member !== undefined) this.#guarded(() => this.#members.drop(member));
  }

  /** True while every connection stands. */
  get isUp(): boolean {
    return this.#members.isUp;
  }

  /** Number of dialogs alive, early ones and those of subscriptions alone included. */
  get dialogCount(): number {
    return this.#members.dialogCount;
  }

  /** Sends an INVITE on the connection of the named sip-interface. */
  invite(
    options: InviteOptions,
    handler: OutgoingInviteHandler,
    dialogHandler: DialogHandler,
  ): OutgoingInvite {
    const { interfaceName, ...send } = options;
    const member = this.#members.of(interfaceName);
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
    const { connection, table } = this.#members.of(interfaceName);
    return new OutgoingSubscription({ connection, table: table.subscriptions, target, handler });
  }

  /** Sends a request outside every dialog and resolves with its final response; never rejects. */
  request(options: RequestOptions, digest?: DigestClient): Promise<DialogResponse> {
    const { interfaceName, ...send } = options;
    const peer = digest === undefined ? undefined : { client: digest };
    return sendAndWait(this.#members.of(interfaceName).connection, send, {
      onTrace: () => undefined,
      digest: peer,
    });
  }

  /** Asks with OPTIONS whether somebody is there; never rejects. */
  ping(options: PingOptions): Promise<PingAnswer> {
    const { interfaceName, ...target } = options;
    return sendPing(this.#members.of(interfaceName).connection, target);
  }

  close(): void {
    this.#members.close();
  }

  async #open(server: StackConnection): Promise<Member> {
    const member = newMember(server, this.#holdMs);
    const isEmbedded = server.keepsBranch === true;
    const { connect = connectDrachtio } = server;
    member.connection = await connect({
      host: server.host,
      port: server.port,
      secret: server.secret,
      methods: ROUTED_METHODS,
      isEmbedded,
      onRequest: (request) => this.#guarded(() => this.#receive(member, request)),
      onAnswered: (answered) => this.#handlers.onAnswered(answered),
      onStateChange: (state) => this.#changeState(member, state),
    });
    return member;
  }

  #changeState(member: Member, state: 'up' | 'down'): void {
    const { table, connection, interfaces } = member;
    // Its engine does not come back.
    if (member.state === 'retired') {
      this.#guarded(() => this.#members.drop(member));
      return;
    }
    if (state === 'down') this.#guarded(() => loseAll(table));
    const names = interfaces.map((item) => item.name);
    this.#guarded(() => this.#handlers.onStateChange(names, state));
    // A first connection has lost nothing.
    if (state === 'down' || member.state === 'opening') return;
    this.#guarded(() => {
      table.lost.regain(connection);
      table.attempts.regain(connection);
    });
  }

  #receive(member: Member, request: ReceivedRequest): void {
    const { interfaces, table } = member;
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
    if (isNew && member.state !== 'serving') {
      request.respond(503, NOT_SERVING);
      return;
    }
    if (isPackageRequest(message) && this.#offerPackage(name, member, request)) return;
    if (isNew && message.method === 'INVITE') this.#receiveInvite(name, member, request);
    else if (isNew && isKpmlSubscribe(message)) this.#receiveSubscribe(name, member, request);
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
  #offerPackage(name: string, { connection, table }: Member, received: ReceivedRequest): boolean {
    const isAdmitted = this.#handlers.isAdmitted(name, received.source);
    const home = { connection, table: table.subscriptions };
    const request = new PackageRequest({ interfaceName: name, received, isAdmitted }, home);
    return this.#handlers.onPackageRequest?.(request) ?? false;
  }

  #receiveSubscribe(name: string, { connection, table }: Member, request: ReceivedRequest): void {
    const isServed = requiredExtensions(request.message).length === 0;
    const isAdmitted = this.#handlers.isAdmitted(name, request.source);
    if (!isServed || !isAdmitted) {
      this.#answerStray(name, request, isAdmitted);
      return;
    }
    const home = { connection, table: table.subscriptions };
    this.#handlers.onSubscribe(new IncomingSubscription(name, request, home));
  }

  #receiveInvite(name: string, member: Member, request: ReceivedRequest): void {
    const { table } = member;
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
  const { dialogs, ended: lastWords, lost } = table;
  return (identity, handler, early) => {
    const key = keyOf(identity.dialogId, identity.remoteTag);
    const dialog = new SipDialog(identity, connection, handler, (ended) => {
      if (dialogs.get(key) === ended) dialogs.delete(key);
      if (ended.isUnreleased) lost.add(ended);
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
