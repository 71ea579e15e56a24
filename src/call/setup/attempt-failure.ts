/** What the failure of an attempt at a hop means for the call. */
import type { Redirection } from '../../trunk/redirect.ts';
import type { Hop } from '../../trunk/policy.ts';
import type { SipResponse } from '../../wire/sip-message.ts';
import type { EndCause } from '../end-cause.ts';

/** A refusal, or the status that silence or a lost connection amounts to. */
export interface AttemptFailure {
  readonly status: number;
  readonly reason: string;
  readonly response: SipResponse | undefined;
}

/** Failures of the hop itself, after which another hop may do better. */
export function isWorthAnotherHop(status: number): boolean {
  return status === 408 || (status >= 500 && status < 600);
}

/** Answers whose Contacts are other places for the same call: 305 names a proxy, 380 another kind of call. */
export function isRedirection(status: number): boolean {
  return status === 300 || status === 301 || status === 302;
}

/** For the record of a call that ends with a redirection. */
export function whyNotFollowed({ hops, refused }: Redirection): string {
  const reasons = new Set<string>(refused.map(({ reason }) => reason));
  if (hops.length > 0) reasons.add('tried');
  return ` (not followed: ${[...reasons].join(', ') || 'no contact'})`;
}

/** Nobody refused: the SIP engine of the hop's interface is gone. */
export function isEngineLost({ reason, response }: AttemptFailure): boolean {
  return response === undefined && reason === 'connection-lost';
}

/** Nobody refused: the request reached nobody, for want of an address, a connection or somebody at the port. */
export function isUnreachable(failure: AttemptFailure): boolean {
  return failure.response === undefined && failure.status === 503 && !isEngineLost(failure);
}

/** `failure` with the next hop in its reason, if that is what could not be reached. */
export function failureAt(
  { nextHop }: Pick<Hop, 'nextHop'>,
  failure: AttemptFailure,
): AttemptFailure {
  if (!isUnreachable(failure)) return failure;
  return { ...failure, reason: `${failure.reason} (next hop ${nextHop})` };
}

/** Why the call ends whose last attempt failed; `note` is for the record. */
export function causeOfFailure(failure: AttemptFailure, note: string): EndCause {
  if (isEngineLost(failure)) return { name: 'engine-lost', by: 'sbc' };
  const text = `${failure.reason}${note}`;
  if (isUnreachable(failure)) return { name: 'next-hop-unreachable', by: 'sbc', text };
  return { name: 'callee-refused', by: 'callee', status: callerStatus(failure.status), text };
}

/** What the caller is told: redirections, challenges and session intervals concern the SBC alone. */
export function callerStatus(status: number): number {
  if (status === 401 || status === 407) return 403;
  return status === 422 || (status >= 300 && status < 400) ? 480 : status;
}
