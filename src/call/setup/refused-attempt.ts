import type { CallContext } from '../call-context.ts';
import { CallHistory } from '../call-history.ts';
import { newCallId } from '../call-ids.ts';
import type { CallLeg } from '../call-leg.ts';
import type { CallerInvite } from '../call-plan.ts';
import { resultOf, verdictOf } from '../end-cause.ts';
import { logFieldsOf } from '../log-fields.ts';
import { type Refusal, refused } from '../room-for-calls.ts';
import type { PeerSource } from '../../sip/sip-connection.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
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
  const { log, nowMs } = context;
  const callId = newCallId();
  const source = parseHostPort(caller.remote).host;
  // Those come by the hundred, and are counted in one line of the guard's.
  if (cause.name !== 'overloaded') {
    log[verdict.level](
      {
        ...logFieldsOf(callId, caller),
        cause: cause.name,
        text: verdict.text,
        status: verdict.status,
        source,
      },
      'call refused',
    );
  }
  invite.reject(verdict.status, { headers, ...(phrase === undefined ? {} : { reason: phrase }) });
  record({ callId, caller, refusal, nowMs }, context);
}

/** A new INVITE that the SIP engine has refused by itself. */
export interface RefusedInvite {
  /** Without its body. */
  readonly message: SipRequest;
  readonly source: PeerSource;
  /** Wall clock. */
  readonly atMs: number;
}

/** Records an INVITE of `caller` that was refused at `atMs` because of the load. */
export function recordRefusedBefore(caller: CallLeg, atMs: number, context: RecordContext): void {
  const { metrics } = context;
  metrics.admission.rejected('overload');
  metrics.sipRequestAnswered({ direction: 'inbound', method: 'INVITE', status: 503 });
  const refusal = refused('overloaded');
  record({ callId: newCallId(), caller, refusal, nowMs: () => atMs }, context);
}

type RecordContext = Pick<CallContext, 'cdr' | 'config' | 'metrics'>;

function record(
  attempt: {
    readonly callId: string;
    readonly caller: CallLeg;
    readonly refusal: Refusal;
    readonly nowMs: () => number;
  },
  { cdr, config, metrics }: RecordContext,
): void {
  const { callId, caller, refusal, nowMs } = attempt;
  const { cause } = refusal;
  const result = resultOf(cause, false);
  metrics.callEnded({ agent: caller.agent?.name, direction: 'inbound', result });
  const history = new CallHistory({ policy: refusal.policy, skipped: refusal.skipped }, nowMs);
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
