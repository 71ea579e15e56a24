/**
 * How a leg sends its digits, and how it gets those of the other side.
 *
 *   telephone-event negotiated                      -> 2833
 *   else kpml-interworking, not in dual mode        -> kpml   (with sip-info as well: only where the party announced kpml)
 *   else sip-info receive or send for what it sends -> info
 *        sip-info send for what it gets             -> info
 *   else                                            -> none
 */

import type { Side } from '../wire/side.ts';
import { isDual, readsInfo } from './interworking-legs.ts';
import type { Negotiated, PlanInput } from './interworking-legs.ts';
import type { Method } from './interworking-rows.ts';

/** How digits of `side` come. */
export function sourceMethodOf(input: PlanInput, negotiated: Negotiated, side: Side): Method {
  return methodOf({ input, negotiated, side, hasInfo: readsInfo(input, side) });
}

/** How digits go to `side`. */
export function sinkMethodOf(input: PlanInput, negotiated: Negotiated, side: Side): Method {
  const hasInfo = input[side].sipInfo.value === 'send';
  return methodOf({ input, negotiated, side, hasInfo });
}

function methodOf(leg: {
  readonly input: PlanInput;
  readonly negotiated: Negotiated;
  readonly side: Side;
  readonly hasInfo: boolean;
}): Method {
  const { input, negotiated, side, hasInfo } = leg;
  const { telephoneEvent, allowEventsKpml } = negotiated[side];
  if (telephoneEvent) return '2833';
  const isKpml = input[side].kpmlInterworking.value && !isDual(input, side);
  // Allow-Events is a hint only (RFC 6665 §8.2.2); it decides where there is something else to use.
  if (isKpml && (allowEventsKpml || !hasInfo)) return 'kpml';
  return hasInfo ? 'info' : 'none';
}
