/**
 * The NOTIFYs of one subscription, one after the other (RFC 4730 §4.11).
 *
 *            next()                       answered()
 *   ready ------------> unanswered ----------------------> ready, not before 40 ms after the sending
 *
 * What waits is neither merged nor lost.
 */

import type { SubscriptionState } from '../wire/event-headers.ts';
import type { KpmlPress } from './kpml-press.ts';
import type { KpmlSubscription } from './kpml-subscription.ts';

export interface QueuedNotify {
  readonly subscription: KpmlSubscription;
  /** The lifetime left is filled in at sending, except in `terminated`. */
  readonly state: SubscriptionState;
  /** A kpml-response, or empty. */
  readonly body: string;
  readonly presses: readonly KpmlPress[];
}

/** Ceiling of RFC 4730 §4.11: 25 NOTIFYs per second. */
export const NOTIFY_SPACING_MS = 40;

/** A peer that asks for a longer pause does not get it: digits cannot wait that long. */
const MAX_PAUSE_MS = 32_000;

type QueueState =
  | { readonly type: 'ready'; readonly atMs: number }
  | {
      readonly type: 'unanswered';
      readonly sentAtMs: number;
      readonly subscription: KpmlSubscription;
    };

export class KpmlNotifyQueue {
  #waiting: QueuedNotify[] = [];
  #state: QueueState = { type: 'ready', atMs: -Infinity };

  /** When {@link next} will have something to send. */
  get expiresAtMs(): number | undefined {
    return this.#state.type === 'ready' && this.#waiting.length > 0 ? this.#state.atMs : undefined;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Nothing waits to be sent or answered. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#state.type === 'ready';
  }

  push(notify: QueuedNotify): void {
    this.#waiting.push(notify);
  }

  /** The NOTIFY to send now, if there is one. */
  next(nowMs: number): QueuedNotify | undefined {
    if (this.#state.type !== 'ready' || nowMs < this.#state.atMs) return undefined;
    const notify = this.#waiting.shift();
    if (notify === undefined) return undefined;
    const { subscription } = notify;
    this.#state = { type: 'unanswered', sentAtMs: nowMs, subscription };
    return notify;
  }

  /** The NOTIFY sent last got its final answer. Returns whose it was; `undefined` when none was out. */
  answered(nowMs: number, pauseMs: number): KpmlSubscription | undefined {
    if (this.#state.type !== 'unanswered') return undefined;
    const { sentAtMs, subscription } = this.#state;
    const pauseEndMs = nowMs + Math.min(pauseMs, MAX_PAUSE_MS);
    this.#state = { type: 'ready', atMs: Math.max(sentAtMs + NOTIFY_SPACING_MS, pauseEndMs) };
    return subscription;
  }

  /** Takes back what waits, or only what waits for one subscription. */
  takeBack(subscription?: KpmlSubscription): QueuedNotify[] {
    const all = this.#waiting;
    const isMeant = (notify: QueuedNotify): boolean =>
      subscription === undefined || notify.subscription === subscription;
    this.#waiting = all.filter((notify) => !isMeant(notify));
    return all.filter(isMeant);
  }
}
