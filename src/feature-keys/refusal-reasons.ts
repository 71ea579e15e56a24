import type { RefusalCode } from './feature-service.ts';

/** Why a set was not granted, in words for people. */
export const REFUSAL_REASONS: Readonly<Record<RefusalCode, string>> = {
  locked: 'the feature is locked',
  unassigned: 'the account does not have the feature',
  'no-target': 'no number given and none stored',
  'target-forbidden': 'calls may not be forwarded there',
  'target-self': 'calls cannot be forwarded to the account itself',
  'ring-count': 'the ring count is neither 0 nor 2 to 20',
  'loop-guard': 'changed too often',
  provider: 'refused by the store',
};
