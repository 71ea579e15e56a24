import type { Call } from '../call/call.ts';
import type { CallSession } from '../call/call-session.ts';
import { isUnspecified } from '../wire/sdp-address.ts';
import type { Side } from '../wire/side.ts';
import type { DirectionPlanView, PlanView } from './backend.ts';

/** What brings digits to the receiving leg as RTP. */
const TO_RTP: ReadonlySet<string> = new Set(['rtp-relay', 'kpml-to-2833', 'info-to-2833']);

/** What runs in each direction of a call; `undefined` before it is decided. */
export function planView({ session }: Call): PlanView | undefined {
  const plan = session?.dtmf.plan;
  if (session === undefined || plan === undefined) return undefined;
  return {
    callerToCallee: directionView(plan.callerToCallee, session, 'callee'),
    calleeToCaller: directionView(plan.calleeToCaller, session, 'caller'),
  };
}

function directionView(
  direction: DirectionPlanView,
  session: CallSession,
  to: Side,
): DirectionPlanView {
  const isOnHold = TO_RTP.has(direction.translator) && takesNoMedia(session, to);
  return isOnHold ? { ...direction, isOnHold } : direction;
}

/** By what was agreed on for the stream that carries digits; only what is known for sure counts. */
function takesNoMedia({ negotiation }: CallSession, side: Side): boolean {
  const { agreed } = negotiation;
  const section = agreed?.digitStream;
  if (agreed === undefined || section === undefined) return false;
  const own = agreed.legs[side].own.media[section];
  const ours = agreed.legs[side].ours.media[section];
  if (own === undefined || ours === undefined) return false;
  const isHeld = own.direction === 'sendonly' || own.direction === 'inactive';
  const isMuted = ours.direction === 'recvonly' || ours.direction === 'inactive';
  const isNowhere = own.connectionAddress !== undefined && isUnspecified(own.connectionAddress);
  return isHeld || isMuted || isNowhere;
}
