import type { Log } from '../../observe/log.ts';
import type { CallContext } from '../call-context.ts';
import type { CallHistory } from '../call-history.ts';
import type { CallPlan } from '../call-plan.ts';
import { CallForwarding } from './call-forwarding.ts';

/** What the feature keys do to a call, with everybody who hears of it; `undefined` where they do not act on it. */
export function forwardingOf(
  { forwarding, invite }: Pick<CallPlan, 'forwarding' | 'invite'>,
  { id, log, history }: { readonly id: string; readonly log: Log; readonly history: CallHistory },
  { ladder, metrics, nowMs }: Pick<CallContext, 'ladder' | 'metrics' | 'nowMs'>,
): CallForwarding | undefined {
  if (forwarding === undefined) return undefined;
  return new CallForwarding(forwarding, invite.message, {
    log,
    decided: (summary) => ladder.record(id, { atMs: nowMs(), kind: 'decision', summary }),
    counted: (feature, result) => metrics.forwards.acted(feature, result),
    recorded: (record) => history.forwarded(record),
    routed: (by) => {
      history.routed(by);
      const { skipped = [] } = by;
      if (skipped.length > 0) log.info({ skipped }, 'session agents skipped');
    },
  });
}
