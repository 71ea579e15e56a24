import type { CallContext } from '../call-context.ts';
import { CallHistory } from '../call-history.ts';
import { newCallId } from '../call-ids.ts';
import type { CallLeg } from '../call-leg.ts';
import type { CallerInvite } from '../call-plan.ts';
import { resultOf, verdictOf } from '../end-cause.ts';
import type { Refusal } from '../room-for-calls.ts';
import { parseHostPort } from '../../wire/sip-uri.ts';

/** Answers and records an attempt that never became a call. */
export function refuseAttempt(
  attempt: {
    readonly invite: Pick<CallerInvite, 'reject'>;
    readonly caller: CallLeg;
    readonly refusal: Refusal;
  },
  context: Pick<CallContext, 'log' | 'cdr' | 'config' | 'nowMs' | 'metrics'>,
): void {
  const { invite, caller, refusal } = attempt;
  const { cause, headers, phrase } = refusal;
  const verdict = verdictOf(cause);
  const { log, cdr, config, nowMs, metrics } = context;
  const callId = newCallId();
  const source = parseHostPort(caller.remote).host;
  log[verdict.level](
    { callId, cause: cause.name, text: verdict.text, status: verdict.status, source },
    'call refused',
  );
  invite.reject(verdict.status, { headers, ...(phrase === undefined ? {} : { reason: phrase }) });
  const result = resultOf(cause, false);
  metrics.callEnded({ agent: caller.agent?.name, direction: 'inbound', result });
  const history = new CallHistory(undefined, nowMs);
  cdr.write(
    history.record({
      callId,
      caller,
      session: undefined,
      cause,
      counters: [],
      digits: { presses: 0, delivered: 0, dropped: 0, pending: 0 },
      configHash: config.hash,
      endMs: nowMs(),
    }),
  );
}
