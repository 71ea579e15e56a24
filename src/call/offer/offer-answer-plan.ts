import type { PlanInput } from '../../dtmf/interworking-legs.ts';
import { decidePlan, type InterworkingPlan } from '../../dtmf/interworking-plan.ts';
import type { Side } from '../../wire/side.ts';
import type { KpmlAnnouncements } from './kpml-announcements.ts';
import { hasEvents } from './offer-answer-rewrite.ts';
import { type Exchange, hasTelephoneEvent, srtpIn } from './offer-answer-streams.ts';

/** How digits cross after an exchange; `voice` is its m-line with audio, if there is one. */
export function planOf(
  input: PlanInput,
  facts: {
    readonly exchange: Exchange;
    readonly voice: number | undefined;
    readonly kpml: KpmlAnnouncements;
    readonly isDelayedOffer: boolean;
  },
): InterworkingPlan {
  const { exchange, voice, kpml, isDelayedOffer } = facts;
  const leg = (side: Side): Parameters<typeof decidePlan>[1]['caller'] => ({
    telephoneEvent: voice !== undefined && hasTelephoneEvent(exchange, voice, side),
    ownTelephoneEvent: voice !== undefined && hasEvents(exchange.legs[side].own.media[voice]),
    allowEventsKpml: kpml.isAnnounced(side),
    kpmlAdvertised: kpml.advertised(side),
  });
  return decidePlan(input, {
    caller: leg('caller'),
    callee: leg('callee'),
    isDelayedOffer,
    hasAudio: voice !== undefined,
    srtp: srtpIn(exchange, voice),
  });
}
