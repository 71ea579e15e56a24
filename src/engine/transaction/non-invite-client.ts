import type { SipResponse } from '../../wire/sip-message.ts';
import type { ClientOutput } from './invite-client.ts';
import { patienceOf, unlessReliable } from './timer-values.ts';
import type { MachineOptions } from './timer-values.ts';

type State =
  | {
      readonly type: 'trying' | 'proceeding';
      readonly repeatAtMs: number;
      readonly intervalMs: number;
      readonly giveUpAtMs: number;
      /** `giveUpAtMs` once the peer has shown that it is there. */
      readonly answerByMs: number;
    }
  | { readonly type: 'completed'; readonly endsAtMs: number }
  | { readonly type: 'ended' };

/**
 * Client transaction of every other method (RFC 3261 §17.1.2).
 *
 *   ┌────────┐ E: send again after T1, 2*T1 … at most T2 (UDP)
 *   │ trying ├──F: 64*T1 → timeout ──────────────────────────► ended
 *   └─┬──┬───┘
 *     │  │1xx
 *     │  ▼
 *     │ ┌────────────┐ E: send again every T2 (UDP)
 *     │ │ proceeding ├──F: still 64*T1 from the start ─────────► ended
 *     │ └──┬─────────┘
 *     └────┴─200-699─►┌───────────┐ repeats are absorbed
 *                     │ completed ├──K: T4 (UDP), 0 (TCP) ────► ended
 *                     └───────────┘
 *
 * With less patience than F silence ends it earlier; a 1xx gives it the whole patience for answers.
 */
export class NonInviteClient {
  readonly #options: MachineOptions;
  #state: State = { type: 'ended' };

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get isEnded(): boolean {
    return this.#state.type === 'ended';
  }

  get expiresAtMs(): number | undefined {
    const state = this.#state;
    if (state.type === 'ended') return undefined;
    if (state.type === 'completed') return state.endsAtMs;
    return Math.min(state.repeatAtMs, state.giveUpAtMs);
  }

  start(nowMs: number): ClientOutput[] {
    const { timers } = this.#options;
    const { silenceMs, answerMs } = patienceOf(this.#options);
    this.#state = {
      type: 'trying',
      repeatAtMs: unlessReliable(this.#options, nowMs + timers.t1Ms),
      intervalMs: timers.t1Ms,
      giveUpAtMs: nowMs + silenceMs,
      answerByMs: nowMs + answerMs,
    };
    return [{ type: 'sendRequest' }];
  }

  receive(response: SipResponse, nowMs: number): ClientOutput[] {
    const state = this.#state;
    if (state.type === 'completed' || state.type === 'ended') return [];
    if (response.status < 200) {
      const intervalMs = this.#options.timers.t2Ms;
      const giveUpAtMs = state.answerByMs;
      this.#state = { ...state, type: 'proceeding', intervalMs, giveUpAtMs };
    } else {
      this.#state = this.#options.isReliable
        ? { type: 'ended' }
        : { type: 'completed', endsAtMs: nowMs + this.#options.timers.t4Ms };
    }
    return [{ type: 'deliver', response }];
  }

  /** The request did not reach the peer. Once the peer has answered, a broken path is its problem. */
  fail(reason: string): ClientOutput[] {
    if (this.#state.type !== 'trying') return [];
    this.#state = { type: 'ended' };
    return [{ type: 'failed', reason }];
  }

  expire(nowMs: number): ClientOutput[] {
    const state = this.#state;
    if (state.type === 'ended' || (this.expiresAtMs ?? 0) > nowMs) return [];
    if (state.type === 'completed') {
      this.#state = { type: 'ended' };
      return [];
    }
    if (state.giveUpAtMs <= nowMs) {
      this.#state = { type: 'ended' };
      return [{ type: 'timeout' }];
    }
    const intervalMs = Math.min(state.intervalMs * 2, this.#options.timers.t2Ms);
    this.#state = { ...state, intervalMs, repeatAtMs: nowMs + intervalMs };
    return [{ type: 'sendRequest' }];
  }
}
