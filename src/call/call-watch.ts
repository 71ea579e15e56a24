/** Tells somebody of the calls that are over; nothing depends on it. */
import type { CdrRecord } from '../observe/cdr.ts';
import type { CallLeg } from './call-leg.ts';
import type { CallOutcome } from './call-plan.ts';
import type { EndCause } from './end-cause.ts';

/** An INVITE that was refused before there was a call. */
export interface RefusedAttempt {
  readonly caller: CallLeg;
  readonly cause: EndCause;
  readonly record: CdrRecord;
}

export interface CallWatcher<Call> {
  /** Called while the call is still in the table of calls. */
  ended(call: Call, outcome: CallOutcome): void;
  refused(attempt: RefusedAttempt): void;
}

export class CallWatch<Call> {
  #watcher: CallWatcher<Call> | undefined;

  /** One at a time; nobody at the start. */
  by(watcher: CallWatcher<Call>): void {
    this.#watcher = watcher;
  }

  /** Without `outcome` there is no record, by a bug. */
  ended(call: Call, outcome: CallOutcome | undefined): void {
    if (outcome !== undefined) this.#watcher?.ended(call, outcome);
  }

  refused(attempt: RefusedAttempt): void {
    this.#watcher?.refused(attempt);
  }
}
