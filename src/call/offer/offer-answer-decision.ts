/** The questions an exchange in progress puts to the interworking decision. */

import { decideAnswer, decideOffer } from '../../dtmf/interworking-offer.ts';
import type { AnswerDecision, OfferDecision } from '../../dtmf/interworking-offer.ts';
import type { PlanInput } from '../../dtmf/interworking-legs.ts';
import { hasVoice } from '../../wire/sdp-edit.ts';
import { otherSide } from '../../wire/side.ts';
import type { Side } from '../../wire/side.ts';
import {
  digitSection,
  hasEvents,
  isSrtp,
  isSrtpAnswer,
  needsStream,
} from './offer-answer-rewrite.ts';
import type { Answer, Offered, Requested } from './offer-answer-state.ts';

/** Which sides are known to announce kpml. */
export type KnownKpml = Readonly<Record<Side, boolean>>;

/** Decides about an offer, or about a request without one. */
export function decideForOffer(
  input: PlanInput,
  state: Requested | Offered,
  known: KnownKpml,
): OfferDecision {
  const { from, hasKpml } = state;
  if (state.type === 'requested') return decideForRequest(input, state);
  const voice = digitSection(state.sdp);
  return decideOffer(input, {
    offerSide: from,
    offerHasTelephoneEvent: hasEvents(voice),
    allowEventsKpml: hasKpml,
    hasAudio: voice !== undefined,
    isSrtp: isSrtp(voice),
    isInResponse: state.isInResponse,
    requestAllowEventsKpml: known[otherSide(from)],
  });
}

/** Allow-Events follows from the missing SDP, telephone-event from the one we put in its place. */
function decideForRequest(input: PlanInput, state: Requested): OfferDecision {
  const facts = { offerSide: state.from, allowEventsKpml: state.hasKpml };
  const bare = decideOffer(input, { ...facts, offerHasTelephoneEvent: undefined });
  if (state.insertion === undefined) return bare;
  const voice = digitSection(state.insertion);
  const inserted = decideOffer(input, {
    ...facts,
    offerHasTelephoneEvent: hasEvents(voice),
    hasAudio: voice !== undefined,
  });
  return { ...bare, insertTelephoneEvent: inserted.insertTelephoneEvent };
}

/** Decides about an answer, or about a response without one. */
export function decideForAnswer(
  input: PlanInput,
  offer: Offered,
  { sdp, hasKpml }: Answer,
  known: KnownKpml,
): AnswerDecision {
  const answered = sdp?.media.find((media) => hasVoice(media) && needsStream(media));
  const offered =
    answered === undefined ? digitSection(offer.sdp) : offer.sdp.media[answered.index];
  return decideAnswer(input, {
    offerSide: offer.from,
    offerHasTelephoneEvent: hasEvents(offered),
    offerAllowEventsKpml: offer.hasKpml || known[offer.from],
    answerHasTelephoneEvent: sdp === undefined ? undefined : hasEvents(answered),
    allowEventsKpml: hasKpml,
    // A response without SDP says nothing about the audio that was offered.
    hasAudio: (sdp === undefined ? offered : answered) !== undefined,
    isSrtp: sdp === undefined ? isSrtp(offered) : isSrtpAnswer(answered),
    isDelayedOffer: offer.isDelayed,
  });
}
