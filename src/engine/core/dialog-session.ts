import type { SipRequest } from '../../wire/sip-message.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { Flow, ListenPoint } from '../transport/flow.ts';

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

/** A dialog in the hands of one application, with the INVITEs that are under way in it. */
export class DialogSession {
  readonly dialog: Dialog;
  readonly owner: AppConnection;
  /** Own address in this dialog. */
  readonly local: ListenPoint;
  /** The path its first message came on. */
  readonly flow: Flow | undefined;
  /** By CSeq, for the ACKs. */
  readonly receivedInvites = new Map<number, ReceivedInvite>();
  /** By CSeq, for repeated 2xx; older ones are forgotten. */
  readonly sentInvites = new Map<number, SentInvite>();
  /** Of the last reliable 1xx of this fork. */
  lastRSeq = 0;
  /** Frames that must not come before the one that creates the dialog; undefined when it was sent. */
  #held: (() => void)[] | undefined;

  constructor(parts: {
    dialog: Dialog;
    owner: AppConnection;
    local: ListenPoint;
    flow: Flow | undefined;
  }) {
    this.dialog = parts.dialog;
    this.owner = parts.owner;
    this.local = parts.local;
    this.flow = parts.flow;
  }

  /** Id for frames; empty once the dialog is over. */
  get id(): string {
    return this.dialog.phase === 'ended' ? '' : this.dialog.id;
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

  /** From now on deliveries wait for `open`. */
  hold(): void {
    this.#held ??= [];
  }

  /** Delivers what waited, and everything from now on at once. */
  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const delivery of held) delivery();
  }

  /** Runs `delivery` now, or when the frame that creates the dialog has gone out. */
  deliver(delivery: () => void): void {
    if (this.#held === undefined) delivery();
    else this.#held.push(delivery);
  }
}
