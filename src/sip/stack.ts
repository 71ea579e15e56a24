/**
 * The SIP side of the SBC: one connection to the SIP engine per sip-interface, and the table of our dialogs.
 *
 *   engine frame -> connection -> dialog known? -> SipDialog.receive
 *                                 INVITE        -> handlers.onInvite
 *                                 anything else -> stray-requests
 */
import { connectDrachtio } from './drachtio.ts';
import { SipDialog, type AddDialog, type DialogHandler } from './dialog.ts';
import { IncomingInvite } from './incoming-invite.ts';
import { OutgoingInvite, type OutgoingInviteHandler } from './outgoing-invite.ts';
import type {
  AnsweredRequest,
  ReceivedRequest,
  SendOptions,
  SipConnection,
} from './sip-connection.ts';
import { answerStrayRequest } from './stray-requests.ts';
import { tagOf } from '../wire/sip-headers.ts';
import { getHeader } from '../wire/sip-message.ts';

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
];

/** One server connection and the sip-interfaces behind it; several only with a shared drachtio-server. */
export interface StackConnection {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly interfaces: readonly StackInterface[];
}

export interface StackInterface {
  readonly name: string;
  /** Local `address:port` pairs of the interface, to tell interfaces of a shared server apart. */
  readonly hostports: readonly string[];
}

export interface StackHandlers {
  onInvite(invite: IncomingInvite): void;
  /** The connection of these interfaces came or went; `down` has ended all their dialogs. */
  onStateChange(interfaceNames: readonly string[], state: 'up' | 'down'): void;
  /** A handler threw: a broken invariant, not a peer's error. */
  onBug(error: unknown): void;
  isDraining(): boolean;
  /** Whether `source` may use the interface at all. */
  isAdmitted(interfaceName: string, source: ReceivedRequest['source']): boolean;
  /** A request, of a peer or of ours, has got its final answer. */
  onAnswered(answered: AnsweredRequest): void;
}

/** What an outgoing INVITE needs beside its handlers. */
export interface InviteOptions extends Omit<SendOptions, 'method' | 'dialogId'> {
  readonly interfaceName: string;
}

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
}

export class SipStack {
  readonly #handlers: StackHandlers;
  readonly #members: Member[] = [];
  readonly #byInterface = new Map<string, Member>();

  private constructor(handlers: StackHandlers) {
    this.#handlers = handlers;
  }

  /** Connects everywhere; rejects, with nothing left open, when one connection fails. */
  static async start(
    connections: readonly StackConnection[],
    handlers: StackHandlers,
  ): Promise<SipStack> {
    const stack = new SipStack(handlers);
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

  /** Number of dialogs alive, early ones included. */
  get dialogCount(): number {
    return this.#members.reduce((sum, member) => sum + member.table.dialogs.size, 0);
  }

  /** Sends an INVITE on the connection of the named sip-interface. */
  invite(
    options: InviteOptions,
    handler: OutgoingInviteHandler,
    dialogHandler: DialogHandler,
  ): OutgoingInvite {
    const { interfaceName, ...send } = options;
    const member = this.#byInterface.get(interfaceName);
    if (member === undefined)
      throw new Error(`no SIP connection for sip-interface ${interfaceName}`);
    const invite = new OutgoingInvite(handler, dialogHandler, adder(member));
    invite.send(member.connection, { method: 'INVITE', ...send });
    return invite;
  }

  close(): void {
    for (const member of this.#members) member.connection.close();
  }

  async #connect(options: StackConnection): Promise<void> {
    const table: Table = { dialogs: new Map(), waiting: new Set() };
    const names = options.interfaces.map((item) => item.name);
    const connection = await connectDrachtio({
      host: options.host,
      port: options.port,
      secret: options.secret,
      methods: ROUTED_METHODS,
      onRequest: (request) =>
        this.#guarded(() => this.#receive(options.interfaces, table, request)),
      onAnswered: (answered) => this.#handlers.onAnswered(answered),
      onStateChange: (state) => {
        if (state === 'down') this.#guarded(() => loseAll(table));
        this.#guarded(() => this.#handlers.onStateChange(names, state));
      },
    });
    const member: Member = { connection, interfaces: options.interfaces, table };
    this.#members.push(member);
    for (const name of names) this.#byInterface.set(name, member);
  }

  #receive(interfaces: readonly StackInterface[], table: Table, request: ReceivedRequest): void {
    const dialog = table.dialogs.get(keyOf(request.dialogId, peerTagOf(request)));
    if (dialog !== undefined) {
      dialog.receive(request);
      return;
    }
    const { message } = request;
    const isNewInvite =
      message.method === 'INVITE' && tagOf(getHeader(message, 'To') ?? '') === undefined;
    const name = interfaceOf(interfaces, request);
    if (!isNewInvite) {
      const isDraining = this.#handlers.isDraining();
      const isAdmitted = this.#handlers.isAdmitted(name, request.source);
      answerStrayRequest(request, { isDraining, isAdmitted });
      return;
    }
    const member = this.#byInterface.get(name);
    if (member === undefined) {
      // The very first frames may arrive before the connection is entered; the peer may try again at once.
      request.respond(503, { headers: { 'Retry-After': '1' } });
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
  const { dialogs } = table;
  return (identity, handler, early) => {
    const key = keyOf(identity.dialogId, identity.remoteTag);
    const dialog = new SipDialog(identity, connection, handler, (ended) => {
      if (dialogs.get(key) === ended) dialogs.delete(key);
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

function loseAll({ dialogs, waiting }: Table): void {
  // Each takes itself out of its collection; deleting during iteration is defined.
  for (const dialog of dialogs.values()) dialog.lost();
  for (const invite of waiting) invite.lost();
}

function interfaceOf(interfaces: readonly StackInterface[], request: ReceivedRequest): string {
  const { receivedOn } = request;
  const match = interfaces.find(
    (item) => receivedOn !== undefined && item.hostports.includes(receivedOn),
  );
  return (match ?? interfaces[0])?.name ?? '';
}
