/** What a caller is told whose request has no route. */
import type { RejectReason, RouteReject, SkippedAgent } from '../trunk/policy.ts';
import type { EndCause } from './end-cause.ts';
import { type Refusal, refused, retryAfter } from './room-for-calls.ts';

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

export function routeRefusal({ status, reason, skipped, phrase }: RouteReject): Refusal {
  const text = [reason, ...skipped.map(inWords)].join(', ');
  return { ...refused(REJECT_CAUSES[reason], retryAfter(status), { status, text }), phrase };
}

function inWords({ agent, reason }: SkippedAgent): string {
  return `${agent} ${reason}`;
}
