/** What log lines say about the legs of a call. */
import type { CallLogFields, Log } from '../observe/log.ts';
import type { CallLeg } from './call-leg.ts';
import { type EndCause, verdictOf } from './end-cause.ts';

/** Of every line about a call, as known when the INVITE came. */
export function logFieldsOf(callId: string, caller: CallLeg): CallLogFields {
  const { agent, realm, sipCallId: legA } = caller;
  const named = agent === undefined ? {} : { agent: agent.name };
  return { callId, legA, realm: realm.name, ...named };
}

/** Writes the line at the end; the callee is the one that was answered or tried last. */
export function logEnd(
  log: Log,
  cause: EndCause,
  isAnswered: boolean,
  callee: CallLeg | undefined,
): void {
  log[verdictOf(cause).level](endLogFields(cause, isAnswered, callee), 'call ended');
}

/** Of the line at the end, with the callee that was answered or tried last. */
export function endLogFields(
  cause: EndCause,
  isAnswered: boolean,
  callee: CallLeg | undefined,
): Readonly<Record<string, unknown>> {
  const status = isAnswered ? 200 : verdictOf(cause).status;
  const fields = { cause: cause.name, by: cause.by, status };
  if (callee === undefined) return fields;
  const { agent, realm, sipCallId: legB } = callee;
  const named = agent === undefined ? {} : { calleeAgent: agent.name };
  return { ...fields, legB, calleeRealm: realm.name, ...named };
}
