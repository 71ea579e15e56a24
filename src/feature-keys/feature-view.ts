/** What phones, history and API see of the state of an account. */

import { FEATURES } from '../wire/feature-event.ts';
import type { Feature, FeatureReport } from '../wire/feature-event.ts';
import type {
  AccountState,
  FeatureState,
  HistoryValue,
  RequestedFeature,
} from './feature-state.ts';

const MAX_SHOWN_LENGTH = 256;

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

/** What a request would have made of `current`, for the history of refusals; not judged, yet fit to be shown. */
export function requestedValue(
  feature: Feature,
  current: FeatureState,
  requested: RequestedFeature,
): HistoryValue {
  const { status } = requested;
  if (feature === 'DoNotDisturb') return { status };
  const { forwardTo = current.values.forwardTo, ringCount = current.values.ringCount } = requested;
  const isCount = feature === 'CallForwardingNoAnswer' && Number.isSafeInteger(ringCount);
  return {
    status,
    ...(typeof forwardTo === 'string' ? { forwardTo: shown(forwardTo) } : {}),
    ...(isCount && typeof ringCount === 'number' ? { ringCount } : {}),
  };
}

/** As much as a target may be long; nothing that acts on a terminal. */
function shown(text: string): string {
  return Array.from(text.slice(0, 2 * MAX_SHOWN_LENGTH))
    .slice(0, MAX_SHOWN_LENGTH)
    .join('')
    .replaceAll(/\p{C}/gu, '\u{fffd}');
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
