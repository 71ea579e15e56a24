/** When a crashed engine is started anew: at once, then ever later, and not at all when it keeps crashing. */

/** What a crash or a start that failed is answered with. */
export type RestartDecision =
  | { readonly type: 'restart'; readonly delayMs: number }
  | { readonly type: 'giveUp' };

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 2000;
/** Failures farther apart than this have nothing to do with each other. */
const WINDOW_MS = 60_000;
/** So many within the window, spread over about 15 s at least, are a loop that a restart does not end. */
const MOST_FAILURES = 12;

export class RestartPace {
  readonly #random: () => number;
  #failedAtMs: number[] = [];

  /** @param random gives numbers from 0 up to 1, for delays that do not meet those of others. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The engine crashed or could not be started. */
  failed(nowMs: number): RestartDecision {
    this.#failedAtMs = this.#failedAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    this.#failedAtMs.push(nowMs);
    const count = this.#failedAtMs.length;
    if (count > MOST_FAILURES) return { type: 'giveUp' };
    if (count === 1) return { type: 'restart', delayMs: 0 };
    const longestMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - 2));
    return { type: 'restart', delayMs: Math.round(longestMs * (0.5 + this.#random() / 2)) };
  }
}
