/** Whole accounts made of single features, and the values that the history shows. */

import { FEATURES, type Feature } from '../../wire/feature-event.ts';
import type { AccountState, FeatureState, FeatureValues, HistoryValue } from '../feature-state.ts';

/** Stands for every account where a store cannot say which have changed. */
export const ALL_ACCOUNTS = '*';

/** A feature that nobody ever changed. */
export const NEVER_CHANGED: FeatureState = {
  status: false,
  values: {},
  assigned: true,
  notify: true,
  locked: false,
  version: 0,
  updatedAt: '',
};

/** All four features, each as `of` gives it. */
export function accountOf<T>(of: (feature: Feature) => T): Readonly<Record<Feature, T>> {
  return {
    DoNotDisturb: of('DoNotDisturb'),
    CallForwardingAlways: of('CallForwardingAlways'),
    CallForwardingBusy: of('CallForwardingBusy'),
    CallForwardingNoAnswer: of('CallForwardingNoAnswer'),
  };
}

/** The four features as they arrive, in the order of FEATURES. */
export async function accountFrom<T>(
  of: (feature: Feature) => Promise<T>,
): Promise<Readonly<Record<Feature, T>>> {
  const [dnd, always, busy, noAnswer] = await Promise.all([
    of(FEATURES[0]),
    of(FEATURES[1]),
    of(FEATURES[2]),
    of(FEATURES[3]),
  ]);
  return {
    DoNotDisturb: dnd,
    CallForwardingAlways: always,
    CallForwardingBusy: busy,
    CallForwardingNoAnswer: noAnswer,
  };
}

export const DEFAULT_ACCOUNT: AccountState = accountOf(() => NEVER_CHANGED);

export function historyValue(state: {
  readonly status: boolean;
  readonly values: FeatureValues;
}): HistoryValue {
  return { status: state.status, ...state.values };
}

/** Values without the members that are not there. */
export function featureValues(
  forwardTo: string | null | undefined,
  ringCount: number | null | undefined,
): FeatureValues {
  return {
    ...(forwardTo === null || forwardTo === undefined ? {} : { forwardTo }),
    ...(ringCount === null || ringCount === undefined ? {} : { ringCount }),
  };
}

export function sameValue(left: HistoryValue, right: HistoryValue): boolean {
  return (
    left.status === right.status &&
    left.forwardTo === right.forwardTo &&
    left.ringCount === right.ringCount
  );
}

/** Nobody has changed the feature between the reading of one and that of the other. */
export function isSameState(left: FeatureState, right: FeatureState): boolean {
  return (
    left.version === right.version &&
    left.assigned === right.assigned &&
    left.locked === right.locked &&
    sameValue(historyValue(left), historyValue(right))
  );
}
