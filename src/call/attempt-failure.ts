/** What the failure of an attempt at a hop means for the call. */
import type { SipResponse } from '../wire/sip-message.ts';

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

/** Nobody refused: the SIP engine of the hop's interface is gone. */
export function isEngineLost({ reason, response }: AttemptFailure): boolean {
  return response === undefined && reason === 'connection-lost';
}

/** What the caller is told: redirections and challenges concern the SBC, and it follows neither yet. */
export function callerStatus(status: number): number {
  if (status === 401 || status === 407) return 403;
  return status >= 300 && status < 400 ? 480 : status;
}
