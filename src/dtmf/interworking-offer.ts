/**
 * Steps 2 and 3 of the interworking decision: what happens to telephone-event and to the kpml
 * token of Allow-Events when an SDP, or a message without one, passes from one leg to the other.
 *
 *   offer   telephone-event is inserted where the receiving leg is `preferred` (R2)
 *   answer  telephone-event is kept towards an offerer whose leg is `preferred` (R2)
 *   kpml    removed towards a leg without kpml-interworking (R9), added where the sender has
 *           telephone-event, or sends its digits by INFO, and the receiving leg kpml-interworking (R10)
 */

import type { AllowEventsEdit } from '../wire/allow-events.ts';
import { otherSide } from '../wire/side.ts';
import type { Side } from '../wire/side.ts';
import {
  describeInfo,
  describeKpml,
  describeMode,
  isDual,
  isPreferred,
  readsInfo,
} from './interworking-legs.ts';
import type { PlanInput } from './interworking-legs.ts';
import { describeRows } from './interworking-rows.ts';

export interface OfferFacts {
  readonly offerSide: Side;
  /** `undefined`: the message has no SDP. */
  readonly offerHasTelephoneEvent: boolean | undefined;
  /** The message announces kpml. */
  readonly allowEventsKpml: boolean;
  /** False when the SDP has no audio section with a voice codec. Default true. */
  readonly hasAudio?: boolean;
  /** The offer answers a request without SDP and so travels in a response. Default false. */
  readonly isInResponse?: boolean;
  /** The audio is offered as SRTP: its telephone-events are the ends' own affair. Default false. */
  readonly isSrtp?: boolean;
  /** With `isInResponse`: the request without SDP announced kpml. */
  readonly requestAllowEventsKpml?: boolean;
}

export interface OfferDecision {
  readonly insertTelephoneEvent: boolean;
  /** The payload type to insert with, unless it is taken. */
  readonly payloadType: number;
  readonly allowEvents: AllowEventsEdit;
  /** Rows still possible, such as `K1/K3`; `-` when none fits. */
  readonly row: string;
  readonly rule: string;
  readonly reason: string;
}

export interface AnswerFacts {
  readonly offerSide: Side;
  readonly offerHasTelephoneEvent: boolean;
  readonly offerAllowEventsKpml: boolean;
  /** `undefined`: the message has no SDP. */
  readonly answerHasTelephoneEvent: boolean | undefined;
  /** The answering side announces kpml. */
  readonly allowEventsKpml: boolean;
  /** False when no audio section with a voice codec was accepted. Default true. */
  readonly hasAudio?: boolean;
  /** The audio is SRTP: its telephone-events are the ends' own affair. Default false. */
  readonly isSrtp?: boolean;
  /** The INVITE came without SDP. Default false. */
  readonly isDelayedOffer?: boolean;
}

export interface AnswerDecision {
  /** Telephone-event goes to the offerer although the answer lacks it. */
  readonly keepTelephoneEvent: boolean;
  readonly allowEvents: AllowEventsEdit;
  readonly row: string;
  readonly rule: string;
  readonly reason: string;
}

interface Choice<T> {
  readonly value: T;
  readonly rule: string;
  readonly reason: string;
}

/** What to do with an offer, or with a request that leaves the offer to the other side. */
export function decideOffer(input: PlanInput, facts: OfferFacts): OfferDecision {
  if (facts.isSrtp === true && facts.offerHasTelephoneEvent === true) {
    return decideOffer(input, { ...facts, offerHasTelephoneEvent: false });
  }
  const to = otherSide(facts.offerSide);
  const insertion = chooseInsertion(input, facts, to);
  const allowEvents = chooseForOffer(input, facts, to);
  return {
    insertTelephoneEvent: insertion.value,
    payloadType: input[to].rfc2833Payload.value,
    allowEvents: allowEvents.value,
    row: describeRows(input, offerRowFacts(facts)),
    ...explain(insertion, allowEvents),
  };
}

/** What to do with an answer, or with a response that has none. */
export function decideAnswer(input: PlanInput, given: AnswerFacts): AnswerDecision {
  const facts = given.isSrtp === true ? withoutEvents(given) : given;
  const keeping = chooseKeeping(input, facts);
  const allowEvents = chooseForAnswer(input, facts);
  const isFromCaller = facts.offerSide === 'caller';
  const { offerHasTelephoneEvent, offerAllowEventsKpml } = facts;
  const { answerHasTelephoneEvent, allowEventsKpml } = facts;
  return {
    keepTelephoneEvent: keeping.value,
    allowEvents: allowEvents.value,
    row: describeRows(input, {
      isDelayedOffer: facts.isDelayedOffer ?? false,
      callerTelephoneEvent: isFromCaller ? offerHasTelephoneEvent : answerHasTelephoneEvent,
      calleeTelephoneEvent: isFromCaller ? answerHasTelephoneEvent : offerHasTelephoneEvent,
      callerKpml: isFromCaller ? offerAllowEventsKpml : allowEventsKpml,
      calleeKpml: isFromCaller ? allowEventsKpml : offerAllowEventsKpml,
    }),
    ...explain(keeping, allowEvents),
  };
}

