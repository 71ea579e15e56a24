/** What the failure of an attempt at a hop means for the call. */
import type { Redirection } from '../../trunk/redirect.ts';
import type { SipResponse } from '../../wire/sip-message.ts';

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

/** What the caller is told: redirections, challenges and session intervals concern the SBC alone. */
export function callerStatus(status: number): number {
  if (status === 401 || status === 407) return 403;
  return status === 422 || (status >= 300 && status < 400) ? 480 : status;
}
