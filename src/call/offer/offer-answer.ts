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

import type { LegSettings } from '../../config/effective.ts';
import { decideAnswer } from '../../dtmf/interworking-offer.ts';
import type { KpmlAdvertised, PlanInput } from '../../dtmf/interworking-legs.ts';
import type { InterworkingPlan } from '../../dtmf/interworking-plan.ts';
import type { RemoteMedia, StreamUpdate } from '../../media/media-engine.ts';
import type { AddressFamily } from '../../wire/sdp-address.ts';
import { formatSdp, type Sdp } from '../../wire/sdp.ts';
import { otherSide, type Side, SIDES } from '../../wire/side.ts';
import { decideForAnswer, decideForOffer } from './offer-answer-decision.ts';
import {
  digitSection,
  hasEvents,
  originAddress,
  rewriteAnswer,
  rewriteOffer,
} from './offer-answer-rewrite.ts';
import type { LocalByMedia } from './offer-answer-rewrite.ts';
import { DecisionLog, type DecisionRecord } from './decision-log.ts';
import { KpmlAnnouncements } from './kpml-announcements.ts';
import { type OfferFacts, factsOf } from './offer-answer-facts.ts';
import {
  type Agreed,
  agreedOn,
  type Negotiation,
  type Offered,
  reopened,
  repeatedOffer,
} from './offer-answer-state.ts';
import { planOf } from './offer-answer-plan.ts';
import type { AnswerFacts, ForwardedAnswer, ForwardedOffer } from './offer-answer-results.ts';
import { acceptedVoice, type Exchange, streamUpdate } from './offer-answer-streams.ts';
import { readAnswer, readOffer } from './received-sdp.ts';
import { insertionFor } from './sdp-insertion.ts';
import { FormatMemory, IssuedDescriptions } from './sdp-memory.ts';

export type { LocalPorts } from './offer-answer-rewrite.ts';

export interface OfferAnswerOptions {
  readonly settings: Readonly<Record<Side, LegSettings>>;
  /** Numeric session ids of our o= lines, by the side that reads them. */
  readonly sessionIds: Readonly<Record<Side, string>>;
  /** Of our media addresses, which those of the peers have to match; unchecked where there is none. */
  readonly families?: Readonly<Record<Side, AddressFamily | undefined>> | undefined;
  /** The attempt at another callee before this one: what the caller was shown goes on. */
  readonly previous?: OfferAnswer | undefined;
  /** Sides whose dialogs come from other calls: what was said in them goes on. */
  readonly standing?: StandingSides | undefined;
}

/** Where in another call the side of a new one was. */
export interface FormerPlace {
  readonly negotiation: OfferAnswer;
  readonly side: Side;
}

export type StandingSides = Readonly<Partial<Record<Side, FormerPlace>>>;

export class OfferAnswer {
  readonly #settings: Readonly<Record<Side, LegSettings>>;
  readonly #input: PlanInput;
  readonly #families: OfferAnswerOptions['families'];
  readonly #memories: Readonly<Record<Side, FormatMemory>>;
  readonly #issued: Readonly<Record<Side, IssuedDescriptions>>;
  readonly #kpml = new KpmlAnnouncements();
  readonly #decisions = new DecisionLog();
  /** Where the media of each side is, as its streams were told last, by m-line. */
  readonly #remotes: Record<Side, readonly (RemoteMedia | undefined)[]>;
  #state: Negotiation = { type: 'idle' };
  #agreed: Agreed | undefined;
  #plan: InterworkingPlan | undefined;
  #exchanges = 0;
  #wasDelayed = false;
  /** A response without SDP while nothing is offered. */
  #bareAnswer: { readonly from: Side; readonly hasKpml: boolean } | undefined;