function withoutEvents(facts: AnswerFacts): AnswerFacts {
  const answer = facts.answerHasTelephoneEvent === undefined ? undefined : false;
  return { ...facts, offerHasTelephoneEvent: false, answerHasTelephoneEvent: answer };
}

const INSIDE_SRTP: Choice<boolean> = {
  value: false,
  rule: 'R4',
  reason: 'telephone-event inside SRTP passes as the ends agree on it',
};

function chooseInsertion(input: PlanInput, facts: OfferFacts, to: Side): Choice<boolean> {
  if (facts.isSrtp === true) return INSIDE_SRTP;
  if (facts.offerHasTelephoneEvent === undefined) {
    return { value: false, rule: 'R14', reason: 'no SDP to insert telephone-event into' };
  }
  if (facts.offerHasTelephoneEvent) {
    return { value: false, rule: 'R4', reason: 'the offered telephone-event is forwarded' };
  }
  if (facts.hasAudio === false) {
    return { value: false, rule: 'R2', reason: 'no audio to insert telephone-event for' };
  }
  if (input.codecPolicyTouchedTelephoneEvent === true) {
    const reason = 'a codec policy decided on telephone-event, rfc2833-mode is not used';
    return { value: false, rule: 'R1', reason };
  }
  if (isPreferred(input, to)) {
    const reason = `telephone-event is inserted for ${describeMode(input, to)}`;
    return { value: true, rule: 'R2', reason };
  }
  const rule = isDual(input, to) ? 'R5' : 'R3';
  return { value: false, rule, reason: `nothing is inserted for ${describeMode(input, to)}` };
}

function chooseForOffer(input: PlanInput, facts: OfferFacts, to: Side): Choice<AllowEventsEdit> {
  const given = chooseByToken(input, facts.allowEventsKpml, to);
  if (given !== undefined) return given;
  const from = facts.offerSide;
  if (isDual(input, from) || isDual(input, to)) {
    return { value: 'keep', rule: 'R5', reason: 'dual mode takes part in no KPML translation' };
  }
  const add: Choice<AllowEventsEdit> = {
    value: 'add-kpml',
    rule: 'R10',
    reason: `kpml is added: the ${from} uses telephone-event, ${describeKpml(input, to)}`,
  };
  const { offerHasTelephoneEvent, isInResponse } = facts;
  // Where nobody can answer later, only an offerer that keeps telephone-event whatever comes is
  // a source of digits.
  const isCertain = isPreferred(input, from) || (offerHasTelephoneEvent === true && !isInResponse);
  if (offerHasTelephoneEvent !== false && isCertain) return add;
  if (readsInfo(input, from)) return addForInfo(input, from);
  const reason = `the ${from} does not use telephone-event, so there is nothing to notify`;
  return { value: 'keep', rule: 'R10', reason };
}

function chooseKeeping(input: PlanInput, facts: AnswerFacts): Choice<boolean> {
  const { offerSide } = facts;
  if (facts.isSrtp === true) return INSIDE_SRTP;
  if (facts.answerHasTelephoneEvent === undefined) {
    return { value: false, rule: 'R14', reason: 'no SDP' };
  }
  if (facts.answerHasTelephoneEvent) {
    const reason = facts.offerHasTelephoneEvent
      ? 'telephone-event was accepted'
      : `telephone-event was accepted; the ${offerSide} did not offer it and does not see it`;
    return { value: false, rule: 'R4', reason };
  }
  if (!facts.offerHasTelephoneEvent) {
    const reason = 'an answer cannot list telephone-event that was not offered';
    return { value: false, rule: 'R4', reason };
  }
  if (facts.hasAudio === false) {
    return { value: false, rule: 'R2', reason: 'no audio was accepted' };
  }
  if (input.codecPolicyTouchedTelephoneEvent === true) {
    const reason = 'a codec policy decided on telephone-event, rfc2833-mode is not used';
    return { value: false, rule: 'R1', reason };
  }
  if (isPreferred(input, offerSide)) {
    const reason = `refused telephone-event is kept for ${describeMode(input, offerSide)}`;
    return { value: true, rule: 'R2', reason };
  }
  const rule = isDual(input, offerSide) ? 'R5' : 'R3';
  const reason = `the refusal of telephone-event is passed on for ${describeMode(input, offerSide)}`;
  return { value: false, rule, reason };
}

