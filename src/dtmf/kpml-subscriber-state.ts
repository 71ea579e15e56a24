import type { Succession } from './kpml-subscriber-policy.ts';

/** A NOTIFY that overtook the answer to our SUBSCRIBE. */
export type EarlyNotify =
  | { readonly type: 'alive'; readonly expiresAtMs: number }
  | { readonly type: 'over'; readonly succession: Succession };

/** A SUBSCRIBE that is out. */
export interface Asking {
  readonly sentAtMs: number;
  /** A 423 has raised the lifetime already. */
  readonly isRaised: boolean;
  readonly early?: EarlyNotify;
}

/** Where our subscription stands. */
export type SubscriberState =
  | { readonly type: 'idle' }
  | ({ readonly type: 'subscribing' } & Asking)
  | { readonly type: 'confirming'; readonly expiresAtMs: number; readonly notifyByMs: number }
  | { readonly type: 'active'; readonly expiresAtMs: number; readonly refreshAtMs: number }
  | ({ readonly type: 'refreshing'; readonly expiresAtMs: number } & Asking)
  | { readonly type: 'resting'; readonly resumeAtMs: number }
  /** `queued`: the SUBSCRIBE before it is out; `notified`: the last NOTIFY came before the answer. */
  | {
      readonly type: 'unsubscribing';
      readonly step: 'queued' | 'sent' | 'notified' | 'answered';
      /** The SUBSCRIBE before it was a refresh: its failure leaves the subscription alive. */
      readonly isLive: boolean;
      readonly isRestartWanted: boolean;
      readonly giveUpAtMs?: number;
    }
  | { readonly type: 'failed' }
  /** A late NOTIFY is answered with this status. */
  | { readonly type: 'ended'; readonly lateStatus: 200 | 481; readonly isFinal: boolean };

/** The states with a SUBSCRIBE out. */
export type AskingState = Extract<SubscriberState, { type: 'subscribing' | 'refreshing' }>;

export type UnsubscribingState = Extract<SubscriberState, { type: 'unsubscribing' }>;

/** When a state wants to be looked at again; `undefined` when it waits for the peer alone. */
export function expiryOf(state: SubscriberState): number | undefined {
  if (state.type === 'confirming') return state.notifyByMs;
  if (state.type === 'active') return Math.min(state.refreshAtMs, state.expiresAtMs);
  if (state.type === 'resting') return state.resumeAtMs;
  return state.type === 'unsubscribing' ? state.giveUpAtMs : undefined;
}
