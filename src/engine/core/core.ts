import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { AppConnection } from '../admin/app-connection.ts';
import type { SipCommand } from '../admin/app-message.ts';
import type { TimerValues, TransactionLayer } from '../transaction/transaction-user.ts';
import type { Flow } from '../transport/flow.ts';
import type { DialogSession } from './dialog-session.ts';
import type { DialogStore } from './dialog-store.ts';

/** A request from the network that an application has to answer. */
export interface PendingAnswer {
  readonly owner: AppConnection;
  /** Sends the application's response and confirms it. */
  respond(messageId: string, response: SipResponse): void;
  /** The application is gone: the engine answers. */
  release(): void;
}

/** An INVITE of an application that may still be cancelled. */
export interface PendingInvite {
  readonly owner: AppConnection;
  cancel(command: SipCommand, cancel: SipRequest): void;
  /** The application is gone: the engine cancels, or ends what is answered. */
  release(): void;
}

/** A SUBSCRIBE of ours whose NOTIFY may come before its 2xx (RFC 6665 §4.4.1). */
export interface PendingSubscribe {
  readonly owner: AppConnection;
  /** The dialog that such a NOTIFY creates; deliveries in it wait for the 2xx. */
  begin(notify: SipRequest, flow: Flow): DialogSession | undefined;
}

/** What the parts of the user agent share. */
export interface Core {
  readonly layer: TransactionLayer;
  readonly timers: TimerValues;
  readonly dialogs: DialogStore;
  /** By the transaction id applications use. */
  readonly answers: Map<string, PendingAnswer>;
  readonly invites: Map<string, PendingInvite>;
  /** By `subscribeKey`. */
  readonly subscribes: Map<string, PendingSubscribe>;
  /** Dialog ids of initial INVITEs from the network that have no final response yet. */
  readonly pendingIds: Set<string>;
  /** Runs what no caller watches over (timers, answers to promises): an exception is reported, not thrown. */
  guard: (run: () => void | Promise<void>) => void;
  /** The next application that wants new requests of a method. */
  pick: (method: string) => AppConnection | undefined;
  /** What applications take, in upper case. */
  methods: () => readonly string[];
}

/** Key of a SUBSCRIBE that has no dialog yet. */
export function subscribeKey(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`;
}
