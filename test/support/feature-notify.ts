/** A NOTIFY of as-feature-event as a test phone has seen it. */

import { reportsIn, type SeenReport } from './feature-documents.ts';
import { cseqOf, headerValue, requiredHeader, type SipText } from './sip-text.ts';

export interface SeenNotify {
  readonly message: SipText;
  readonly cseq: number;
  /** `active` or `terminated`. */
  readonly state: string;
  readonly reason: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
  readonly reports: readonly SeenReport[];
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number;
}

export function seenNotify(message: SipText): SeenNotify {
  const state = requiredHeader(message, 'Subscription-State');
  const contentType = headerValue(message, 'Content-Type');
  return {
    message,
    cseq: cseqOf(message),
    state: state.split(';')[0]?.trim() ?? '',
    reason: /;\s*reason=([^;\s]+)/.exec(state)?.[1],
    contentType,
    body: message.body,
    reports: reportsIn(contentType, message.body),
    atMs: performance.now(),
  };
}
