import { type AttemptFailure, isUnreachable } from '../setup/attempt-failure.ts';
import type { AccountTreatment, Forward } from './call-features.ts';

/** What holds while the phone of an account rings. */
export type Ringing = Extract<AccountTreatment, { type: 'ring' }>;

/** The forward that takes a call whose phone has failed; `undefined`: none. `hasExpired`: the rings were over. */
export function forwardAfter(
  { status, reason, response }: AttemptFailure,
  ringing: Ringing | undefined,
  hasExpired: boolean,
): Forward | undefined {
  if (ringing === undefined) return undefined;
  const { busy, noAnswer } = ringing;
  const isAnswered = response !== undefined;
  if (isAnswered && (status === 486 || status === 600) && busy !== undefined) return busy;
  // Refused in the moment of our CANCEL: the user has said so.
  if (isAnswered && status === 603) return undefined;
  if (noAnswer === undefined) return undefined;
  if (hasExpired) return noAnswer.forward;
  const isNobody = status === 408 || status === 480 || isUnreachable({ status, reason, response });
  return isNobody && noAnswer.isForUnreachable ? noAnswer.forward : undefined;
}
