/** States of an account for tests. */

import type { AccountState, FeatureState } from '../../../src/feature-keys/feature-state.ts';
import type { Feature } from '../../../src/wire/feature-event.ts';

const OFF: FeatureState = {
  status: false,
  values: {},
  assigned: true,
  notify: true,
  locked: false,
  version: 0,
  updatedAt: '',
};

export const ALL_OFF: AccountState = {
  DoNotDisturb: OFF,
  CallForwardingAlways: OFF,
  CallForwardingBusy: OFF,
  CallForwardingNoAnswer: OFF,
};

/** `state` with something else in one feature. */
export function changed(
  state: AccountState,
  feature: Feature,
  part: Partial<FeatureState>,
): AccountState {
  return { ...state, [feature]: { ...state[feature], ...part } };
}
