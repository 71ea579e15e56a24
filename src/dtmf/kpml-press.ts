/** One key press on its way through the subscriptions of a leg. */

import type { KpmlKey } from '../wire/kpml.ts';
import type { CollectedKey } from './digit-pattern-collector.ts';

/** Why a press was reported to nobody. */
export type PressDropReason =
  | 'no-subscription'
  | 'no-match'
  | 'buffer-overflow'
  | 'subscription-ended';

/** Shared by all subscriptions that heard the press, so that its fate is told once. */
export class KpmlPress {
  readonly pressId: string;
  readonly key: KpmlKey;
  #holderCount: number;
  #isReported = false;

  constructor(pressId: string, key: KpmlKey, holderCount: number) {
    this.pressId = pressId;
    this.key = key;
    this.#holderCount = holderCount;
  }

  /** A NOTIFY with this press left. */
  report(): void {
    this.#isReported = true;
    this.#holderCount -= 1;
  }

  /** One subscription gave it up. Returns whether it is lost: the last one did and none reported it. */
  drop(): boolean {
    this.#holderCount -= 1;
    return this.#holderCount <= 0 && !this.#isReported;
  }
}

/** A press whose length class is known, as a document sees it. */
export interface PressedKey extends CollectedKey {
  readonly press: KpmlPress;
}
