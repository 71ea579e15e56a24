/** The plan of a call whose callee stands already: there is nothing to route. */
import type { Session, SessionRefusal } from '../../trunk/admission.ts';
import type { Hop } from '../../trunk/policy.ts';
import type { CallLeg } from '../call-leg.ts';
import type { CallerInvite, CallPlan } from '../call-plan.ts';

const UNCOUNTED: Session = { type: 'session', release: () => undefined };

export function joinPlan(options: {
  readonly invite: CallerInvite;
  readonly caller: CallLeg;
  readonly callee: CallLeg;
  readonly countOn: (hop: Hop) => Session;
}): CallPlan {
  const { invite, caller, callee, countOn } = options;
  const { agent, sipInterface, remote, transport } = callee;
  const uri = `sip:${remote};transport=${transport}`;
  return {
    invite,
    caller,
    hops: [{ agent, sipInterface, requestUri: uri, nextHop: uri }],
    calleeFor: () => callee,
    redirect: () => ({ hops: [], refused: [] }),
    countOn,
    report: () => undefined,
    policy: 'transfer',
    skipped: [],
  };
}

/** For a party that is here already: a limit that its old call has reached does not stand against it. */
export function countedAnyway(room: Session | SessionRefusal): Session {
  return room.type === 'session' ? room : UNCOUNTED;
}
