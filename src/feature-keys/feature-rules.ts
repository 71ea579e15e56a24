/** The part of the `feature-keys` section that the write path goes by, and what is derived from it. */

import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { Presentity } from './feature-state.ts';
import { DomainTable } from './presentity.ts';
import { TargetPolicy } from './target-policy.ts';

export type FeatureRules = Pick<
  FeatureKeysConfig,
  'defaultRings' | 'loopGuard' | 'targets' | 'domains'
> & { readonly provider: Pick<FeatureKeysConfig['provider'], 'deadlineMs'> };

/** Asks for the rules at every use, so that a reload reaches the next request. */
export class CurrentRules {
  readonly #config: () => FeatureRules;
  readonly #isRoutable: ((presentity: Presentity, uri: string) => boolean) | undefined;
  #derived: { readonly from: FeatureRules; readonly policy: TargetPolicy } | undefined;

  constructor(
    config: () => FeatureRules,
    isRoutable?: (presentity: Presentity, uri: string) => boolean,
  ) {
    this.#config = config;
    this.#isRoutable = isRoutable;
  }

  get deadlineMs(): number {
    return this.#config().provider.deadlineMs;
  }

  get loopGuard(): FeatureRules['loopGuard'] {
    return this.#config().loopGuard;
  }

  get targets(): TargetPolicy {
    const config = this.#config();
    if (this.#derived?.from !== config) {
      const domains = new DomainTable(config.domains);
      this.#derived = {
        from: config,
        policy: new TargetPolicy(config.targets, domains, this.#isRoutable),
      };
    }
    return this.#derived.policy;
  }
}