  constructor(options: OfferAnswerOptions) {
    this.#settings = options.settings;
    this.#input = { caller: options.settings.caller, callee: options.settings.callee };
    this.#families = options.families;
    const { previous, standing } = options;
    const memoryOf = (side: Side): FormatMemory => {
      const before = standing?.[side];
      return before === undefined ? new FormatMemory() : before.negotiation.#memories[before.side];
    };
    const issuedTo = (side: Side): IssuedDescriptions => {
      const before = standing?.[side];
      return before === undefined
        ? new IssuedDescriptions(options.sessionIds[side])
        : before.negotiation.#issued[before.side].forAnotherCall();
    };
    this.#memories = {
      caller: previous === undefined ? memoryOf('caller') : previous.#memories.caller,
      callee: memoryOf('callee'),
    };
    this.#remotes = { caller: previous === undefined ? [] : previous.#remotes.caller, callee: [] };
    this.#issued = {
      caller: previous === undefined ? issuedTo('caller') : previous.#issued.caller,
      callee: issuedTo('callee'),
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
    return this.#decisions.records;
  }

  /** How many exchanges were completed. */
  get exchanges(): number {
    return this.#exchanges;
  }

  /** What `side` wrote in the last completed exchange. */
  agreedDescription(side: Side): string | undefined {
    return this.#agreed?.legs[side].texts.own;
  }

  /** The outcome of the last completed exchange. */
  get agreed(): Agreed | undefined {
    return this.#agreed;
  }

  /** Whether `side` has announced kpml in an agreed exchange. */
  hasAnnouncedKpml(side: Side): boolean {
    return this.#kpml.isAnnounced(side);
  }

  /** How kpml was announced to a side so far; decides about a SUBSCRIBE before the plan is known. */
  advertised(side: Side): KpmlAdvertised {
    return this.#kpml.advertised(side);
  }

  /**
   * An offer of `from` arrives, or with `text` undefined a request that leaves the offer to the
   * other side. The agreed state is not touched; an unanswered earlier offer is forgotten.
   *
   * @throws WireError when the text is no SDP or none that can be used; nothing changes then.
   */
  receiveOffer(from: Side, text: string | undefined, hasKpml: boolean): OfferFacts {
    if (text === undefined) return this.#receiveRequest(from, hasKpml);
    const state = this.#state;
    const request = state.type === 'requested' && state.from !== from ? state : undefined;
    const inserted = request?.inserted;
    const before = this.#agreed?.legs[from].own;
    const offer = readOffer(text, { family: this.#families?.[from], inserted, before });
    if (request !== undefined) this.#kpml.agree(request.from, request.hasKpml);
    this.#state = {
      type: 'offered',
      from,
      sdp: offer.sdp,
      hasKpml,
      isInResponse: request !== undefined,
      isDelayed: this.#plan === undefined ? request !== undefined : this.#wasDelayed,
      inserted,
      forwarded: undefined,
      answer: undefined,
      preview: undefined,
    };
    return factsOf(offer.sdp, true, offer.switchedOff);
  }

  /** The offer as the other leg gets it; `local[i]` are our ports on that leg for m-line i. */
  forwardOffer(local: LocalByMedia): ForwardedOffer {
    const state = this.#state;
    if (state.type === 'idle') throw new Error('no offer to forward');
    const sdp = state.type === 'offered' ? state.sdp : state.insertion;
    const decision = decideForOffer(this.#input, state, this.#kpml.announced);
    this.#decisions.add({ type: 'offer', from: state.from, decision });
    this.#kpml.advertise(state.from, state.hasKpml, decision.allowEvents);
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
      return { hasSdp: false, switchedOff: [] };
    }
    const family = this.#families?.[from];
    const received = text === undefined ? undefined : readAnswer(text, state.sdp, family);
    const sdp = received?.sdp ?? (isFinal ? state.preview : undefined);
    state.answer = { sdp, hasKpml };
    if (received !== undefined) state.preview = received.sdp;
    return { hasSdp: sdp !== undefined, switchedOff: received?.switchedOff ?? [] };
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
    const decision = decideForAnswer(this.#input, state, state.answer, this.#kpml.announced);
    const { allowEvents } = decision;
    this.#decisions.add({ type: 'answer', from: otherSide(state.from), decision });
    this.#kpml.advertise(otherSide(state.from), hasKpml, allowEvents);
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
    if (this.#agreed === undefined) throw new Error('no offer to take up again');
    this.#state = reopened(this.#agreed);
  }

  /** The offer under way failed: what was agreed before stays in force. */
  abandonOffer(): void {
    this.#state = { type: 'idle' };
    this.#issued.caller.abandon();
    this.#issued.callee.abandon();
  }

  /** What `to` was told last, to be offered to it once more; only between exchanges. Its owner is not told the answer. */
  repeatOffer(to: Side): string | undefined {
    const agreed = this.#agreed;
    if (agreed === undefined || this.#state.type !== 'idle') return undefined;
    const from = otherSide(to);
    const { own, ours } = agreed.legs[from];
    this.#state = repeatedOffer({ from, sdp: own, inserted: ours }, agreed.legs[to].ours);
    return agreed.legs[to].texts.ours;
  }

  /** `reader` has accepted a description that came to nothing: the next one it gets is a new version in any case. */
  renewVersion(reader: Side): void {
    this.#issued[reader].renew();
  }

  #receiveRequest(from: Side, hasKpml: boolean): OfferFacts {
    const { value } = this.#settings[from].addSdpInvite;
    const insertion = insertionFor(value, this.#agreed?.legs[from].own);
    this.#state = { type: 'requested', from, hasKpml, insertion, inserted: undefined };
    return factsOf(insertion, false);
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
    this.#kpml.agree(offer.from, offer.hasKpml);
    this.#kpml.agree(answerSide, offer.answer?.hasKpml ?? false);
    if (this.#plan === undefined) this.#wasDelayed = offer.isDelayed;
    this.#state = { type: 'idle' };
    this.#exchanges += 1;
    this.#issued.caller.agree();
    this.#issued.callee.agree();
    const voice = acceptedVoice(exchange);
    const digitStream = voice ?? this.#agreed?.digitStream;
    this.#agreed = agreedOn(offer, exchange.legs, digitStream);
    // Audio switched off for a while (hold by port 0, fax) keeps translators and subscriptions.
    if (voice === undefined && this.#plan !== undefined) return this.#plan;
    const plan = planOf(this.#input, {
      exchange,
      voice,
      kpml: this.#kpml,
      isDelayedOffer: this.#wasDelayed,
    });
    this.#plan = plan;
    this.#decisions.add({ type: 'plan', plan });
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
      offerAllowEventsKpml: this.#kpml.isAnnounced(to),
      answerHasTelephoneEvent: isRepeat
        ? hasEvents(digitSection(agreed.legs[from].own))
        : undefined,
      allowEventsKpml: hasKpml,
    });
    const { allowEvents } = decision;
    this.#kpml.advertise(from, hasKpml, allowEvents);
    const sdp = isRepeat ? agreed.legs[to].texts.ours : undefined;
    return { sdp, allowEvents, decision, streams: [], plan: undefined };
  }

  #noteRemotes(streams: readonly (StreamUpdate | undefined)[]): void {
    for (const side of SIDES) {
      const told = streams.map((update) => update?.legs[side].remote);
      this.#remotes[side] = [...told, ...this.#remotes[side].slice(told.length)];
    }
  }
}
