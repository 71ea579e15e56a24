import { calledNumber, callingNumber } from '../call/call-history.ts';
import type { Call } from '../call/call.ts';
import type { CallFilter, CallView } from './backend.ts';

/** Whether a call is among those asked for. */
export function isWanted(
  { from, to, legs }: Pick<CallView, 'from' | 'to' | 'legs'>,
  { agent, number }: CallFilter,
): boolean {
  return hasAgent([legs.caller.agent, legs.callee?.agent], agent) && hasNumber([from, to], number);
}

/** The same of a call that is up, whose view would cost more than the answer. */
export function isWantedCall({ state, caller, session }: Call, filter: CallFilter): boolean {
  const { agent, number } = filter;
  if (!isListed(state, filter.state)) return false;
  if (!hasAgent([caller.agent?.name, session?.legs.callee.agent?.name], agent)) return false;
  return number === undefined || hasNumber([callingNumber(caller), calledNumber(caller)], number);
}

/** One that is over stays among the calls until it is cleared away, but is active no more. */
export function isListed(
  state: Call['state'],
  wanted: NonNullable<CallFilter['state']> = 'active',
): boolean {
  return state !== 'ended' || wanted !== 'active';
}

function hasAgent(names: readonly (string | undefined)[], wanted: string | undefined): boolean {
  return wanted === undefined || names.includes(wanted);
}

function hasNumber(numbers: readonly string[], part: string | undefined): boolean {
  return part === undefined || numbers.some((number) => number.includes(part));
}
