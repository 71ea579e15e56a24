/**
 * Step 4 of the interworking decision: which translator carries digits in each direction once an
 * offer/answer exchange is complete, and who may subscribe to whom.
 *
 *   method of a leg: telephone-event negotiated -> 2833, else kpml-interworking -> kpml, else none
 *
 *   source   sink     translator
 *   2833     2833     rtp-relay      (and NOTIFY with the hairpin flag on the sink's leg)
 *   kpml     2833     kpml-to-2833   we subscribe to the source
 *   2833     kpml     2833-to-kpml   the sink subscribes to us; kpml-relay when the source itself
 *                                    announced kpml and the hairpin flag is off
 *   kpml     kpml     kpml-relay     when the source announced kpml
 *   other             none           digits are dropped and counted
 *
 * A leg in dual mode takes part in no KPML translation. The decision is made anew after every
 * completed exchange.
 */

import { otherSide, SIDES } from '../wire/side.ts';
import type { Side } from '../wire/side.ts';
import { describeKpml, describeMode, isDual, isPreferred } from './interworking-legs.ts';
import type { KpmlAdvertised, Negotiated, PlanInput } from './interworking-legs.ts';
import { rowOf } from './interworking-rows.ts';

export type Translator = 'rtp-relay' | 'kpml-to-2833' | '2833-to-kpml' | 'kpml-relay' | 'none';

/** What carries the digits of one side to the other one. */
export interface DirectionPlan {
  readonly translator: Translator;
  /** Hairpin: presses are notified as well, if the sink has subscribed. */
  readonly alsoNotify: boolean;
  /** Row of the decision table; `-` when none fits. */
  readonly row: string;
  readonly rule: string;
  readonly reason: string;
  /** What would have to change for digits to cross; only with translator `none`. */
  readonly wouldCross?: string;
}

export interface InterworkingPlan {
  readonly callerToCallee: DirectionPlan;
  readonly calleeToCaller: DirectionPlan;
  /** Sides we subscribe to. */
  readonly subscribeTo: readonly Side[];
  /** Sides whose SUBSCRIBE we answer ourselves. */
  readonly acceptSubscribeFrom: readonly Side[];
  /** Sides whose SUBSCRIBE goes to the other leg. Of all other sides it is refused with 489. */
  readonly relaySubscribeFrom: readonly Side[];
}

type Method = '2833' | 'kpml' | 'none';

type Outcome = Omit<DirectionPlan, 'row'>;

/** The plan of a call after a completed offer/answer exchange. */
export function decidePlan(input: PlanInput, negotiated: Negotiated): InterworkingPlan {
  const forward = decideDirection(input, negotiated, 'caller');
  const backward = decideDirection(input, negotiated, 'callee');
  const outcomes: Readonly<Record<Side, Outcome>> = { caller: forward, callee: backward };
  const subscribeTo = SIDES.filter((side) => outcomes[side].translator === 'kpml-to-2833');
  const acceptSubscribeFrom = SIDES.filter((side) => {
    const { translator, alsoNotify } = outcomes[otherSide(side)];
    return translator === '2833-to-kpml' || alsoNotify;
  });
  const relaySubscribeFrom = SIDES.filter(
    (side) =>
      !acceptSubscribeFrom.includes(side) &&
      !subscribeTo.includes(otherSide(side)) &&
      hasSeenToken(input, negotiated, side),
  );
  const row = mainRow(input, negotiated);
  return {
    callerToCallee: { ...forward, row },
    calleeToCaller: { ...backward, row: reverseRow(backward, row) },
    subscribeTo,
    acceptSubscribeFrom,
    relaySubscribeFrom,
  };
}

/** What becomes of a SUBSCRIBE that arrives before the plan is known. */
export type EarlySubscribe = 'pending' | 'relay' | 'refuse';

/** Answered as pending where we advertised kpml ourselves, refused where nobody did. */
export function decideEarlySubscribe(advertised: KpmlAdvertised): EarlySubscribe {
  if (advertised === 'by-us') return 'pending';
  return advertised === 'passed' ? 'relay' : 'refuse';
}

function decideDirection(input: PlanInput, negotiated: Negotiated, source: Side): Outcome {
  if (!negotiated.hasAudio) {
    return nothing('R6', 'no audio was accepted', 'an audio section with a voice codec');
  }
  const sink = otherSide(source);
  const sourceMethod = methodOf(input, negotiated, source);
  const sinkMethod = methodOf(input, negotiated, sink);
  if (sinkMethod === '2833') {
    if (sourceMethod === '2833') return decideRelay(input, source);
    if (sourceMethod === 'kpml') return decideToEvents(input, source);
  }
  if (sinkMethod === 'kpml') {
    const hasToken = hasSeenToken(input, negotiated, sink);
    if (sourceMethod === '2833') return decideToKpml(input, source, hasToken);
    if (hasToken) return relayedKpml(source);
  }
  return explainNothing(input, negotiated, source);
}

function decideRelay(input: PlanInput, source: Side): Outcome {
  const sink = otherSide(source);
  const alsoNotify = isHairpin(input, sink) && isPreferred(input, source);
  const reason = alsoNotify
    ? `both legs negotiated telephone-event; kpmlRFC2833-iwf-on-hairpin on the ${sink}'s leg`
    : 'both legs negotiated telephone-event';
  return { translator: 'rtp-relay', alsoNotify, rule: alsoNotify ? 'R15' : 'R13', reason };
}

