/**
 * The offer/answer state of one call (RFC 3264): every SDP of either leg passes here exactly once.
 *
 *   early offer      receiveOffer(caller, sdp)   forwardOffer    receiveAnswer(callee)  forwardAnswer
 *   delayed offer    receiveOffer(caller, none)  forwardOffer    (nothing to write)
 *                    receiveOffer(callee, sdp)   forwardOffer    receiveAnswer(caller)  forwardAnswer
 *   re-offer         the same, from either side; abandonOffer when it is refused
 *
 *   state            event                       next
 *   idle             offer without SDP           requested
 *   idle, requested  offer with SDP              offered
 *   offered          answer, not final           offered (preview; media may flow, nothing agreed)
 *   offered          answer, final               idle (agreed, new plan)
 *   any              abandonOffer                idle (the agreed state stays)
 */

import type { LegSettings } from '../config/effective.ts';
import { decideAnswer } from '../dtmf/interworking-offer.ts';
import type { AnswerDecision, OfferDecision } from '../dtmf/interworking-offer.ts';
import type { KpmlAdvertised, PlanInput } from '../dtmf/interworking-legs.ts';
import { decidePlan } from '../dtmf/interworking-plan.ts';
import type { InterworkingPlan } from '../dtmf/interworking-plan.ts';
import type { RemoteMedia, StreamUpdate } from '../media/media-engine.ts';
import type { AllowEventsEdit } from '../wire/allow-events.ts';
import { formatSdp, parseSdp } from '../wire/sdp.ts';
import type { Sdp } from '../wire/sdp.ts';
import { otherSide, SIDES } from '../wire/side.ts';
import type { Side } from '../wire/side.ts';
import { decideForAnswer, decideForOffer } from './offer-answer-decision.ts';
import {
  alignAnswer,
  digitSection,
  hasEvents,
  newOffer,
  originAddress,
  rewriteAnswer,
  rewriteOffer,
} from './offer-answer-rewrite.ts';
import type { LocalByMedia } from './offer-answer-rewrite.ts';
import { type OfferFacts, factsOf } from './offer-answer-facts.ts';
import type { Agreed, Negotiation, Offered } from './offer-answer-state.ts';
import { acceptedVoice, hasTelephoneEvent, streamUpdate } from './offer-answer-streams.ts';
import type { Exchange } from './offer-answer-streams.ts';
import { FormatMemory, IssuedDescriptions } from './sdp-memory.ts';

export type { LocalPorts } from './offer-answer-rewrite.ts';

export interface OfferAnswerOptions {
  readonly settings: Readonly<Record<Side, LegSettings>>;
  /** Numeric session ids of our o= lines, by the side that reads them. */
  readonly sessionIds: Readonly<Record<Side, string>>;
  /** The attempt at another callee before this one: what the caller was shown goes on. */
  readonly previous?: OfferAnswer | undefined;
}

export interface AnswerFacts {
  readonly hasSdp: boolean;
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

/** What was decided, in order, for explanations. */
export type DecisionRecord =
  | { readonly type: 'offer'; readonly from: Side; readonly decision: OfferDecision }
  | { readonly type: 'answer'; readonly from: Side; readonly decision: AnswerDecision }
  | { readonly type: 'plan'; readonly plan: InterworkingPlan };

/** Older records are dropped: a call of a day with session refreshes must not grow. */
const MAX_DECISIONS = 64;

export class OfferAnswer {
  readonly #settings: Readonly<Record<Side, LegSettings>>;
  readonly #input: PlanInput;
  readonly #memories: Readonly<Record<Side, FormatMemory>>;
  readonly #issued: Readonly<Record<Side, IssuedDescriptions>>;
  /** Whether a side has announced kpml in any message of an agreed exchange. */
  readonly #kpml: Record<Side, boolean> = { caller: false, callee: false };
  readonly #advertised: Record<Side, KpmlAdvertised> = { caller: 'no', callee: 'no' };
  readonly #decisions: DecisionRecord[] = [];
  /** Where the media of each side is, as its streams were told last, by m-line. */
  readonly #remotes: Readonly<Record<Side, (RemoteMedia | undefined)[]>>;
  #state: Negotiation = { type: 'idle' };
  #agreed: Agreed | undefined;
  /** The offer that led to it. */
  #lastOffer: Offered | undefined;
  #plan: InterworkingPlan | undefined;
  #wasDelayed = false;
  /** A response without SDP while nothing is offered. */
  #bareAnswer: { readonly from: Side; readonly hasKpml: boolean } | undefined;