function chooseForAnswer(input: PlanInput, facts: AnswerFacts): Choice<AllowEventsEdit> {
  const to = facts.offerSide;
  const given = chooseByToken(input, facts.allowEventsKpml, to);
  if (given !== undefined) return given;
  const from = otherSide(to);
  if (isDual(input, from) || isDual(input, to)) {
    return { value: 'keep', rule: 'R5', reason: 'dual mode takes part in no KPML translation' };
  }
  if (facts.answerHasTelephoneEvent === true && !facts.offerHasTelephoneEvent) {
    const reason = `kpml is added: the ${from} uses telephone-event, ${describeKpml(input, to)}`;
    return { value: 'add-kpml', rule: 'X2', reason };
  }
  if (facts.answerHasTelephoneEvent === undefined && isInsertedFor(input, facts)) {
    // A response without SDP leaves the answer open; a SUBSCRIBE that comes now is held as pending.
    const reason = `kpml is added: telephone-event was inserted towards the ${from}, ${describeKpml(input, to)}`;
    return { value: 'add-kpml', rule: 'X2', reason };
  }
  const { offerHasTelephoneEvent: isOffered, answerHasTelephoneEvent: isAccepted } = facts;
  const hearsEvents = isOffered && (isAccepted !== false || isPreferred(input, to));
  if (readsInfo(input, from) && !hearsEvents) return addForInfo(input, from);
  const reason = `no telephone-event of the ${from} to notify the ${to} of`;
  return { value: 'keep', rule: 'X2', reason };
}

/** Digits that `from` sends by INFO can be notified as well. */
function addForInfo(input: PlanInput, from: Side): Choice<AllowEventsEdit> {
  const to = otherSide(from);
  const reason = `kpml is added: ${describeInfo(input, from)}, ${describeKpml(input, to)}`;
  return { value: 'add-kpml', rule: 'I2', reason };
}

/** Whether the offer went on with telephone-event that the offerer did not bring (R2, R7). */
function isInsertedFor(input: PlanInput, facts: AnswerFacts): boolean {
  if (facts.offerHasTelephoneEvent || facts.isDelayedOffer === true) return false;
  if (facts.isSrtp === true) return false;
  if (facts.hasAudio === false || input.codecPolicyTouchedTelephoneEvent === true) return false;
  return isPreferred(input, otherSide(facts.offerSide));
}

/** What follows from the token alone; `undefined` when the message has none and could get one. */
function chooseByToken(
  input: PlanInput,
  hasToken: boolean,
  to: Side,
): Choice<AllowEventsEdit> | undefined {
  const isOn = input[to].kpmlInterworking.value;
  if (hasToken && !isOn) {
    const reason = `kpml is removed: ${describeKpml(input, to)}`;
    return { value: 'remove-kpml', rule: 'R9', reason };
  }
  if (hasToken) {
    return { value: 'keep', rule: 'R9', reason: `kpml is passed: ${describeKpml(input, to)}` };
  }
  if (isOn) return undefined;
  return { value: 'keep', rule: 'R10', reason: `kpml is not added: ${describeKpml(input, to)}` };
}

function offerRowFacts(facts: OfferFacts): Parameters<typeof describeRows>[1] {
  const { offerSide, allowEventsKpml, offerHasTelephoneEvent } = facts;
  if (offerSide === 'caller') {
    return {
      isDelayedOffer: offerHasTelephoneEvent === undefined,
      callerKpml: allowEventsKpml,
      callerTelephoneEvent: offerHasTelephoneEvent,
      calleeKpml: undefined,
      calleeTelephoneEvent: undefined,
    };
  }
  return {
    isDelayedOffer: facts.isInResponse ?? false,
    callerKpml: facts.requestAllowEventsKpml ?? false,
    callerTelephoneEvent: undefined,
    calleeKpml: allowEventsKpml,
    calleeTelephoneEvent: offerHasTelephoneEvent,
  };
}

function explain(
  sdp: Choice<boolean>,
  allowEvents: Choice<AllowEventsEdit>,
): { rule: string; reason: string } {
  const rules = new Set([sdp.rule, allowEvents.rule]);
  return { rule: [...rules].join(', '), reason: `${sdp.reason}; ${allowEvents.reason}` };
}
