/**
 * Step 4 of the interworking decision: which translator carries digits in each direction once an
 * offer/answer exchange is complete, and who may subscribe to whom.
 *
 * What each leg uses is in interworking-methods.ts.
 *
 *   source   sink     translator
 *   2833     2833     rtp-relay      (and NOTIFY with the hairpin flag on the sink's leg)
 *   kpml     2833     kpml-to-2833   we subscribe to the source
 *   2833     kpml     2833-to-kpml   the sink subscribes to us; kpml-relay when the source itself
 *                                    announced kpml and the hairpin flag is off
 *   kpml     kpml     kpml-relay     when the source announced kpml
 *   info     2833     info-to-2833
 *   info     kpml     info-to-kpml   the sink subscribes to us; kpml-relay as above
 *   2833     info     2833-to-info   one INFO per press, after its end
 *   kpml     info     kpml-to-info   we subscribe to the source
 *   info     info     info-relay     also where the sink has none of the three: INFO passes as it is
 *   other             none           digits are dropped and counted
 *
 * Inside SRTP nothing is read or written (interworking-srtp.ts). A leg in dual mode takes part in no KPML translation. The decision is made anew after every
 * completed exchange.
 */

import { otherSide, SIDES } from '../wire/side.ts';
import type { Side } from '../wire/side.ts';
import {
  describeInfo,
  describeKpml,
  describeMode,
  isDual,
  isPreferred,
} from './interworking-legs.ts';
import type { KpmlAdvertised, Negotiated, PlanInput } from './interworking-legs.ts';
import { sinkMethodOf, sourceMethodOf } from './interworking-methods.ts';
import { infoRowOf, NO_ROW, rowOf } from './interworking-rows.ts';
import {
  PASSING_UNSEEN,
  READABLE_ALTERNATIVES,
  UNREADABLE,
  visibleIn,
} from './interworking-srtp.ts';

export type Translator =
  | 'rtp-relay'
  | 'kpml-to-2833'
  | '2833-to-kpml'
  | 'kpml-relay'
  | 'info-to-2833'
  | 'info-to-kpml'
  | '2833-to-info'
  | 'kpml-to-info'
  | 'info-relay'
  | 'none';

/** Translators that need our subscription to the source, or the sink's to us, or send INFO. */
const FROM_KPML: readonly Translator[] = ['kpml-to-2833', 'kpml-to-info'];
const TO_KPML: readonly Translator[] = ['2833-to-kpml', 'info-to-kpml'];
const FROM_INFO: readonly Translator[] = ['info-to-2833', 'info-to-kpml', 'info-relay'];
const TO_INFO: readonly Translator[] = ['2833-to-info', 'kpml-to-info'];
const USING_INFO: readonly Translator[] = [...FROM_INFO, ...TO_INFO];

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

type Outcome = Omit<DirectionPlan, 'row'>;

