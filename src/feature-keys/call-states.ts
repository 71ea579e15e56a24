/** Feature state for calls in set-up: quick, and rather old than none. */

import type { FeatureAccounts } from './feature-accounts.ts';
import type { ReadOutcome } from './feature-service.ts';
import type { AccountState, Presentity } from './feature-state.ts';

const CALL_DEADLINE_MS = 500;

/** How long a state counts at most: not every store says what others have changed. */
const CACHE_MS = 1000;

export interface CallStatesOptions {
  readonly accounts: FeatureAccounts;
  readonly read: (presentity: Presentity) => Promise<ReadOutcome>;
}

export class CallStates {
  readonly #options: CallStatesOptions;
  /** Calls that come while a reading is under way share it. */
  readonly #readings = new Map<Presentity, Promise<ReadOutcome>>();

  constructor(options: CallStatesOptions) {
    this.#options = options;
  }

  /** @returns the last known state when the store does not answer within 500 ms; `undefined`: there is none. */
  async stateOf(presentity: Presentity): Promise<AccountState | undefined> {
    const { accounts } = this.#options;
    const known = accounts.known(presentity);
    if (known?.isFresh === true && Date.now() - known.seenAtMs < CACHE_MS) return known.state;
    const outcome = await this.#readQuickly(presentity);
    if (outcome?.type === 'state') return outcome.state;
    if (outcome?.type === 'unknown-account') return undefined;
    return accounts.known(presentity)?.state;
  }

  async #readQuickly(presentity: Presentity): Promise<ReadOutcome | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      resolve(undefined);
    }, CALL_DEADLINE_MS);
    try {
      return await Promise.race([this.#reading(presentity), promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #reading(presentity: Presentity): Promise<ReadOutcome> {
    const underWay = this.#readings.get(presentity);
    if (underWay !== undefined) return underWay;
    const reading = this.#options.read(presentity).finally(() => {
      this.#readings.delete(presentity);
    });
    this.#readings.set(presentity, reading);
    return reading;
  }
}
