/** A NOTIFY of as-feature-event as text, and what its answer means (RFC 6665 §4.2.2). */

import { randomBytes } from 'node:crypto';
import type { NotifyResponse } from '../sip/notifier-dialog.ts';
import {
  formatEvent,
  formatSubscriptionState,
  parseRetryAfter,
  type SubscriptionState,
} from '../wire/event-headers.ts';
import { formatFeatureBody } from '../wire/feature-body.ts';
import { getHeader } from '../wire/sip-message.ts';
import { WireError } from '../wire/wire-error.ts';
import type { DueNotify, NotifyAnswer } from './notify-dues.ts';
import type { PhoneProfile } from './phone-profile.ts';
import { FEATURE_PACKAGE } from './subscribe-ladder.ts';

/** Name in our User-Agent. */
const PRODUCT = 'Tonebridge';
/** RFC 3261 §18.1.1: above this a datagram may not arrive in one piece. */
export const LARGE_BYTES = 1300;

/** What a NOTIFY says beside the features. */
export interface NotifySubject {
  readonly eventId: string | undefined;
  /** What is left of the subscription. */
  readonly remainingMs: number;
  readonly device: string;
  readonly partHeads: PhoneProfile['partHeads'];
}

export function formatNotify(
  due: DueNotify,
  subject: NotifySubject,
): { readonly headers: Record<string, string>; readonly body?: string } {
  const { eventId: id, device, partHeads } = subject;
  const boundary = `dfks-${randomBytes(8).toString('hex')}`;
  const content = formatFeatureBody(due.reports, { device, boundary, partHeads });
  const headers: Record<string, string> = {
    Event: formatEvent({ eventType: FEATURE_PACKAGE, ...(id === undefined ? {} : { id }) }),
    'Subscription-State': formatSubscriptionState(stateOf(due, subject)),
    'Allow-Events': FEATURE_PACKAGE,
    'User-Agent': PRODUCT,
    'Max-Forwards': '70',
    ...(content === undefined ? {} : { 'Content-Type': content.contentType }),
  };
  return { headers, ...(content === undefined ? {} : { body: content.body }) };
}

function stateOf({ termination }: DueNotify, { remainingMs }: NotifySubject): SubscriptionState {
  if (termination === undefined) {
    return { state: 'active', expiresSeconds: Math.max(1, Math.ceil(remainingMs / 1000)) };
  }
  const { reason, retryAfterSeconds } = termination;
  return {
    state: 'terminated',
    reason,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** Answers after which there is no subscription any more. */
const FATAL: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

/** What an answer to NOTIFY means: `removed` is no answer to go on with. */
export function judgeAnswer(response: NotifyResponse): NotifyAnswer | { readonly type: 'removed' } {
  const { status, isMadeUp, message } = response;
  if (status >= 200 && status < 300) return { type: 'told' };
  if (isMadeUp || FATAL.has(status)) return { type: 'removed' };
  const value = message === undefined ? undefined : getHeader(message, 'Retry-After');
  const seconds = value === undefined ? undefined : secondsIn(value);
  return seconds === undefined ? { type: 'failed' } : { type: 'later', afterMs: seconds * 1000 };
}

function secondsIn(value: string): number | undefined {
  try {
    return parseRetryAfter(value);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