  constructor(options: OfferAnswerOptions) {
    this.#settings = options.settings;
    this.#input = { caller: options.settings.caller, callee: options.settings.callee };
    const { previous } = options;
    this.#memories = {
      caller: previous === undefined ? new FormatMemory() : previous.#memories.caller,
      callee: new FormatMemory(),
    };
    this.#remotes = {
      caller: previous === undefined ? [] : previous.#remotes.caller,
      callee: [],
    };
    this.#issued = {
      caller:
        previous === undefined
          ? new IssuedDescriptions(options.sessionIds.caller)
          : previous.#issued.caller,
      callee: new IssuedDescriptions(options.sessionIds.callee),
    };
  }

  /** The plan in force: that of the last completed exchange. */
  get plan(): InterworkingPlan | undefined {
    return this.#plan;
  }

  /** The m-line whose stream carries digits, as agreed last. */
  get digitStream(): number | undefined {
    return this.#agreed?.digitStream;
  }

  get decisions(): readonly DecisionRecord[] {
    return this.#decisions;
  }

  /** How kpml was announced to a side so far; decides about a SUBSCRIBE before the plan is known. */
  advertised(side: Side): KpmlAdvertised {
    return this.#advertised[side];
  }

  /**
   * An offer of `from` arrives, or with `text` undefined a request that leaves the offer to the
   * other side. The agreed state is not touched; an unanswered earlier offer is forgotten.
   *
   * @throws WireError when the text is no SDP; nothing changes then.
   */
  receiveOffer(from: Side, text: string | undefined, hasKpml: boolean): OfferFacts {
    if (text === undefined) return this.#receiveRequest(from, hasKpml);
    const sdp = parseSdp(text);
    const state = this.#state;
    const request = state.type === 'requested' && state.from !== from ? state : undefined;
    const inserted = request?.inserted;
    const offer = inserted === undefined ? sdp : alignAnswer(sdp, inserted);
    if (request !== undefined) this.#kpml[request.from] ||= request.hasKpml;
    this.#state = {
      type: 'offered',
      from,
      sdp: offer,
      hasKpml,
      isInResponse: request !== undefined,
      isDelayed: this.#plan === undefined ? request !== undefined : this.#wasDelayed,
      inserted,
      forwarded: undefined,
      answer: undefined,
      preview: undefined,
    };
    return factsOf(offer, true);
  }

  /** The offer as the other leg gets it; `local[i]` are our ports on that leg for m-line i. */
  forwardOffer(local: LocalByMedia): ForwardedOffer {
    const state = this.#state;
    if (state.type === 'idle') throw new Error('no offer to forward');
    const sdp = state.type === 'offered' ? state.sdp : state.insertion;
    const decision = decideForOffer(this.#input, state, this.#kpml);
    this.#note({ type: 'offer', from: state.from, decision });
    this.#advertise(state.from, state.hasKpml, decision.allowEvents);
    const { allowEvents } = decision;
    if (sdp === undefined) return { sdp: undefined, allowEvents, decision };
    const issued = this.#issueOffer(state.from, sdp, local);
    if (state.type === 'offered') state.forwarded = issued;
    else state.inserted = issued;
    return { sdp: formatSdp(issued), allowEvents, decision };
  }

  /**
   * A response of the answering side, or the ACK or PRACK that answers a delayed offer. A final
   * one without SDP counts with the SDP of the preview before it.
   *
   * @throws WireError when the text is no SDP or does not fit the offer; nothing changes then.
   */
  receiveAnswer(
    from: Side,
    text: string | undefined,
    hasKpml: boolean,
    isFinal = false,
  ): AnswerFacts {
    const state = this.#state;
    if (state.type !== 'offered') {
      this.#bareAnswer = { from, hasKpml };
      return { hasSdp: false };
    }
    const received = text === undefined ? undefined : alignAnswer(parseSdp(text), state.sdp);
    const sdp = received ?? (isFinal ? state.preview : undefined);
    state.answer = { sdp, hasKpml };
    if (received !== undefined) state.preview = received;
    return { hasSdp: sdp !== undefined };
  }

  /**
   * The answer as the offerer gets it, and what media do now. `final` completes the exchange: a
   * new plan. Once complete, a further response gets the same SDP again.
   */
  forwardAnswer(local: LocalByMedia, final: boolean): ForwardedAnswer {
    const state = this.#state;
    if (state.type !== 'offered') return this.#repeatAnswer();
    if (state.answer === undefined) throw new Error('no answer to forward');
    const { sdp, hasKpml } = state.answer;
    const decision = decideForAnswer(this.#input, state, state.answer, this.#kpml);
    const { allowEvents } = decision;
    this.#note({ type: 'answer', from: otherSide(state.from), decision });
    this.#advertise(otherSide(state.from), hasKpml, allowEvents);
    if (sdp === undefined || state.forwarded === undefined) {
      return { sdp: undefined, allowEvents, decision, streams: [], plan: undefined };
    }
    const given = state.inserted ?? this.#issueAnswer(state, sdp, local);
    const exchange = this.#exchangeOf(state, sdp, given);
    const streams = sdp.media.map((media) => streamUpdate(exchange, media.index));
    this.#noteRemotes(streams);
    const plan = final ? this.#agree(state, exchange) : undefined;
    // The answer to an inserted offer has been given already; the ACK carries none.
    const text = state.inserted === undefined ? formatSdp(given) : undefined;
    return { sdp: text, allowEvents, decision, streams, plan };
  }

  /** A response of `from` after the exchange: it gets the same SDP again, whatever is offered meanwhile. */
  repeatAnswer(from: Side, hasKpml: boolean): ForwardedAnswer {
    this.#bareAnswer = { from, hasKpml };
    return this.#repeatAnswer();
  }

  /** Takes up the offer agreed on last once more: another branch of a forked INVITE answers it. */
  reopenOffer(): void {
    if (this.#lastOffer === undefined) throw new Error('no offer to take up again');
    this.#state = { ...this.#lastOffer, answer: undefined, preview: undefined };
  }

  /** The offer under way failed: what was agreed before stays in force. */
  abandonOffer(): void {
    this.#state = { type: 'idle' };
    this.#issued.caller.abandon();
    this.#issued.callee.abandon();
  }

  #receiveRequest(from: Side, hasKpml: boolean): OfferFacts {
    const insertion = this.#insertionFor(from);
    this.#state = { type: 'requested', from, hasKpml, insertion, inserted: undefined };
    return factsOf(insertion, false);
  }

  /** SDP insertion (add-sdp-invite): the agreed description again, or a new offer. */
  #insertionFor(from: Side): Sdp | undefined {
    const { value } = this.#settings[from].addSdpInvite;
    const agreed = this.#agreed?.legs[from].own;
    const isWanted = value === 'both' || value === (agreed === undefined ? 'invite' : 'reinvite');
    return isWanted ? (agreed ?? newOffer()) : undefined;
  }

  #issueOffer(from: Side, offer: Sdp, local: LocalByMedia): Sdp {
    const to = otherSide(from);
    const memory = this.#memories[to];
    this.#memories[from].seen(offer);
    const rewritten = rewriteOffer(offer, local, { input: this.#input, to, memory });
    const issued = this.#issued[to].issue(rewritten, originAddress(local));
    memory.sent(issued);
    return issued;
  }

  #issueAnswer(offer: Offered, answer: Sdp, local: LocalByMedia): Sdp {
    const to = offer.from;
    const memory = this.#memories[to];
    this.#memories[otherSide(to)].seen(answer);
    const offered = { received: offer.sdp, forwarded: offer.forwarded ?? offer.sdp };
    const context = { input: this.#input, to, memory };
    const rewritten = rewriteAnswer(answer, offered, local, context);
    const issued = this.#issued[to].issue(rewritten, originAddress(local));
    memory.sent(issued);
    return issued;
  }

  #exchangeOf(offer: Offered, answer: Sdp, given: Sdp): Exchange {
    const offerer = { own: offer.sdp, ours: given };
    const answerer = { own: answer, ours: offer.forwarded ?? offer.sdp };
    const isFromCaller = offer.from === 'caller';
    return {
      legs: isFromCaller
        ? { caller: offerer, callee: answerer }
        : { caller: answerer, callee: offerer },
      answerSide: otherSide(offer.from),
      memories: this.#memories,
      settings: this.#settings,
      remotes: this.#remotes,
    };
  }

  #agree(offer: Offered, exchange: Exchange): InterworkingPlan {
    const answerSide = otherSide(offer.from);
    this.#kpml[offer.from] ||= offer.hasKpml;
    this.#kpml[answerSide] ||= offer.answer?.hasKpml ?? false;
    if (this.#plan === undefined) this.#wasDelayed = offer.isDelayed;
    this.#state = { type: 'idle' };
    this.#lastOffer = offer;
    this.#issued.caller.agree();
    this.#issued.callee.agree();
    const voice = acceptedVoice(exchange);
    const digitStream = voice ?? this.#agreed?.digitStream;
    this.#agreed = { legs: exchange.legs, answerSide, digitStream };
    // Audio switched off for a while (hold by port 0, fax) keeps translators and subscriptions.
    if (voice === undefined && this.#plan !== undefined) return this.#plan;
    const leg = (side: Side): Parameters<typeof decidePlan>[1]['caller'] => ({
      telephoneEvent: voice !== undefined && hasTelephoneEvent(exchange, voice, side),
      ownTelephoneEvent: voice !== undefined && hasEvents(exchange.legs[side].own.media[voice]),
      allowEventsKpml: this.#kpml[side],
      kpmlAdvertised: this.#advertised[side],
    });
    const plan = decidePlan(this.#input, {
      caller: leg('caller'),
      callee: leg('callee'),
      isDelayedOffer: this.#wasDelayed,
      hasAudio: voice !== undefined,
    });
    this.#plan = plan;
    this.#note({ type: 'plan', plan });
    return plan;
  }

  /** A response when nothing is offered: before a delayed offer, or after the exchange. */
  #repeatAnswer(): ForwardedAnswer {
    const { from, hasKpml } = this.#bareAnswer ?? { from: 'callee', hasKpml: false };
    const to = otherSide(from);
    const agreed = this.#agreed;
    const isRepeat = this.#state.type === 'idle' && agreed?.answerSide === from;
    const voice = isRepeat ? digitSection(agreed.legs[to].own) : undefined;
    const decision = decideAnswer(this.#input, {
      offerSide: to,
      offerHasTelephoneEvent: hasEvents(voice),
      offerAllowEventsKpml: this.#kpml[to],
      answerHasTelephoneEvent: isRepeat
        ? hasEvents(digitSection(agreed.legs[from].own))
        : undefined,
      allowEventsKpml: hasKpml,
    });
    const { allowEvents } = decision;
    this.#advertise(from, hasKpml, allowEvents);
    const sdp = isRepeat ? formatSdp(agreed.legs[to].ours) : undefined;
    return { sdp, allowEvents, decision, streams: [], plan: undefined };
  }

  /** Enters how the message of `from` announced kpml to the other side. */
  #advertise(from: Side, hasKpml: boolean, edit: AllowEventsEdit): void {
    const to = otherSide(from);
    if (edit === 'add-kpml') this.#advertised[to] = 'by-us';
    if (edit === 'keep' && hasKpml) this.#advertised[to] = 'passed';
  }

  #noteRemotes(streams: readonly (StreamUpdate | undefined)[]): void {
    for (const [index, update] of streams.entries()) {
      for (const side of SIDES) this.#remotes[side][index] = update?.legs[side].remote;
    }
  }

  #note(record: DecisionRecord): void {
    this.#decisions.push(record);
    if (this.#decisions.length > MAX_DECISIONS) this.#decisions.shift();
  }
}
