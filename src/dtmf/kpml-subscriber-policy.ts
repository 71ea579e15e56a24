/**
 * What the answers and NOTIFYs of a peer mean for our subscription: pure tables
 * (RFC 6665 §4.1.2, §4.1.3; RFC 4730 §4.9).
 */

import type { SubscriptionState } from '../wire/event-headers.ts';

/** Timer N of RFC 6665: a subscription without NOTIFY for this long has failed (64 * T1). */
export const NOTIFY_WAIT_MS = 32_000;

/** Pause before another attempt when the peer names none. */
export const RETRY_MS = 30_000;

/** Subscriptions that may end at once in a row without a single digit. */
export const MAX_BARREN_SUBSCRIPTIONS = 5;

/** Attempts that a peer with a server failure gets per call. */
export const MAX_SERVER_FAILURES = 3;

/** Shorter lifetimes are taken as this one, lest a peer keep us busy with refreshes. */
const MIN_LIFETIME_SECONDS = 4;

const MAX_PAUSE_SECONDS = 86_400;

/** Answers to a refresh that end the subscription (RFC 6665 §4.1.2.2). */
const FATAL_TO_REFRESH: ReadonlySet<number> = new Set([
  404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

/** Server failures that are no passing trouble. */
const LASTING_FAILURES: ReadonlySet<number> = new Set([501, 502, 505]);

/** Reasons of `terminated` after which another try is pointless (RFC 6665 §4.1.3). */
const FINAL_REASONS: ReadonlySet<string> = new Set(['rejected', 'noresource', 'invariant']);

/** How an ended subscription goes on. */
export type Succession =
  | { readonly type: 'at-once' }
  | { readonly type: 'later'; readonly pauseMs: number }
  | { readonly type: 'never'; readonly reason: string };

/** What a final answer to SUBSCRIBE means. */
export type AnswerMeaning = 'accepted' | 'too-brief' | 'try-later' | 'gone' | 'failed';

export function meaningOfAnswer(status: number, isRefresh: boolean): AnswerMeaning {
  if (status < 300) return 'accepted';
  if (status === 423) return 'too-brief';
  if (isRefresh) return FATAL_TO_REFRESH.has(status) ? 'gone' : 'try-later';
  return status >= 500 && status < 600 && !LASTING_FAILURES.has(status) ? 'try-later' : 'failed';
}

/** How to go on after NOTIFY `terminated`; `kpmlCode` is that of its body, if it had one. */
export function successionOf(state: SubscriptionState, kpmlCode: number | undefined): Succession {
  const { reason = '', retryAfterSeconds } = state;
  if (FINAL_REASONS.has(reason)) return { type: 'never', reason };
  if (reason === 'deactivated') return { type: 'at-once' };
  if (reason === 'probation' || reason === 'giveup')
    return later(retryAfterSeconds ?? RETRY_MS / 1000);
  // The same document would meet the same refusal again.
  if (kpmlCode === 481 || (kpmlCode ?? 0) >= 500)
    return { type: 'never', reason: `kpml-${kpmlCode}` };
  return later(retryAfterSeconds ?? 0);
}

/** The pause after a server failure. */
export function pauseOf(retryAfterSeconds: number | undefined): Succession {
  const seconds = Math.max(1, retryAfterSeconds ?? RETRY_MS / 1000);
  return later(seconds);
}

function later(seconds: number): Succession {
  if (seconds === 0) return { type: 'at-once' };
  return { type: 'later', pauseMs: Math.min(seconds, MAX_PAUSE_SECONDS) * 1000 };
}

/** The lifetime granted: a peer may shorten what was asked for, never lengthen it. */
export function lifetimeSeconds(granted: number | undefined, asked: number): number {
  if (granted === undefined) return asked;
  return Math.min(Math.max(granted, MIN_LIFETIME_SECONDS), asked);
}

/**
 * When to refresh: between 75 % and 90 % of the lifetime, so that many calls do not refresh together.
 * `fraction` is random, 0 to 1.
 */
export function refreshAfterMs(lifetimeMs: number, fraction: number): number {
  return lifetimeMs * (0.75 + 0.15 * fraction);
}

/** Tokens that refill with time: a peer may send bursts, but not for ever. */
export class NotifyAllowance {
  #tokens = BURST;
  #atMs = -Infinity;

  /** Takes one token; `false` when there is none. */
  take(nowMs: number): boolean {
    const refill = Math.max(0, nowMs - this.#atMs) * REFILL_PER_MS;
    this.#tokens = Math.min(BURST, this.#tokens + refill);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

const BURST = 50;
const REFILL_PER_MS = 25 / 1000;
