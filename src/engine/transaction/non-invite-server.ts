import type { ServerOutput } from './invite-server.ts';
import { giveUpMs } from './timer-values.ts';
import type { MachineOptions } from './timer-values.ts';

type State =
  | { readonly type: 'trying' | 'proceeding'; readonly endsAtMs: number }
  | { readonly type: 'completed'; readonly endsAtMs: number }
  | { readonly type: 'ended' };

/**
 * Server transaction of every other method (RFC 3261 §17.2.2).
 *
 *   ┌────────┐ request again: absorbed
 *   │ trying ├──64*T1: the client has given up (RFC 4320 §4.2) ──► ended
 *   └─┬──┬───┘
 *     │  │1xx: send
 *     │  ▼
 *     │ ┌────────────┐ request again: send the latest 1xx again
 *     │ │ proceeding ├──64*T1 from the start ────────────────────► ended
 *     │ └──┬─────────┘
 *     └────┴─200-699: send─►┌───────────┐ request again: send again
 *                           │ completed ├──J: 64*T1 (UDP), 0 (TCP)► ended
 *                           └───────────┘
 */
export class NonInviteServer {
  readonly #options: MachineOptions;
  #state: State;

  constructor(options: MachineOptions, nowMs: number) {
    this.#options = options;
    this.#state = { type: 'trying', endsAtMs: nowMs + giveUpMs(options.timers) };
  }

  get isEnded(): boolean {
    return this.#state.type === 'ended';
  }

  get hasFinal(): boolean {
    return this.#state.type === 'completed' || this.#state.type === 'ended';
  }

  get expiresAtMs(): number | undefined {
    return this.#state.type === 'ended' ? undefined : this.#state.endsAtMs;
  }

  /** @returns `undefined` when a response may not be sent any more. */
  respond(status: number, nowMs: number): ServerOutput[] | undefined {
    const state = this.#state;
    if (state.type === 'completed' || state.type === 'ended') return undefined;
    if (status < 200) {
      this.#state = { ...state, type: 'proceeding' };
    } else {
      this.#state = this.#options.isReliable
        ? { type: 'ended' }
        : { type: 'completed', endsAtMs: nowMs + giveUpMs(this.#options.timers) };
    }
    return [{ type: 'sendLatest' }];
  }

  /** The request came again. */
  receiveRequest(): ServerOutput[] {
    const { type } = this.#state;
    return type === 'proceeding' || type === 'completed' ? [{ type: 'sendLatest' }] : [];
  }

  expire(nowMs: number): ServerOutput[] {
    if (this.#state.type !== 'ended' && this.#state.endsAtMs <= nowMs)
      this.#state = { type: 'ended' };
    return [];
  }
}
