/** States of an account for tests. */

import { NEVER_CHANGED } from '../../../src/feature-keys/providers/account-shape.ts';
import type { AccountState, FeatureState } from '../../../src/feature-keys/feature-state.ts';
import type { Feature } from '../../../src/wire/feature-event.ts';

export const ALL_OFF: AccountState = {
  DoNotDisturb: NEVER_CHANGED,
  CallForwardingAlways: NEVER_CHANGED,
  CallForwardingBusy: NEVER_CHANGED,
  CallForwardingNoAnswer: NEVER_CHANGED,
};

/** `state` with something else in one feature. */
export function changed(
  state: AccountState,
  feature: Feature,
  part: Partial<FeatureState>,
): AccountState {
  return { ...state, [feature]: { ...state[feature], ...part } };
}
