import type { DialogHandler } from '../../sip/dialog.ts';
import type { Hop } from '../../trunk/policy.ts';
import type { Redirect, Redirection } from '../../trunk/redirect.ts';
import type { AttemptFailure } from './attempt-failure.ts';
import type { CallSession } from '../call-session.ts';
import type { EndCause } from '../end-cause.ts';
import type { SessionTimers } from '../mid-call/session-timers.ts';

/** What the set-up asks of its call. */
export interface SetupHost {
  isEnded(): boolean;
  /** Joins the caller with the hop, or says which limit of the hop stands against it. */
  openSession(hop: Hop): CallSession | { readonly refused: EndCause };
  dialogHandler(side: 'caller' | 'callee'): DialogHandler;
  /** Where a redirecting answer leads. */
  redirect(redirect: Redirect): Redirection;
  /** What came of it, for the log. */
  redirected(outcome: { followed: readonly string[]; refused: Redirection['refused'] }): void;
  attemptStarted(hop: Hop, session: CallSession): void;
  attemptFailed(failure: AttemptFailure): void;
  progressed(status: number): void;
  /** The caller got its 200. */
  answered(): void;
  /** The caller acknowledged it: both dialogs stand. `untold`: its answer, of which the callee has to hear. */
  joined(session: CallSession, untold: string | undefined): void;
  /** The session timers of both legs. */
  readonly timers: SessionTimers;
  end(cause: EndCause): void;
  /** Runs `action`; a broken invariant in it ends the call instead of escaping. */
  guarded(action: () => void | Promise<void>): void;
}
