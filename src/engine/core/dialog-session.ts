import type { SipRequest } from '../../wire/sip-message.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import { movesTarget } from '../dialog/dialog.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { Flow, ListenPoint } from '../transport/flow.ts';
import { readUri } from './destination.ts';
import { pathOf } from './peer-path.ts';
import type { PeerPath } from './peer-path.ts';

/** An INVITE of the peer in a dialog, initial or not. */
export interface ReceivedInvite {
  readonly transactionId: string;
  readonly isPending: boolean;
  /** An ACK to its 2xx came: whether it is the first one. */
  acknowledge(): boolean;
  prack(rseq: number): boolean;
  /** Refuses it with 487 because the dialog ends; tells whether it was still pending. */
  terminate(): boolean;
}

/** An INVITE of ours in a dialog, initial or not. */
export interface SentInvite {
  readonly isPending: boolean;
  /** Answered with 2xx, and nothing has been acknowledged yet. */
  readonly awaitsAck: boolean;
  /** Sends the application's ACK and confirms it. */
  acknowledge(messageId: string, ack: SipRequest): void;
  /** The 2xx came again. */
  repeatAck(): void;
  /** Cancels it because the dialog ends. */
  abandon(): void;
  /** Acknowledges its 2xx if the application did not. */
  acknowledgeBare(): void;
}

/** The longest that a timer of the runtime can wait. */
const MAX_TIMER_MS = 2_147_483_647;

/** A little less than what has to leave by TCP: a field may have been longer on the wire. */
const LARGE_BYTES = 1100;

/** A dialog in the hands of one application, with the INVITEs that are under way in it. */
export class DialogSession {
  readonly dialog: Dialog;
  readonly owner: AppConnection;
  /** Own address in this dialog. */
  readonly local: ListenPoint;
  /** The call was begun over a transport chosen by name, which its requests keep whatever their size. */
  readonly isTransportFixed: boolean;
  /** By CSeq, for the ACKs. */
  readonly receivedInvites = new Map<number, ReceivedInvite>();
  /** By CSeq, for repeated 2xx; older ones are forgotten. */
  readonly sentInvites = new Map<number, SentInvite>();
  /** Of the last reliable 1xx of this fork. */
  lastRSeq = 0;
  /** The application has not confirmed that one yet. */
  awaitsPrack = false;
  /** A SUBSCRIBE of the peer was accepted in it: the dialog has a life beside its INVITE (RFC 5057 §2). */
  hasSubscription = false;
  /** The application itself refuses SUBSCRIBEs of the peer whose CSeq does not grow. */
  isOrderLeftToApp = false;
  /** The path its first message came by. */
  readonly #firstFlow: Flow | undefined;
  #path: PeerPath | undefined;
  /** CSeq of the request that `#path` is of. */
  #movedByCSeq = -1;
  /** Runs while a refused INVITE leaves the last NOTIFYs some time. */
  #linger: NodeJS.Timeout | undefined;
  /** Runs until nobody can have renewed the subscription any more. */
  #expiry: NodeJS.Timeout | undefined;
  /** Frames that must not come before the one that creates the dialog. */
  #held: (() => void)[] = [];
  /** How many such frames are on their way. */
  #holds = 0;

  constructor(parts: {
    dialog: Dialog;
    owner: AppConnection;
    local: ListenPoint;
    flow: Flow | undefined;
    isTransportFixed?: boolean | undefined;
  }) {
    this.dialog = parts.dialog;
    this.owner = parts.owner;
    this.local = parts.local;
    this.#firstFlow = parts.flow;
    this.isTransportFixed = parts.isTransportFixed ?? false;
  }

  /** Id for frames; empty once the dialog is over. */
  get id(): string {
    return this.dialog.phase === 'ended' ? '' : this.dialog.id;
  }

  /** The path of the peer's newest accepted request that may move it; before that of its first message. */
  get flow(): Flow | undefined {
    return this.#path?.flow ?? this.#firstFlow;
  }

  /** The same, with what is known of it; undefined as long as no request moved it. */
  get path(): PeerPath | undefined {
    return this.#path;
  }

  /**
   * A request of the peer is accepted: where its method may move the target, its Contact and the path it came by are
   * those of the peer from now on. One that was overtaken by another changes nothing.
   */
  follow(request: SipRequest, flow: Flow, cseq: number): void {
    if (!movesTarget(request.method) || cseq < this.#movedByCSeq) return;
    this.#movedByCSeq = cseq;
    this.dialog.refreshTarget(request.method, request);
    if (this.#mayMoveTo(request, flow)) this.#path = pathOf(request, flow);
  }

  /**
   * One large request of a UDP peer comes over TCP (RFC 3261 §18.1.1), and the peer may not even listen there: with such a
   * one it moves only if its Contact says so.
   */
  #mayMoveTo(request: SipRequest, { protocol }: Flow): boolean {
    const { flow } = this;
    if (flow === undefined || flow.protocol !== 'udp' || protocol === 'udp') return true;
    if (sizeOf(request) < LARGE_BYTES) return true;
    const target = readUri(this.dialog.remoteTarget);
    const named = target?.parameters.get('transport')?.toLowerCase();
    return target?.scheme === 'sips' || named === protocol;
  }

  get pendingReceived(): ReceivedInvite | undefined {
    return [...this.receivedInvites.values()].find((invite) => invite.isPending);
  }

  get pendingSent(): SentInvite | undefined {
    return [...this.sentInvites.values()].find((invite) => invite.isPending);
  }

  /** Remembers an INVITE of ours; of the answered ones before it only the last. */
  addSent(cseq: number, invite: SentInvite): void {
    const answered = [...this.sentInvites].filter(([, earlier]) => !earlier.isPending);
    for (const [old] of answered.slice(0, -1)) this.sentInvites.delete(old);
    this.sentInvites.set(cseq, invite);
  }

  /** True for an early dialog whose INVITE was refused, as long as its subscriptions may still say so. */
  get isLingering(): boolean {
    return this.#linger !== undefined;
  }

  /** Calls back after `delayMs`, unless the dialog is over by then. */
  linger(delayMs: number, onOver: () => void): void {
    this.#linger ??= setTimeout(onOver, delayMs).unref();
  }

  /** Calls back after `delayMs`, unless it is called again or the dialog is over by then. */
  expireAfter(delayMs: number, onOver: () => void): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(onOver, Math.min(delayMs, MAX_TIMER_MS)).unref();
  }

  /** The dialog is over: nothing runs any more. */
  close(): void {
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    clearTimeout(this.#linger);
    this.#linger = undefined;
  }

  /** From now on deliveries wait for `open`; two calls want two of them. */
  hold(): void {
    this.#holds += 1;
  }

  /** Delivers what waited, and everything from now on at once. */
  open(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    const held = this.#held;
    this.#held = [];
    for (const delivery of held) delivery();
  }

  /** Runs `delivery` now, or when the frame that creates the dialog has gone out. */
  deliver(delivery: () => void): void {
    if (this.#holds === 0) delivery();
    else this.#held.push(delivery);
  }
}

/** About as many bytes as the request has on the wire. */
function sizeOf({ uri, headers, body }: SipRequest): number {
  const fields = headers.reduce((sum, { name, value }) => sum + name.length + value.length + 4, 0);
  return uri.length + fields + body.length;
}
