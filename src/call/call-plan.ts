import type { MediaCounters } from '../media/relay-counters.ts';
import type { CdrRecord, CdrTransfer } from '../observe/cdr.ts';
import type { IncomingInvite } from '../sip/incoming-invite.ts';
import type { Session, SessionRefusal } from '../trunk/admission.ts';
import type { AgentOutcome } from '../trunk/agent-health.ts';
import type { Hop, SkippedAgent } from '../trunk/policy.ts';
import type { Redirect, Redirection } from '../trunk/redirect.ts';
import type { CallStack } from './call-context.ts';
import type { ForwardingPlan } from './forward/call-forwarding.ts';
import type { CallLeg } from './call-leg.ts';
import type { StandingPlaces } from './call-session.ts';

/** Whoever wants a call: an INVITE from outside, or a leg that stands already. */
export type CallerInvite = Pick<
  IncomingInvite,
  | 'message'
  | 'offer'
  | 'confirmed'
  | 'traceWith'
  | 'onCancel'
  | 'onLost'
  | 'progress'
  | 'reject'
  | 'accept'
>;

/** The legs of a new call that come from other calls. */
export interface StandingLegs {
  readonly sides: StandingPlaces;
  readonly origin: CdrTransfer;
  /** Takes the place of the INVITE to a callee that stands already. */
  readonly inviteCallee?: CallStack['invite'] | undefined;
  /** The call is over: a leg that it has not got stays where it was. */
  readonly giveBack?: (() => void) | undefined;
}

/** What admission and routing found out before the call exists. */
export interface CallPlan {
  readonly invite: CallerInvite;
  readonly caller: CallLeg;
  /** Next hops in the order of trying; none before the feature keys have chosen, else at least one. */
  readonly hops: readonly Hop[];
  /** The callee's side of the call for a hop. */
  readonly calleeFor: (hop: Hop) => CallLeg;
  /** Where a redirecting answer leads. */
  readonly redirect: (redirect: Redirect) => Redirection;
  /** Counts the call on the hop's agent, if it is one. */
  readonly countOn: (hop: Hop) => Session | SessionRefusal;
  /** Says what an attempt showed about an agent. */
  readonly report: (agentName: string, outcome: AgentOutcome) => void;
  /** `undefined` until the feature keys have chosen the way. */
  readonly policy: string | undefined;
  /** Agents of the policy that got no chance. */
  readonly skipped: readonly SkippedAgent[];
  readonly standing?: StandingLegs | undefined;
  /** The call is for an account whose feature keys act on calls. */
  readonly forwarding?: ForwardingPlan | undefined;
}

/** Who is told how far the end of a call has come; each once, in this order. */
export interface CallEndListener<Call> {
  /** It is over. Neither side has been told: whoever is may have another call at once. */
  onOver(): void;
  /** Its record is written, and nothing of it is left; without `outcome` there is no record, by a bug. */
  onReleased(call: Call, outcome: CallOutcome | undefined): void;
}

/** How a call ended. */
export interface CallOutcome {
  readonly record: CdrRecord;
  readonly counters: readonly MediaCounters[];
}
