import type { CallContext } from '../call-context.ts';
import { CallHistory } from '../call-history.ts';
import { newCallId } from '../call-ids.ts';
import type { CallLeg } from '../call-leg.ts';
import type { CallerInvite } from '../call-plan.ts';
import type { RefusedAttempt } from '../call-watch.ts';
import { type EndCause, resultOf, verdictOf } from '../end-cause.ts';
import { ladderEndOf, recordMessage } from '../ladder-end.ts';
import { logFieldsOf } from '../log-fields.ts';
import type { CdrRecord } from '../../observe/cdr.ts';
import { type Refusal, refused } from '../room-for-calls.ts';
import type { PeerSource } from '../../sip/sip-connection.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import { parseHostPort } from '../../wire/sip-uri.ts';

/** Answers and records an attempt that never became a call; a ladder tells of it where it is worth one. */
export function refuseAttempt(
  attempt: {
    readonly invite: Pick<CallerInvite, 'reject' | 'traceWith'>;
    readonly caller: CallLeg;
    readonly refusal: Refusal;
  },
  context: Pick<CallContext, 'log' | 'cdr' | 'config' | 'nowMs' | 'metrics' | 'ladder'>,
): RefusedAttempt {
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
  if (isWorthARow(cause)) {
    const { ladder } = context;
    const leg = 'caller';
    ladder.place(callId, ladderEndOf(caller, nowMs()));
    invite.traceWith((...traced) => recordMessage(context, { callId, leg }, traced));
    const summary = `refused: ${cause.name} (${verdict.status}), ${verdict.text}`;
    ladder.record(callId, { atMs: nowMs(), kind: 'decision', summary });
  }
  invite.reject(verdict.status, { headers, ...(phrase === undefined ? {} : { reason: phrase }) });
  return { caller, cause, record: record({ callId, caller, refusal, nowMs }, context) };
}

/** Refusals of strangers and of the load come in floods, which must not displace the ladders of calls. */
export function isWorthARow({ name }: EndCause): boolean {
  return name !== 'not-admitted' && name !== 'overloaded';
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
): CdrRecord {
  const { callId, caller, refusal, nowMs } = attempt;
  const { cause } = refusal;
  const result = resultOf(cause, false);
  metrics.attemptRefused({ agent: caller.agent?.name, direction: 'inbound', result });
  const history = new CallHistory({ policy: refusal.policy, skipped: refusal.skipped }, nowMs);
  const written = history.record({
    callId,
    caller,
    session: undefined,
    cause,
    counters: [],
    digits: { presses: 0, delivered: 0, dropped: 0, pending: 0 },
    configHash: config.hash,
    endMs: nowMs(),
  });
  cdr.write(written);
  return written;
}
