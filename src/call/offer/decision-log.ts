import type { AnswerDecision, OfferDecision } from '../../dtmf/interworking-offer.ts';
import type { InterworkingPlan } from '../../dtmf/interworking-plan.ts';
import type { Side } from '../../wire/side.ts';

/** What was decided, in order, for explanations. */
export type DecisionRecord =
  | { readonly type: 'offer'; readonly from: Side; readonly decision: OfferDecision }
  | { readonly type: 'answer'; readonly from: Side; readonly decision: AnswerDecision }
  | { readonly type: 'plan'; readonly plan: InterworkingPlan };

/** Older records are dropped: a call of a day with session refreshes must not grow. */
const MAX_DECISIONS = 64;

/** The last decisions of a call. */
export class DecisionLog {
  #records: readonly DecisionRecord[] = [];

  get records(): readonly DecisionRecord[] {
    return this.#records;
  }

  add(record: DecisionRecord): void {
    // No room for later ones: most calls never have any.
    this.#records = this.#records.slice(1 - MAX_DECISIONS).concat(record);
  }
}
