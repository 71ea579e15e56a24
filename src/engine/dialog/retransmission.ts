/** The times of one message that is repeated until the peer confirms it. */
export interface RetransmissionTimes {
  /** First interval; each later one is twice as long. */
  readonly firstMs: number;
  /** Longest interval. */
  readonly longestMs: number;
  /** After this time it is given up. */
  readonly giveUpAfterMs: number;
}

export type RetransmissionOutput = 'resend' | 'giveUp';

/**
 * When to repeat a message, and when to stop.
 *
 *   T1 = 500 ms, T2 = 4 s:  sent 0 s, again 0.5 1.5 3.5 7.5 11.5 15.5 19.5 23.5 27.5 31.5 s, given up at 32 s
 *
 *   running -- expire --> running | givenUp       running -- stop --> stopped
 */
export class Retransmission {
  readonly #times: RetransmissionTimes;
  readonly #giveUpAtMs: number;
  #state:
    | { readonly type: 'running'; readonly intervalMs: number; readonly nextAtMs: number }
    | { readonly type: 'stopped' };

  constructor(times: RetransmissionTimes, nowMs: number) {
    this.#times = times;
    this.#giveUpAtMs = nowMs + times.giveUpAfterMs;
    this.#state = { type: 'running', intervalMs: times.firstMs, nextAtMs: nowMs + times.firstMs };
  }

  get isRunning(): boolean {
    return this.#state.type === 'running';
  }

  get expiresAtMs(): number | undefined {
    if (this.#state.type === 'stopped') return undefined;
    return Math.min(this.#state.nextAtMs, this.#giveUpAtMs);
  }

  /** What is due now; one copy even when several intervals have passed. */
  expire(nowMs: number): RetransmissionOutput | undefined {
    const state = this.#state;
    if (state.type === 'stopped') return undefined;
    if (nowMs >= this.#giveUpAtMs) {
      this.#state = { type: 'stopped' };
      return 'giveUp';
    }
    if (nowMs < state.nextAtMs) return undefined;
    const intervalMs = Math.min(state.intervalMs * 2, this.#times.longestMs);
    this.#state = { type: 'running', intervalMs, nextAtMs: nowMs + intervalMs };
    return 'resend';
  }

  stop(): void {
    this.#state = { type: 'stopped' };
  }
}
