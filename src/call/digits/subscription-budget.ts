/** Subscriptions that all calls together may be held to; far more than calls can need. */
const DEFAULT_LIMIT = 20_000;

/** How many subscriptions peers hold, so that they cannot be made to grow without bound. */
export class SubscriptionBudget {
  readonly #limit: number;
  #count = 0;

  constructor(limit = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  readonly mayGrow = (): boolean => this.#count < this.#limit;

  /** The part of one holder: tells how many it has, as often as that changes. */
  share(): (count: number) => void {
    let held = 0;
    return (count) => {
      this.#count += count - held;
      held = count;
    };
  }
}
