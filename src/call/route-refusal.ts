/** What a caller is told whose request has no route, or no room. */
import { policyText } from '../config/routing-config.ts';
import { refusalText, type SessionRefusal } from '../trunk/admission.ts';
import type { RejectReason, RouteReject, SkippedAgent } from '../trunk/policy.ts';
import { type EndCause, verdictOf } from './end-cause.ts';
import { type Refusal, refused, retryAfter } from './room-for-calls.ts';

const MS_PER_SECOND = 1000;

/** What a reason of routing is called as the cause of an end. */
const REJECT_CAUSES: Readonly<Record<RejectReason, EndCause['name']>> = {
  'no-route': 'no-route',
  'address-incomplete': 'address-incomplete',
  'own-address': 'no-route',
  'bad-request-uri': 'bad-request',
  'unsupported-scheme': 'bad-request',
  'no-interface': 'no-route',
  'no-agent-available': 'no-agent-available',
  'rejected-by-policy': 'rejected-by-policy',
};

export function routeRefusal({ status, reason, policy, skipped, phrase }: RouteReject): Refusal {
  const text = [reason, ...skipped.map(inWords)].join(', ');
  const refusal = refused(REJECT_CAUSES[reason], retryAfter(status), { status, text });
  const rule = policy === undefined ? undefined : policyText(policy);
  return { ...refusal, phrase, policy: rule, skipped };
}

/** For an attempt that has a route, and no room. */
export function limitRefusal(
  refusal: SessionRefusal,
  policy: string | undefined,
  skipped: readonly SkippedAgent[],
): Refusal {
  const cause = limitCause(refusal);
  return { type: 'refused', cause, headers: { ...cause.refusalHeaders }, policy, skipped };
}

/** Headers of the refusal for a caller that was not answered yet. */
export function headersOf(cause: EndCause): Record<string, string> {
  return { ...retryAfter(verdictOf(cause).status), ...cause.refusalHeaders };
}

/** Of a call that has no room; a rate says when there will be some. */
export function limitCause(refusal: SessionRefusal): EndCause {
  const { freeAfterMs } = refusal;
  const refusalHeaders =
    freeAfterMs === undefined
      ? retryAfter(503)
      : { 'Retry-After': String(Math.max(1, Math.ceil(freeAfterMs / MS_PER_SECOND))) };
  return { name: 'limit-reached', by: 'sbc', text: refusalText(refusal), refusalHeaders };
}

function inWords({ agent, reason }: SkippedAgent): string {
  return `${agent} ${reason}`;
}