function decideToEvents(input: PlanInput, source: Side): Outcome {
  const sink = otherSide(source);
  if (isDual(input, source) || isDual(input, sink)) return dualNothing(input, source);
  return {
    translator: 'kpml-to-2833',
    alsoNotify: isHairpin(input, sink),
    rule: 'R7, R8',
    reason: `the ${source} has no telephone-event, ${describeKpml(input, source)}; the ${sink} negotiated telephone-event`,
  };
}

function decideToKpml(input: PlanInput, source: Side, hasToken: boolean): Outcome {
  const sink = otherSide(source);
  if (isDual(input, source) || isDual(input, sink)) return dualNothing(input, source);
  if (hasToken && !isHairpin(input, sink)) return relayedKpml(source);
  return {
    translator: '2833-to-kpml',
    alsoNotify: false,
    rule: hasToken ? 'R15' : 'R10, R11',
    reason: `the ${source} negotiated telephone-event; the ${sink} has none, ${describeKpml(input, sink)}`,
  };
}

function relayedKpml(source: Side): Outcome {
  return {
    translator: 'kpml-relay',
    alsoNotify: false,
    rule: '§5.2',
    reason: `the ${source} announced kpml itself: the ends subscribe to each other through us`,
  };
}

function explainNothing(input: PlanInput, negotiated: Negotiated, source: Side): Outcome {
  const sink = otherSide(source);
  const sourceMethod = methodOf(input, negotiated, source);
  const sinkMethod = methodOf(input, negotiated, sink);
  if (negotiated[source].ownTelephoneEvent && !negotiated[source].telephoneEvent) {
    return nothing(
      'R3',
      `the ${sink} refused telephone-event and the refusal was passed to the ${source}: ${describeMode(input, source)}`,
      `set rfc2833-mode preferred on the ${source}'s leg`,
    );
  }
  if (sourceMethod === 'none') {
    return nothing(
      'R7',
      `the ${source} has no telephone-event, ${describeKpml(input, source)}`,
      `set kpml-interworking enabled on the ${source}'s leg, if the ${source} speaks KPML`,
    );
  }
  if (sinkMethod === 'kpml') {
    return nothing(
      '§5.2',
      `neither leg negotiated telephone-event and the ${source} did not announce kpml`,
      `let the ${source} announce kpml, or the ${sink} accept telephone-event with rfc2833-mode preferred on its leg`,
    );
  }
  if (isDual(input, sink)) return dualNothing(input, source);
  if (sourceMethod === 'kpml' && !isPreferred(input, sink)) {
    return nothing(
      'R7',
      `telephone-event was not offered to the ${sink}: ${describeMode(input, sink)}`,
      `set rfc2833-mode preferred on the ${sink}'s leg`,
    );
  }
  return nothing(
    sourceMethod === 'kpml' ? 'R7' : 'R6',
    `the ${sink} has no telephone-event, ${describeKpml(input, sink)}`,
    `the ${sink} must accept telephone-event, or set kpml-interworking enabled on its leg if it speaks KPML`,
  );
}

function dualNothing(input: PlanInput, source: Side): Outcome {
  const side = isDual(input, source) ? source : otherSide(source);
  return nothing(
    'R5',
    `dual takes part in no KPML translation: ${describeMode(input, side)}`,
    `set rfc2833-mode preferred on the ${side}'s leg`,
  );
}

function nothing(rule: string, reason: string, wouldCross: string): Outcome {
  return { translator: 'none', alsoNotify: false, rule, reason, wouldCross };
}

function methodOf(input: PlanInput, negotiated: Negotiated, side: Side): Method {
  if (negotiated[side].telephoneEvent) return '2833';
  return input[side].kpmlInterworking.value && !isDual(input, side) ? 'kpml' : 'none';
}

/** The flag counts on the leg whose SUBSCRIBE is honoured and only with kpml-interworking there. */
function isHairpin(input: PlanInput, sink: Side): boolean {
  const { kpmlInterworking, kpmlOnHairpin } = input[sink];
  return kpmlInterworking.value && kpmlOnHairpin.value && !isDual(input, sink);
}

/** Whether the kpml token of the other party reached `side` through us. */
function hasSeenToken(input: PlanInput, negotiated: Negotiated, side: Side): boolean {
  return negotiated[otherSide(side)].allowEventsKpml && input[side].kpmlInterworking.value;
}

function mainRow(input: PlanInput, negotiated: Negotiated): string {
  return rowOf(input, {
    isDelayedOffer: negotiated.isDelayedOffer,
    callerKpml: negotiated.caller.allowEventsKpml,
    callerTelephoneEvent: negotiated.caller.ownTelephoneEvent,
    calleeKpml: negotiated.callee.allowEventsKpml,
    calleeTelephoneEvent: negotiated.callee.ownTelephoneEvent,
  });
}

/** Digits from the callee have rows of their own where they are translated. */
function reverseRow(backward: Outcome, row: string): string {
  if (row === 'C1') return row;
  if (backward.translator === 'kpml-to-2833') return 'X1';
  return backward.translator === '2833-to-kpml' ? 'X2' : row;
}
