/** What the write path counts; whoever keeps the metrics implements it. */

import type { Feature } from '../wire/feature-event.ts';
import type { FeatureSource } from './feature-state.ts';

export type UpdateResult = 'applied' | 'unchanged' | 'refused' | 'failed';

export type ProviderOperation = 'get' | 'set' | 'configure';

export type ProviderResult = 'ok' | 'unknown-account' | 'error' | 'timeout';

export interface FeatureCounters {
  updated(feature: Feature, source: FeatureSource, result: UpdateResult): void;
  providerAnswered(operation: ProviderOperation, result: ProviderResult, seconds: number): void;
  loopGuardTripped(): void;
}

export const NO_COUNTERS: FeatureCounters = {
  updated() {},
  providerAnswered() {},
  loopGuardTripped() {},
};
