import { NO_ANSWER } from '../../sip/outgoing-invite.ts';
import type { AgentOutcome } from '../../trunk/agent-health.ts';
import { isEngineLost, type AttemptFailure } from './attempt-failure.ts';

/**
 * What a failed attempt at an agent says about the agent; `undefined`: nothing.
 *
 *   connection to our own SIP engine lost      nothing
 *   nobody picked up in time                   nothing
 *   no response, 408                           silence (timer B)
 *   no response, any other status              transport error
 *   response                                   that answer, a 408 of somebody who does not pick up too
 */
export function outcomeOfAttempt(failure: AttemptFailure): AgentOutcome | undefined {
  const { status, reason, response } = failure;
  if (isEngineLost(failure) || reason === NO_ANSWER) return undefined;
  if (response !== undefined) return { type: 'answer', by: 'call', status };
  return { type: status === 408 ? 'silence' : 'transportError', by: 'call' };
}