/** The plan of a call after a completed offer/answer exchange. */
export function decidePlan(input: PlanInput, outcome: Negotiated): InterworkingPlan {
  const negotiated = visibleIn(outcome);
  const forward = decideDirection(input, negotiated, 'caller');
  const backward = decideDirection(input, negotiated, 'callee');
  const outcomes: Readonly<Record<Side, Outcome>> = { caller: forward, callee: backward };
  const subscribeTo = SIDES.filter((side) => FROM_KPML.includes(outcomes[side].translator));
  const acceptSubscribeFrom = SIDES.filter((side) => {
    const { translator, alsoNotify } = outcomes[otherSide(side)];
    return TO_KPML.includes(translator) || alsoNotify;
  });
  const relaySubscribeFrom = SIDES.filter(
    (side) =>
      !acceptSubscribeFrom.includes(side) &&
      !subscribeTo.includes(otherSide(side)) &&
      !TO_INFO.includes(outcomes[otherSide(side)].translator) &&
      hasSeenToken(input, negotiated, side),
  );
  const row = mainRow(input, negotiated);
  const infoRow = (side: Side): string | undefined =>
    row !== 'C1' && USING_INFO.includes(outcomes[side].translator)
      ? infoRowOf(
          sourceMethodOf(input, negotiated, side),
          sinkMethodOf(input, negotiated, otherSide(side)),
        )
      : undefined;
  return {
    callerToCallee: { ...forward, row: infoRow('caller') ?? row },
    calleeToCaller: { ...backward, row: infoRow('callee') ?? reverseRow(backward, row) },
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
  if (negotiated.srtp === 'with-events') {
    return { translator: 'rtp-relay', alsoNotify: false, rule: 'R13', reason: PASSING_UNSEEN };
  }
  const sink = otherSide(source);
  const sourceMethod = sourceMethodOf(input, negotiated, source);
  const sinkMethod = sinkMethodOf(input, negotiated, sink);
  if (sinkMethod === '2833') {
    if (sourceMethod === '2833') return decideRelay(input, source);
    if (sourceMethod === 'kpml') return decideToEvents(input, source);
  }
  if (sinkMethod === 'info') {
    if (sourceMethod === '2833' || sourceMethod === 'kpml') {
      return decideToInfo(input, source, sourceMethod);
    }
  }
  if (sourceMethod === 'info') return decideFromInfo(input, negotiated, source);
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

function decideToInfo(input: PlanInput, source: Side, method: '2833' | 'kpml'): Outcome {
  const sink = otherSide(source);
  if (method === 'kpml' && isDual(input, sink)) return dualNothing(input, source);
  const how =
    method === '2833' ? 'negotiated telephone-event' : `has none, ${describeKpml(input, source)}`;
  return {
    translator: method === '2833' ? '2833-to-info' : 'kpml-to-info',
    alsoNotify: false,
    rule: 'R6',
    reason: `the ${source} ${how}; the ${sink} has neither telephone-event nor KPML, ${describeInfo(input, sink)}`,
  };
}

/** Digits of a leg with neither telephone-event nor KPML; nothing else carries them. */
function decideFromInfo(input: PlanInput, negotiated: Negotiated, source: Side): Outcome {
  const sink = otherSide(source);
  const sinkMethod = sinkMethodOf(input, negotiated, sink);
  const from = `the ${source} has neither telephone-event nor KPML, ${describeInfo(input, source)}`;
  if (sinkMethod === '2833') {
    const reason = `${from}; the ${sink} negotiated telephone-event`;
    // With the hairpin flag on its leg the sink may have subscribed as well.
    const alsoNotify = isHairpin(input, sink);
    return { translator: 'info-to-2833', alsoNotify, rule: 'R6', reason };
  }
  if (sinkMethod === 'kpml') {
    if (isDual(input, source)) return dualNothing(input, source);
    if (hasSeenToken(input, negotiated, sink)) return relayedKpml(source);
    const reason = `${from}; the ${sink} has no telephone-event, ${describeKpml(input, sink)}`;
    return { translator: 'info-to-kpml', alsoNotify: false, rule: 'R6, R11', reason };
  }
  const reason =
    sinkMethod === 'info'
      ? `${from}; ${describeInfo(input, sink)}: INFO passes as it is`
      : `${from}; the ${sink} has nothing else, so INFO passes as it is: ${describeInfo(input, sink)}`;
  return { translator: 'info-relay', alsoNotify: false, rule: 'R6', reason };
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
  if (negotiated.srtp !== undefined) return nothing('R6', UNREADABLE, READABLE_ALTERNATIVES);
  const sink = otherSide(source);
  const sourceMethod = sourceMethodOf(input, negotiated, source);
  const sinkMethod = sinkMethodOf(input, negotiated, sink);
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
      `set kpml-interworking enabled on the ${source}'s leg, if the ${source} speaks KPML, or sip-info receive, if it sends INFO`,
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
    `the ${sink} must accept telephone-event, or set kpml-interworking enabled on its leg if it speaks KPML, or sip-info send if it takes INFO`,
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
  // The rows promise what telephone-events in plain RTP allow.
  if (negotiated.srtp !== undefined) return NO_ROW;
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
