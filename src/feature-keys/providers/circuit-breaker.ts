/**
 * Spares a service that fails: after some failures in a row nothing is sent for a while, then one request probes.
 *
 *   closed --failures in a row--> open --pause over, one request--> probing --success--> closed
 *                                  ^------------------failure-----------'
 *
 * Time is an argument.
 */

export interface BreakerLimits {
  readonly failures: number;
  readonly pauseMs: number;
}

type State =
  | { readonly type: 'closed'; readonly failures: number }
  | { readonly type: 'open'; readonly untilMs: number }
  | { readonly type: 'probing' };

/** `wait`: another request is probing; ask again when it has ended. */
export type Admission = 'go' | 'probe' | 'wait' | 'refused';

export class CircuitBreaker {
  readonly #limits: BreakerLimits;
  #state: State = { type: 'closed', failures: 0 };

  constructor(limits: BreakerLimits) {
    this.#limits = limits;
  }

  get isOpen(): boolean {
    return this.#state.type !== 'closed';
  }

  admit(nowMs: number): Admission {
    if (this.#state.type === 'closed') return 'go';
    if (this.#state.type === 'probing') return 'wait';
    if (nowMs < this.#state.untilMs) return 'refused';
    this.#state = { type: 'probing' };
    return 'probe';
  }

  /** @param admission what `admit` gave to the request that ended. */
  succeeded(admission: 'go' | 'probe'): void {
    // Late answers from before say nothing about now.
    if (admission === 'go' && this.#state.type !== 'closed') return;
    this.#state = { type: 'closed', failures: 0 };
  }

  failed(admission: 'go' | 'probe', nowMs: number): void {
    if (admission === 'go' && this.#state.type !== 'closed') return;
    const failures = this.#state.type === 'closed' ? this.#state.failures + 1 : Infinity;
    this.#state =
      failures >= this.#limits.failures
        ? { type: 'open', untilMs: nowMs + this.#limits.pauseMs }
        : { type: 'closed', failures };
  }
}
