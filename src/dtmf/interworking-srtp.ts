/**
 * What SRTP leaves of the interworking decision: nobody but the ends can see telephone-events in it or put them
 * in, so no translator reads them there or writes them. KPML and INFO are signalling and go on as everywhere.
 */

import type { Negotiated, NegotiatedLeg } from './interworking-legs.ts';

/** The legs without telephone-events, where the audio is SRTP. */
export function visibleIn(negotiated: Negotiated): Negotiated {
  if (negotiated.srtp === undefined) return negotiated;
  const { caller, callee } = negotiated;
  return { ...negotiated, caller: withoutEvents(caller), callee: withoutEvents(callee) };
}

/** Why digits of an SRTP call that has telephone-event at both ends need no translator. */
export const PASSING_UNSEEN =
  'the audio is SRTP with telephone-event at both ends: digits pass unseen, they are neither translated nor counted';

/** Why there is no translator at all. */
export const UNREADABLE = 'the audio is SRTP: telephone-events in it can be neither read nor sent';

/** What would help. */
export const READABLE_ALTERNATIVES =
  'plain RTP on both legs, KPML or SIP INFO at both ends, or telephone-event at both ends';

function withoutEvents(leg: NegotiatedLeg): NegotiatedLeg {
  return { ...leg, telephoneEvent: false, ownTelephoneEvent: false };
}
