/** What the ladders of both calls tell of a transfer. */
import type { CdrTransfer } from '../../observe/cdr.ts';
import type { CallContext } from '../call-context.ts';

/** Names the calls that `callId` comes from in its ladder, and it in theirs. */
export function recordTransfer(
  { ladder, nowMs }: Pick<CallContext, 'ladder' | 'nowMs'>,
  callId: string,
  { type, from }: CdrTransfer,
): void {
  const row = { atMs: nowMs(), kind: 'decision' } as const;
  for (const otherCallId of from) {
    const comes = `${type} transfer: comes from call ${otherCallId}`;
    ladder.record(callId, { ...row, summary: comes, otherCallId });
    // One that is not known any more must not come back.
    if (ladder.ladder(otherCallId) === undefined) continue;
    const goes = `${type} transfer: goes on in call ${callId}`;
    ladder.record(otherCallId, { ...row, summary: goes, otherCallId: callId });
  }
}
