/** What phones, history and API see of the state of an account. */

import { FEATURES } from '../wire/feature-event.ts';
import type { Feature, FeatureReport } from '../wire/feature-event.ts';
import type { AccountState, FeatureState, HistoryValue } from './feature-state.ts';

/**
 * The documents of a full NOTIFY, in their order.
 *
 * @returns none when no feature is assigned, or when the store wants none of them named this time.
 */
export function fullReports(state: AccountState, defaultRings: number): readonly FeatureReport[] {
  return FEATURES.filter((feature) => state[feature].assigned && state[feature].notify).map(
    (feature) => reportOf(feature, state[feature], defaultRings),
  );
}

/** The documents of a partial NOTIFY, in the order of a full one. */
export function partialReports(
  state: AccountState,
  features: ReadonlySet<Feature>,
  defaultRings: number,
): readonly FeatureReport[] {
  return FEATURES.filter((feature) => features.has(feature) && state[feature].assigned).map(
    (feature) => reportOf(feature, state[feature], defaultRings),
  );
}

/** Only CallForwardingNoAnswer has a ring count, and it always has one. */
export function reportOf(
  feature: Feature,
  state: FeatureState,
  defaultRings: number,
): FeatureReport {
  if (feature === 'DoNotDisturb') return { feature, status: state.status };
  const { forwardTo, ringCount } = state.values;
  return {
    feature,
    status: state.status,
    ...(forwardTo === undefined ? {} : { forwardTo }),
    ...(feature === 'CallForwardingNoAnswer' ? { ringCount: ringCount ?? defaultRings } : {}),
  };
}

export function historyValue(state: FeatureState): HistoryValue {
  return { status: state.status, ...state.values };
}

/** The features whose value or assignment differs between two states of one account. */
export function changedFeatures(old: AccountState, fresh: AccountState): readonly Feature[] {
  return FEATURES.filter(
    (feature) =>
      old[feature].assigned !== fresh[feature].assigned ||
      !isSameValue(old[feature], fresh[feature]),
  );
}

/** Compares what a phone would be shown; flags and version do not count. */
export function isSameValue(
  one: Pick<FeatureState, 'status' | 'values'>,
  other: Pick<FeatureState, 'status' | 'values'>,
): boolean {
  return (
    one.status === other.status &&
    one.values.forwardTo === other.values.forwardTo &&
    one.values.ringCount === other.values.ringCount
  );
}
