/** What the messages of an exchange come to. */
import type { AnswerDecision, OfferDecision } from '../../dtmf/interworking-offer.ts';
import type { InterworkingPlan } from '../../dtmf/interworking-plan.ts';
import type { StreamUpdate } from '../../media/media-engine.ts';
import type { AllowEventsEdit } from '../../wire/allow-events.ts';

export interface AnswerFacts {
  readonly hasSdp: boolean;
  /** Why sections that the sender had switched on were switched off. */
  readonly switchedOff: readonly string[];
}

export interface ForwardedOffer {
  readonly sdp: string | undefined;
  readonly allowEvents: AllowEventsEdit;
  readonly decision: OfferDecision;
}

export interface ForwardedAnswer {
  readonly sdp: string | undefined;
  readonly allowEvents: AllowEventsEdit;
  readonly decision: AnswerDecision;
  /** Per m-line what its stream is told; `undefined` leaves a stream as it is. */
  readonly streams: readonly (StreamUpdate | undefined)[];
  /** The new plan, when this answer completed an exchange. */
  readonly plan: InterworkingPlan | undefined;
}
